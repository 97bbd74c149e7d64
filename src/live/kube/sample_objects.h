// For tests and measurements: Pods and Nodes as API servers send them (with managedFields, volumes,
// container statuses and all that isn't read), and random ones made from parts.
#pragma once

#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/rng.h"

namespace windlass::live::kube {

// A Deployment's pod on a GPU node, as a kubelet reports it.
inline constexpr const char* kSamplePod = R"({"metadata":{"generateName":"web-7c5ddbdf54-",
"namespace":"production","uid":"8f2b5d0e-6b2e-4c3a-9d3e-1f0b5a7c9e11",
"resourceVersion":"123456789",
"generation":1,"creationTimestamp":"2026-03-01T10:20:30Z","labels":{"app":"web",
"app.kubernetes.io/name":"web",
"app.kubernetes.io/part-of":"shop","pod-template-hash":"7c5ddbdf54"},"annotations":
{"kubectl.kubernetes.io/restartedAt":"2026-02-28T08:00:00Z","prometheus.io/port":"8080",
"prometheus.io/scrape":"true","note":"\u003cb\u003e caf\u00e9 \"quoted\" \\u00e9"},
"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-7c5ddbdf54",
"uid":"0a1b2c3d-0000-4000-8000-000000000001","controller":true,
"blockOwnerDeletion":true}]},
"spec":{"volumes":[{"name":"config","configMap":{"name":"web","defaultMode":420}},
{"name":"data","persistentVolumeClaim":{"claimName":"web-data"}},{"name":"scratch",
"emptyDir":{}},
{"name":"fast","ephemeral":{"volumeClaimTemplate":{"metadata":{"creationTimestamp":null},
"spec":
{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"10Gi"}},
"storageClassName":"gp3"}}}},
{"name":"kube-api-access-x2v5k","projected":{"sources":[{"serviceAccountToken":
{"expirationSeconds":3607,
"path":"token"}},{"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt",
"path":"ca.crt"}]}},
{"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"apiVersion":"v1",
"fieldPath":"metadata.namespace"}}]}}],
"defaultMode":420}}],
"initContainers":[{"name":"migrate","image":"registry.example/web:1.2.3",
"command":["/migrate"],
"resources":{"requests":{"cpu":"100m","memory":"128Mi"}}},
{"name":"mesh","image":"registry.example/mesh:9","restartPolicy":"Always","resources":
{"limits":{"cpu":"200m","memory":"64Mi"}}}],
"containers":[{"name":"web","image":"registry.example/web@sha256:5f1d",
"args":["--port=8080"],
"ports":[{"name":"http","containerPort":8080,"protocol":"TCP"},{"containerPort":9000,
"hostPort":9000,"hostIP":"10.0.0.1"}],
"env":[{"name":"MODE","value":"production"},{"name":"EMPTY","value":""},
{"name":"TOKEN","valueFrom":{"secretKeyRef":{"name":"web","key":"token"}}},
{"name":"LEVEL","valueFrom":{"configMapKeyRef":{"name":"web","key":"level",
"optional":true}}},
{"name":"POD_IP","valueFrom":{"fieldRef":{"apiVersion":"v1",
"fieldPath":"status.podIP"}}}],
"resources":{"limits":{"cpu":"2","memory":"4Gi","nvidia.com/gpu":"1"},"requests":
{"cpu":"1500m","memory":"3.5Gi","nvidia.com/gpu":"1"}},
"volumeMounts":[{"name":"config","mountPath":"/etc/web"},{"name":"kube-api-access-x2v5k",
"readOnly":true,
"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}],
"livenessProbe":{"httpGet":{"path":"/healthz","port":"http","scheme":"HTTP"},
"timeoutSeconds":1,"periodSeconds":10,
"successThreshold":1,"failureThreshold":3},
"terminationMessagePath":"/dev/termination-log",
"terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent","securityContext":
{"capabilities":{"drop":["ALL"]},
"runAsNonRoot":true}}],
"restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst",
"nodeSelector":{"karpenter.sh/nodepool":"gpu"},"serviceAccountName":"web",
"serviceAccount":"web",
"securityContext":{},"affinity":{"nodeAffinity":
{"requiredDuringSchedulingIgnoredDuringExecution":
{"nodeSelectorTerms":[{"matchExpressions":[{"key":"karpenter.sh/capacity-type",
"operator":"In","values":["spot","on-demand"]},
{"key":"karpenter.k8s.aws/instance-gpu-count","operator":"Gt","values":["0"]}]}]},
"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":10,"preference":
{"matchExpressions":
[{"key":"topology.kubernetes.io/zone","operator":"NotIn","values":["us-east-1e"]}]}}]},
"podAntiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":100,
"podAffinityTerm":
{"labelSelector":{"matchLabels":{"app":"web"}},"topologyKey":"kubernetes.io/hostname"}}]},
"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{"labelSelector":
{"matchExpressions":
[{"key":"app","operator":"In","values":["cache"]},{"key":"old",
"operator":"DoesNotExist"}]},
"topologyKey":"topology.kubernetes.io/zone","namespaces":["cache"],"namespaceSelector":{},
"matchLabelKeys":["pod-template-hash"]}]}},
"schedulerName":"default-scheduler","tolerations":[{"key":"nvidia.com/gpu",
"operator":"Exists","effect":"NoSchedule"},
{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute",
"tolerationSeconds":300},
{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute",
"tolerationSeconds":300}],
"priorityClassName":"high","priority":100000,"enableServiceLinks":true,
"preemptionPolicy":"PreemptLowerPriority",
"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"topology.kubernetes.io/zone",
"whenUnsatisfiable":"DoNotSchedule",
"labelSelector":{"matchLabels":{"app":"web"}},"minDomains":2,"nodeTaintsPolicy":"Honor",
"matchLabelKeys":["pod-template-hash"]},
{"maxSkew":2,"topologyKey":"kubernetes.io/hostname","whenUnsatisfiable":"ScheduleAnyway",
"labelSelector":{"matchLabels":{"app":"web"}}}]},
"status":{"phase":"Running","conditions":
[{"type":"PodReadyToStartContainers","status":"True","lastProbeTime":null,
"lastTransitionTime":"2026-03-01T10:20:40Z"},
{"type":"Initialized","status":"True","lastProbeTime":null,
"lastTransitionTime":"2026-03-01T10:20:44Z"},
{"type":"Ready","status":"True","lastProbeTime":null,
"lastTransitionTime":"2026-03-01T10:21:30Z"},
{"type":"ContainersReady","status":"True","lastProbeTime":null,
"lastTransitionTime":"2026-03-01T10:21:30Z"},
{"type":"PodScheduled","status":"True","lastProbeTime":null,
"lastTransitionTime":"2026-03-01T10:20:31Z"}],
"hostIP":"10.0.12.34","hostIPs":[{"ip":"10.0.12.34"}],"podIP":"10.0.77.5","podIPs":
[{"ip":"10.0.77.5"}],
"startTime":"2026-03-01T10:20:31Z","containerStatuses":[{"name":"web","state":{"running":
{"startedAt":"2026-03-01T10:21:00Z"}},
"lastState":{},"ready":true,"restartCount":0,"image":"registry.example/web:1.2.3",
"imageID":"registry.example/web@sha256:5f1d","containerID":"containerd://0f3a",
"started":true}],"qosClass":"Burstable"}})";

inline constexpr const char* kSampleNode =
    R"({"kind":"Node","apiVersion":"v1","metadata":{"uid":"n","resourceVersion":"99887766",
"creationTimestamp":"2026-03-01T09:00:00Z","labels":{"beta.kubernetes.io/arch":"amd64",
"beta.kubernetes.io/os":"linux",
"karpenter.sh/capacity-type":"spot","karpenter.sh/nodepool":"gpu",
"kubernetes.io/arch":"amd64",
"node.kubernetes.io/instance-type":"g5.xlarge","topology.kubernetes.io/zone":"us-east-1a",
"empty":""},
"annotations":{"karpenter.sh/nodepool-hash":"123",
"volumes.kubernetes.io/controller-managed-attach-detach":"true"},
"ownerReferences":[{"apiVersion":"karpenter.sh/v1","kind":"NodeClaim","name":"gpu-x",
"uid":"c"}],
"finalizers":["karpenter.sh/termination"]},
"spec":{"providerID":"aws:///us-east-1a/i-0123456789","taints":[{"key":"nvidia.com/gpu",
"value":"true","effect":"NoSchedule"},
{"key":"node.kubernetes.io/not-ready","effect":"NoExecute",
"timeAdded":"2026-03-01T09:00:00Z"}]},
"status":{"capacity":{"cpu":"4","ephemeral-storage":"83873772Ki","hugepages-2Mi":"0",
"memory":"16144540Ki","nvidia.com/gpu":"1","pods":"58"},
"allocatable":{"cpu":"3920m","ephemeral-storage":"76224326324","hugepages-2Mi":"0",
"memory":"15154332Ki","nvidia.com/gpu":"1","pods":"58"},
"conditions":[{"type":"MemoryPressure","status":"False",
"lastHeartbeatTime":"2026-03-01T10:00:00Z","lastTransitionTime":"2026-03-01T09:00:00Z",
"reason":"KubeletHasSufficientMemory",
"message":"kubelet has sufficient memory available"},
{"type":"Ready","status":"True","lastHeartbeatTime":"2026-03-01T10:00:00Z",
"lastTransitionTime":"2026-03-01T09:00:30Z",
"reason":"KubeletReady","message":"kubelet is posting ready status"}],
"addresses":[{"type":"InternalIP","address":"10.0.12.34"}],"daemonEndpoints":
{"kubeletEndpoint":{"Port":10250}},
"nodeInfo":{"machineID":"ec2","kernelVersion":"6.1","osImage":"Amazon Linux 2023",
"containerRuntimeVersion":"containerd://1.7",
"kubeletVersion":"v1.33.1","operatingSystem":"linux","architecture":"amd64"},
"images":[{"names":["registry.example/web@sha256:5f1d","registry.example/web:1.2.3"],
"sizeBytes":123456789}]}})";

// Other shapes of pods: a DaemonSet's on the host's network, one that can't be placed, a Job's that
// is leaving, one with a condition twice, one without a status.
inline constexpr const char* kSamplePatches[] = {
    R"({})",
    R"({"metadata":{"ownerReferences":[{"apiVersion":"apps/v1","kind":"DaemonSet","name":"d",
"uid":"u","controller":true}]},
"spec":{"hostNetwork":true,"affinity":{"nodeAffinity":
{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":
[{"matchFields":[{"key":"metadata.name","operator":"In","values":["n1"]}]}]}},
"podAffinity":null,"podAntiAffinity":null},
"containers":[{"name":"agent","ports":[{"containerPort":9100,"hostPort":9100},
{"containerPort":53,"protocol":"UDP"}]}],
"tolerations":[{"operator":"Exists"}]}})",
    R"({"spec":{"nodeName":null,"resourceClaims":[{"name":"gpu"}],"overhead":{"cpu":"10m"},
"topologySpreadConstraints":null},
"status":{"phase":"Pending","startTime":null,"nominatedNodeName":"n2","conditions":
[{"type":"PodScheduled","status":"False",
"reason":"Unschedulable","message":"0/3 nodes are available",
"lastTransitionTime":"2026-03-01T10:20:31Z"}]}})",
    R"({"metadata":{"deletionTimestamp":"2026-03-01T11:00:00Z","deletionGracePeriodSeconds":30,
"finalizers":["batch.kubernetes.io/job-tracking"],
"annotations":null,"labels":null},"spec":{"terminationGracePeriodSeconds":0,
"priority":-10,"affinity":null},"status":{"phase":"Succeeded"}})",
    R"({"status":{"phase":"Failed","conditions":[{"type":"Ready","status":"False"},
{"type":"Ready","status":"True"}]}})",
    R"({"status":null,"spec":{"containers":[{"name":"a"},{"name":"b","resources":{"claims":
[{"name":"gpu"}]}}],"initContainers":null}})"};

// What a field may be changed into.
inline constexpr const char* kOddValues[] = {"null",
                                             "true",
                                             "0",
                                             "-1",
                                             "1",
                                             "5",
                                             "1.0",
                                             "0.5",
                                             "99999999999",
                                             "18446744073709551615",
                                             "1e400",
                                             R"("")",
                                             R"("a")",
                                             R"("x y")",
                                             R"("500m")",
                                             R"("-1")",
                                             R"("4Gi")",
                                             R"("1e3")",
                                             R"("2026-03-01T00:00:00Z")",
                                             R"("2026-13-01T00:00:00Z")",
                                             R"("Exists")",
                                             R"("In")",
                                             R"("Always")",
                                             R"("NoSchedule")",
                                             R"("beta.kubernetes.io/os")",
                                             R"("é")",
                                             "[]",
                                             "{}",
                                             "[null]",
                                             R"(["a"])",
                                             R"({"a":"b"})",
                                             R"([{"name":"a"}])",
                                             R"({"cpu":"1"})",
                                             R"({"cpu":2})"};
inline constexpr const char* kOddKeys[] = {"name",
                                           "key",
                                           "operator",
                                           "values",
                                           "value",
                                           "cpu",
                                           "nvidia.com/gpu",
                                           "labels",
                                           "metadata",
                                           "beta.kubernetes.io/arch",
                                           "bad key",
                                           "hostPort",
                                           "effect",
                                           "resourceVersion",
                                           "kind"};

inline Json sample_pod(int index) {
  Json pod = Json::parse(kSamplePod);
  pod["metadata"]["name"] = fmt::format("web-7c5ddbdf54-{:05}", index);
  pod["spec"]["nodeName"] = fmt::format("ip-10-0-{}-{}.ec2.internal", index / 250, index % 250);
  Json fields = Json::object();
  for (const char* field :
       {"f:affinity", "f:containers", "f:dnsPolicy", "f:nodeSelector", "f:priority",
        "f:restartPolicy", "f:schedulerName", "f:tolerations", "f:volumes"}) {
    fields["f:spec"][field] = {{".", Json::object()}, {"f:name", Json::object()}};
  }
  pod["metadata"]["managedFields"] = Json::array();
  for (const char* manager : {"kube-controller-manager", "kubelet"}) {
    pod["metadata"]["managedFields"].push_back({{"manager", manager},
                                                {"operation", "Update"},
                                                {"apiVersion", "v1"},
                                                {"time", "2026-03-01T10:21:30Z"},
                                                {"fieldsType", "FieldsV1"},
                                                {"fieldsV1", fields}});
  }
  return pod;
}

inline Json sample_node(int index) {
  Json node = Json::parse(kSampleNode);
  node["metadata"]["name"] = fmt::format("ip-10-0-{}-{}.ec2.internal", index / 250, index % 250);
  return node;
}

// Other shapes of pods, as changes (merge patches) of the sample.
inline std::vector<Json> sample_variants() {
  std::vector<Json> out;
  for (const char* patch : kSamplePatches) {
    out.push_back(sample_pod(7));
    out.back().merge_patch(Json::parse(patch));
  }
  return out;
}

// One random change anywhere in the value: what Kubernetes would send, what it wouldn't, and what
// nobody should.
inline void change_somewhere(Json& value, Rng& rng) {
  const auto any = [&] { return kOddValues[rng.below(std::size(kOddValues))]; };
  const auto parsed = [&]() -> Json {
    const char* text = any();
    const Json out = Json::parse(text, nullptr, false);
    return out.is_discarded() ? Json(1e300) : out;
  };
  if (value.is_structured() && !value.empty() && rng.below(8) != 0) {
    auto at = value.begin();
    std::advance(at, static_cast<int64_t>(rng.below(value.size())));
    if (rng.below(12) == 0) {
      value.erase(at);
    } else {
      change_somewhere(*at, rng);
    }
    return;
  }
  if (value.is_object() && rng.below(2) == 0) {
    value[kOddKeys[rng.below(std::size(kOddKeys))]] = parsed();
  } else if (value.is_array() && rng.below(2) == 0) {
    value.push_back(value.empty() || rng.below(2) == 0 ? parsed() : value.front());
  } else {
    value = parsed();
  }
}

}  // namespace windlass::live::kube

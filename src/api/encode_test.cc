#include <gtest/gtest.h>

#include "api/manifest_fixture.h"

namespace windlass::api {
namespace {

Json json_of(std::string_view yaml) { return *parse_yaml(yaml)->at(0).value; }

// Manifests in the form they are written in, with fields nobody here reads: nothing may change.
TEST(Encode, WhatWasReadComesBack) {
  for (
      const char* text : {
          R"({apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns, managedFields: [{a: b}],
               resourceVersion: "7", creationTimestamp: "2026-03-01T00:00:00Z"},
               spec: {containers: [{name: c, image: i, ports: [{containerPort: 80}],
                 env: [{name: Z, valueFrom: {fieldRef: {fieldPath: x}}}, {name: A, value: b}],
                 resources: {requests: {cpu: 1000m, memory: 1.5Gi}, claims: [{name: d}]}}],
                 initContainers: [{name: s, restartPolicy: Always, lifecycle: {}}],
                 volumes: [{name: v}], restartPolicy: Always, terminationGracePeriodSeconds: 30,
                 affinity: {podAffinity: {}, nodeAffinity: {
                   requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [
                     {matchFields: [{key: metadata.name, operator: In, values: [x]}]}]}}},
                 tolerations: [{operator: Exists}, {key: a, operator: Equal, value: b}],
                 topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, minDomains: 2,
                   whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {a: b}}}]},
               status: {phase: Running, podIP: 10.0.0.1, conditions: [
                 {type: Ready, status: "False", reason: ContainersNotReady},
                 {type: PodScheduled, status: "True", lastTransitionTime: "2026-03-01T00:00:00Z"}]}})",
          R"({apiVersion: v1, kind: Node, metadata: {name: n1}, spec: {podCIDR: 10.0.0.0/24,
               taints: [{key: k, effect: NoSchedule, timeAdded: "2026-03-01T00:00:00Z"}]},
               status: {capacity: {cpu: "4", memory: 16Gi}, allocatable: {cpu: 3920m},
               nodeInfo: {a: b}, conditions: [{type: Ready, status: "True",
               lastHeartbeatTime: "2026-03-01T00:00:00Z"}]}})",
          R"({apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: default},
               spec: {replicas: 1, selector: {matchLabels: {a: b}}, strategy: {type: Recreate},
               template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c}]}}},
               status: {replicas: 1, observedGeneration: 5}})",
          R"({apiVersion: apps/v1, kind: DaemonSet, metadata: {name: d, namespace: default},
               spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}},
               spec: {containers: [{name: c}]}}}})",
          R"({apiVersion: batch/v1, kind: Job, metadata: {name: j, namespace: default},
               spec: {parallelism: 3, ttlSecondsAfterFinished: 5,
               template: {spec: {restartPolicy: OnFailure, containers: [{name: c}]}}}})",
          R"({apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: c},
               value: 5, description: x, preemptionPolicy: PreemptLowerPriority})",
          R"({apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: b,
               namespace: default}, spec: {minAvailable: 50%, selector: {},
               unhealthyPodEvictionPolicy: AlwaysAllow}})",
          R"({apiVersion: karpenter.sh/v1, kind: NodePool, metadata: {name: p}, spec: {
               template: {metadata: {labels: {a: b}}, spec: {expireAfter: 720h0m0s, requirements: [
               {key: a, operator: In, values: [b]}, {key: a, operator: NotIn, values: [c]}],
               taints: [{key: k, value: v, effect: NoSchedule}],
               nodeClassRef: {group: g, kind: K, name: nc}}},
               disruption: {consolidateAfter: 60m, budgets: [{nodes: "10%"}, {nodes: "3",
               reasons: [Empty]}]}, limits: {cpu: 1k, memory: 1000Gi}, weight: 7},
               status: {nodes: 2, resources: {cpu: "8"}, nodeClassObservedGeneration: 1,
               conditions: [{type: Ready, status: "True", observedGeneration: 4}]}})",
          R"({apiVersion: karpenter.sh/v1, kind: NodePool, metadata: {name: p}, spec: {replicas: 0,
               template: {spec: {nodeClassRef: {group: g, kind: K, name: nc}, expireAfter: Never}},
               disruption: {consolidateAfter: Never, budgets: []}}})",
          R"({apiVersion: karpenter.sh/v1, kind: NodeClaim, metadata: {name: c}, spec: {
               requirements: [{key: a, operator: Exists, minValues: 2}], resources: {requests: {
               cpu: 1}}, nodeClassRef: {group: g, kind: K, name: nc}, expireAfter: 24h},
               status: {providerID: x, imageID: ami-1, allocatable: {cpu: 1930m}}})",
          R"({apiVersion: karpenter.k8s.aws/v1, kind: EC2NodeClass, metadata: {name: c}, spec: {
               amiSelectorTerms: [{alias: al2023@latest}], role: r, userData: x,
               subnetSelectorTerms: [{id: s}], securityGroupSelectorTerms: [{id: g}],
               kubelet: {maxPods: 20, imageGCHighThresholdPercent: 80, kubeReserved: {cpu: 1}},
               blockDeviceMappings: [{deviceName: /dev/xvda, ebs: {volumeSize: 100Gi}}]}})",
          R"({apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: s,
               namespace: default}, spec: {scaleTargetRef: {name: t, envSourceContainerName: e},
               pollingInterval: 30, minReplicaCount: 0, triggers: [{type: prometheus,
               metadata: {query: up}, authenticationRef: {name: a}, metricType: AverageValue}],
               fallback: {failureThreshold: 1, replicas: 2, behavior: static}, advanced: {
               restoreToOriginalReplicaCount: true, horizontalPodAutoscalerConfig: {name: h,
               behavior: {scaleUp: {}, scaleDown: {stabilizationWindowSeconds: 0, policies: [
               {type: Pods, value: 1, periodSeconds: 60}], selectPolicy: Max, tolerance: "0.1"}}}}},
               status: {hpaName: h, lastActiveTime: "2026-03-01T00:00:00Z", conditions: [
               {type: Ready, status: "True", reason: x, message: z}]}})",
      }) {
    const Json written = json_of(text);
    const auto object = decode(written);
    ASSERT_TRUE(object.ok()) << text << object.error().message();
    EXPECT_EQ(encode(*object), written) << Json::diff(written, encode(*object)).dump();
  }
}

TEST(Encode, DefaultsThatWereReadAreWrittenOnlyWhereTheServerWouldToo) {
  const auto pod = only<Pod>(
      "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, resources: "
      "{limits: {cpu: 2000m}}}]}}");
  EXPECT_EQ(encode(pod)["spec"]["containers"][0]["resources"],
            *parse_json(R"({"limits": {"cpu": "2000m"}, "requests": {"cpu": "2"}})"));
  EXPECT_EQ(encode(pod)["metadata"]["namespace"], "default");
}

TEST(Encode, ChangesAreWrittenOverWhatWasRead) {
  auto pod = only<Pod>(
      "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, tty: true}], "
      "tolerations: [{key: a, operator: Exists}]}}");
  pod.spec.node_name = "n1";
  pod.phase = PodPhase::kRunning;
  pod.ready = true;
  pod.ready_at = Instant{1'000'000'000};
  pod.scheduled_at = Instant{};
  pod.spec.tolerations.push_back({"b", "Equal", "v", "NoSchedule", std::nullopt});
  pod.spec.containers[0].env["X"] = "1";
  const Json written = encode(pod);
  EXPECT_EQ(written["spec"]["nodeName"], "n1");
  EXPECT_EQ(written["spec"]["containers"][0]["tty"], true);
  EXPECT_EQ(written["spec"]["containers"][0]["env"].dump(), R"([{"name":"X","value":"1"}])");
  EXPECT_EQ(written["spec"]["tolerations"][1].dump(),
            R"({"effect":"NoSchedule","key":"b","value":"v"})");
  const auto back = std::get<Pod>(*decode(written));
  EXPECT_TRUE(back.ready);
  EXPECT_EQ(back.ready_at, pod.ready_at);
  EXPECT_EQ(back.scheduled_at, Instant{});
  EXPECT_EQ(back.phase, PodPhase::kRunning);

  pod.ready = false;
  pod.spec.tolerations.clear();
  pod.raw = std::make_shared<const Json>(written);
  const auto unready = std::get<Pod>(*decode(encode(pod)));
  EXPECT_FALSE(unready.ready);
  EXPECT_TRUE(unready.spec.tolerations.empty());
}

TEST(Encode, ObjectsMadeHereAreComplete) {
  NodeClaim claim;
  claim.meta.name = "gpu-1";
  claim.meta.labels[std::string(kNodePoolLabel)] = "gpu";
  claim.meta.finalizers = {std::string(kTerminationFinalizer)};
  claim.requirements = {{"kubernetes.io/arch", Operator::kIn, {"amd64"}, std::nullopt},
                        {"karpenter.k8s.aws/instance-gpu-count", Operator::kGt, {"0"}, 2}};
  claim.node_class = {"karpenter.k8s.aws", "EC2NodeClass", "c"};
  claim.requests.set(kCpu, 1500);
  claim.requests.set(kNvidiaGpu, 2000);
  claim.taints = {{"nvidia.com/gpu", "", "NoSchedule"}};
  claim.conditions = {{"Launched", "True", "Launched", "", Instant{5'000'000'000}}};
  const auto back = std::get<NodeClaim>(*decode(encode(claim)));
  EXPECT_EQ(encode(claim)["apiVersion"], "karpenter.sh/v1");
  EXPECT_FALSE(back.expire_after.has_value()) << "absent means 720h, so Never is written";
  EXPECT_EQ(back.requirements, claim.requirements);
  EXPECT_EQ(back.requests, claim.requests);
  EXPECT_EQ(back.taints, claim.taints);
  EXPECT_EQ(back.conditions, claim.conditions);
  EXPECT_EQ(back.meta.labels, claim.meta.labels);

  ScaledObject object;
  object.meta.name = "s";
  object.meta.namespace_name = "ns";
  object.target_name = "t";
  object.triggers = {{"prometheus", "q", {{"query", "up"}}, MetricTargetType::kValue, true}};
  object.behavior = Behavior{ScalingRules{}, std::nullopt};
  object.fallback = Fallback{2, 3, FallbackBehavior::kCurrentReplicas};
  const auto read = std::get<ScaledObject>(*decode(encode(object)));
  EXPECT_EQ(read.triggers[0].metric_type, MetricTargetType::kValue);
  EXPECT_TRUE(read.behavior->scale_up.has_value());
  EXPECT_FALSE(read.behavior->scale_down.has_value());
  EXPECT_EQ(read.fallback->behavior, FallbackBehavior::kCurrentReplicas);
  EXPECT_FALSE(read.min_replicas.has_value());
}

TEST(Encode, EveryKindNamesItself) {
  const std::vector<Object> objects{
      Pod{},       Node{},          Deployment{},          DaemonSet{},
      Job{},       PriorityClass{}, PodDisruptionBudget{}, NodePool{},
      NodeClaim{}, Ec2NodeClass{},  ScaledObject{}};
  for (const Object& object : objects) {
    EXPECT_EQ(encode(object)["kind"], kind_of(object));
    EXPECT_TRUE(encode(object).contains("apiVersion"));
  }
}

}  // namespace
}  // namespace windlass::api

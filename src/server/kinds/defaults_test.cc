#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "server/kinds/kind_rules.h"

namespace windlass::server::kinds {
namespace {

Json defaulted(std::string_view group, std::string_view kind, const std::string& object) {
  Json value = *parse_json(object);
  set_defaults(group, kind, value);
  Json again = value;
  set_defaults(group, kind, again);
  EXPECT_EQ(again, value) << kind << ": defaults of a defaulted object change it";
  return value;
}

TEST(Defaults, WholePod) {
  const Json pod = defaulted("", "Pod", R"({"metadata":{"name":"p"},"spec":{"containers":[
      {"name":"c","image":"nginx","ports":[{"containerPort":80}],
       "env":[{"name":"N","valueFrom":{"fieldRef":{"fieldPath":"spec.nodeName"}}}],
       "readinessProbe":{"httpGet":{"port":80}},
       "resources":{"limits":{"cpu":0.5,"memory":"1024Mi"}}}]}})");
  EXPECT_EQ(pod["spec"], *parse_json(R"({
    "containers": [{"name": "c", "image": "nginx", "imagePullPolicy": "Always",
      "ports": [{"containerPort": 80, "protocol": "TCP"}],
      "env": [{"name": "N",
        "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "spec.nodeName"}}}],
      "readinessProbe": {"httpGet": {"path": "/", "port": 80, "scheme": "HTTP"},
        "failureThreshold": 3, "periodSeconds": 10, "successThreshold": 1, "timeoutSeconds": 1},
      "resources": {"limits": {"cpu": "500m", "memory": "1Gi"},
        "requests": {"cpu": "500m", "memory": "1Gi"}},
      "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}],
    "dnsPolicy": "ClusterFirst", "enableServiceLinks": true,
    "preemptionPolicy": "PreemptLowerPriority", "priority": 0, "restartPolicy": "Always",
    "schedulerName": "default-scheduler", "securityContext": {},
    "serviceAccount": "default", "serviceAccountName": "default",
    "terminationGracePeriodSeconds": 30,
    "tolerations": [
      {"effect": "NoExecute", "key": "node.kubernetes.io/not-ready", "operator": "Exists",
       "tolerationSeconds": 300},
      {"effect": "NoExecute", "key": "node.kubernetes.io/unreachable", "operator": "Exists",
       "tolerationSeconds": 300}]})"));
  EXPECT_EQ(pod["status"], Json({{"phase", "Pending"}, {"qosClass", "Guaranteed"}}));
}

TEST(Defaults, PullPolicyByTag) {
  const std::pair<std::string, std::string> kCases[] = {
      {"nginx", "Always"},
      {"nginx:latest", "Always"},
      {"nginx:1.2", "IfNotPresent"},
      {"registry:5000/nginx", "Always"},
      {"registry:5000/nginx:1", "IfNotPresent"},
      {"nginx@sha256:abc", "IfNotPresent"},
      {"nginx:latest@sha256:abc", "IfNotPresent"},
  };
  for (const auto& [image, policy] : kCases) {
    const Json pod =
        defaulted("", "Pod", R"({"spec":{"containers":[{"image":")" + image + "\"}]}}");
    EXPECT_EQ(pod["spec"]["containers"][0]["imagePullPolicy"], policy) << image;
  }
}

TEST(Defaults, QosClasses) {
  const std::pair<std::string, std::string> kCases[] = {
      {"{}", "BestEffort"},
      {R"({"requests":{"cpu":"1"}})", "Burstable"},
      {R"({"limits":{"cpu":"1"}})", "Burstable"},
      {R"({"limits":{"cpu":"1","memory":"1Gi"}})", "Guaranteed"},
      {R"({"limits":{"cpu":"1","memory":"1Gi"},"requests":{"cpu":"500m"}})", "Burstable"},
      {R"({"limits":{"nvidia.com/gpu":"1"}})", "BestEffort"},
  };
  for (const auto& [resources, qos] : kCases) {
    const Json pod =
        defaulted("", "Pod", R"({"spec":{"containers":[{"resources":)" + resources + "}]}}");
    EXPECT_EQ(pod["status"]["qosClass"], qos) << resources;
  }
}

TEST(Defaults, WhatStandsThereStays) {
  const Json pod = defaulted("", "Pod", R"({"spec":{"restartPolicy":"Never","hostNetwork":true,
      "serviceAccount":"old","priorityClassName":"high","terminationGracePeriodSeconds":0,
      "tolerations":[{"operator":"Exists"}],
      "volumes":[{"name":"e"},{"name":"s","secret":{"secretName":"x","defaultMode":256}},
        {"name":"c","configMap":{"name":"x"}},{"name":"h","hostPath":{"path":"/"}}],
      "containers":[{"image":"a:1","imagePullPolicy":"Never","ports":[{"containerPort":8080}]}]}})");
  const Json& spec = pod["spec"];
  EXPECT_EQ(spec["restartPolicy"], "Never");
  EXPECT_EQ(spec["serviceAccountName"], "old");
  EXPECT_EQ(spec["terminationGracePeriodSeconds"], 0);
  EXPECT_FALSE(spec.contains("priority"));
  EXPECT_EQ(spec["tolerations"].size(), 1u);
  EXPECT_EQ(spec["containers"][0]["imagePullPolicy"], "Never");
  EXPECT_EQ(spec["containers"][0]["ports"][0]["hostPort"], 8080);
  EXPECT_EQ(spec["volumes"], *parse_json(R"([{"name":"e","emptyDir":{}},
      {"name":"s","secret":{"secretName":"x","defaultMode":256}},
      {"name":"c","configMap":{"name":"x","defaultMode":420}},
      {"name":"h","hostPath":{"path":"/","type":""}}])"));
}

TEST(Defaults, TemplatesGetNoPodOnlyDefaults) {
  const Json object = defaulted("apps", "Deployment", R"({"spec":{"template":{"spec":{
      "containers":[{"name":"c","image":"a:1","resources":{"limits":{"cpu":"1"}}}]}}}})");
  EXPECT_EQ(object["spec"], *parse_json(R"({
    "progressDeadlineSeconds": 600, "replicas": 1, "revisionHistoryLimit": 10,
    "strategy": {"type": "RollingUpdate",
      "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
    "template": {"spec": {
      "containers": [{"name": "c", "image": "a:1", "imagePullPolicy": "IfNotPresent",
        "resources": {"limits": {"cpu": "1"}},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}],
      "dnsPolicy": "ClusterFirst", "restartPolicy": "Always",
      "schedulerName": "default-scheduler", "securityContext": {},
      "terminationGracePeriodSeconds": 30}}})"));
}

struct Case {
  std::string group, kind, object, expected;  // expected: members that must stand there (merge)
};

// Every member of `part` is in `whole_object` with that value.
void expect_has(const Json& object, const Json& part, const std::string& path) {
  for (const auto& [name, value] : part.items()) {
    const std::string here = path + "." + name;
    ASSERT_TRUE(object.is_object() && object.contains(name)) << here;
    if (value.is_object() && !value.empty()) {
      expect_has(object[name], value, here);
    } else {
      EXPECT_EQ(object[name], value) << here;
    }
  }
}

TEST(Defaults, OfEachKind) {
  const Case kCases[] = {
      {"apps", "Deployment", R"({"spec":{"replicas":0,"strategy":{"type":"Recreate"}}})",
       R"({"spec":{"replicas":0,"strategy":{"type":"Recreate"}}})"},
      {"apps", "StatefulSet", R"({"spec":{"volumeClaimTemplates":[{"metadata":{"name":"d"}}]}})",
       R"({"spec":{"podManagementPolicy":"OrderedReady","replicas":1,"revisionHistoryLimit":10,
          "updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":0}},
          "persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Retain","whenScaled":"Retain"},
          "volumeClaimTemplates":[{"metadata":{"name":"d"},"apiVersion":"v1",
          "kind":"PersistentVolumeClaim","spec":{"volumeMode":"Filesystem"},
          "status":{"phase":"Pending"}}]}})"},
      {"apps", "DaemonSet", "{}",
       R"({"spec":{"revisionHistoryLimit":10,"updateStrategy":{"type":"RollingUpdate",
          "rollingUpdate":{"maxSurge":0,"maxUnavailable":1}}}})"},
      {"batch", "Job", R"({"spec":{"template":{"metadata":{"labels":{"a":"b"}}}}})",
       R"({"metadata":{"labels":{"a":"b"}},"spec":{"completions":1,"parallelism":1,
          "backoffLimit":6,"completionMode":"NonIndexed","suspend":false,"manualSelector":false,
          "podReplacementPolicy":"TerminatingOrFailed"}})"},
      {"batch", "Job", R"({"spec":{"parallelism":3,"backoffLimitPerIndex":1}})",
       R"({"spec":{"parallelism":3,"backoffLimit":2147483647}})"},
      {"batch", "CronJob", R"({"spec":{"jobTemplate":{"spec":{"template":{"spec":{}}}}}})",
       R"({"spec":{"concurrencyPolicy":"Allow","suspend":false,"successfulJobsHistoryLimit":3,
          "failedJobsHistoryLimit":1,"jobTemplate":{"spec":{"template":{"spec":{
          "dnsPolicy":"ClusterFirst"}}}}}})"},
      {"", "Service", R"({"spec":{"ports":[{"port":80}],"clusterIP":"10.0.0.1"}})",
       R"({"spec":{"type":"ClusterIP","sessionAffinity":"None","clusterIPs":["10.0.0.1"],
          "internalTrafficPolicy":"Cluster","ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack",
          "ports":[{"port":80,"protocol":"TCP","targetPort":80}]},
          "status":{"loadBalancer":{}}})"},
      {"", "Service", R"({"spec":{"type":"LoadBalancer","sessionAffinity":"ClientIP"}})",
       R"({"spec":{"externalTrafficPolicy":"Cluster","allocateLoadBalancerNodePorts":true,
          "sessionAffinityConfig":{"clientIP":{"timeoutSeconds":10800}}}})"},
      {"", "Secret", R"({"stringData":{"a":"hi"},"data":{"b":"eA=="}})",
       R"({"type":"Opaque","data":{"a":"aGk=","b":"eA=="}})"},
      {"", "Namespace", R"({"metadata":{"name":"n"}})",
       R"({"metadata":{"labels":{"kubernetes.io/metadata.name":"n"}},
          "spec":{"finalizers":["kubernetes"]},"status":{"phase":"Active"}})"},
      {"", "Node", R"({"status":{"capacity":{"memory":"2048Ki"}}})",
       R"({"status":{"allocatable":{"memory":"2Mi"},"capacity":{"memory":"2Mi"}}})"},
      {"", "PersistentVolume", R"({"spec":{"capacity":{"storage":"1024Gi"}}})",
       R"({"spec":{"capacity":{"storage":"1Ti"},"volumeMode":"Filesystem",
          "persistentVolumeReclaimPolicy":"Retain"},"status":{"phase":"Pending"}})"},
      {"", "PersistentVolumeClaim", "{}",
       R"({"spec":{"volumeMode":"Filesystem"},"status":{"phase":"Pending"}})"},
      {"storage.k8s.io", "StorageClass", "{}",
       R"({"reclaimPolicy":"Delete","volumeBindingMode":"Immediate"})"},
      {"scheduling.k8s.io", "PriorityClass", "{}",
       R"({"preemptionPolicy":"PreemptLowerPriority"})"},
      {"autoscaling", "HorizontalPodAutoscaler",
       R"({"apiVersion":"autoscaling/v2","spec":{"behavior":{"scaleUp":{"policies":[
          {"type":"Pods","value":1,"periodSeconds":60}]}}}})",
       R"({"spec":{"minReplicas":1,"metrics":[{"type":"Resource","resource":{"name":"cpu",
          "target":{"type":"Utilization","averageUtilization":80}}}],
          "behavior":{"scaleUp":{"stabilizationWindowSeconds":0,"selectPolicy":"Max",
          "policies":[{"type":"Pods","value":1,"periodSeconds":60}]},
          "scaleDown":{"selectPolicy":"Max",
          "policies":[{"type":"Percent","value":100,"periodSeconds":15}]}}}})"},
      {"networking.k8s.io", "NetworkPolicy", R"({"spec":{"egress":[{"ports":[{"port":53}]}]}})",
       R"({"spec":{"policyTypes":["Ingress","Egress"],
          "egress":[{"ports":[{"port":53,"protocol":"TCP"}]}]}})"},
      {"rbac.authorization.k8s.io", "RoleBinding",
       R"({"roleRef":{"kind":"Role"},"subjects":[{"kind":"User"},{"kind":"ServiceAccount"}]})",
       R"({"roleRef":{"apiGroup":"rbac.authorization.k8s.io"},
          "subjects":[{"kind":"User","apiGroup":"rbac.authorization.k8s.io"},
          {"kind":"ServiceAccount"}]})"},
      {"", "LimitRange",
       R"({"spec":{"limits":[{"type":"Container","max":{"cpu":"2"},"min":{"memory":"1Mi"}}]}})",
       R"({"spec":{"limits":[{"type":"Container","max":{"cpu":"2"},"min":{"memory":"1Mi"},
          "default":{"cpu":"2"},"defaultRequest":{"cpu":"2","memory":"1Mi"}}]}})"},
      {"apiextensions.k8s.io", "CustomResourceDefinition",
       R"({"spec":{"names":{"kind":"NodePool","plural":"nodepools"},
          "versions":[{"name":"v1beta1"},{"name":"v1","storage":true}]}})",
       R"({"spec":{"names":{"singular":"nodepool","listKind":"NodePoolList"},
          "conversion":{"strategy":"None"}},"status":{"storedVersions":["v1"]}})"},
  };
  for (const Case& one : kCases) {
    SCOPED_TRACE(one.kind);
    const Json object = defaulted(one.group, one.kind, one.object);
    expect_has(object, *parse_json(one.expected), one.kind);
  }
}

TEST(Defaults, OtherKindsStayAsTheyAre) {
  const std::string text = R"({"spec":{"template":{"spec":{"containers":[{}]}}}})";
  EXPECT_EQ(defaulted("karpenter.sh", "NodePool", text), *parse_json(text));
  EXPECT_EQ(defaulted("example.com", "Deployment", text), *parse_json(text));
  EXPECT_FALSE(defaulted("", "Secret", R"({"stringData":{}})").contains("stringData"));
}

TEST(Defaults, SurviveObjectsOfTheWrongShape) {
  const std::pair<std::string, std::string> kKinds[] = {
      {"", "Pod"},
      {"", "Service"},
      {"", "Secret"},
      {"", "Namespace"},
      {"", "Node"},
      {"", "LimitRange"},
      {"", "PersistentVolume"},
      {"", "Endpoints"},
      {"apps", "Deployment"},
      {"apps", "StatefulSet"},
      {"apps", "DaemonSet"},
      {"batch", "Job"},
      {"batch", "CronJob"},
      {"autoscaling", "HorizontalPodAutoscaler"},
      {"networking.k8s.io", "NetworkPolicy"},
      {"rbac.authorization.k8s.io", "RoleBinding"},
      {"apiextensions.k8s.io", "CustomResourceDefinition"}};
  const std::string kShapes[] = {
      "null",
      "[]",
      "3",
      "{}",
      R"({"spec":[],"status":"x","metadata":7,"data":3,"stringData":[]})",
      R"({"spec":{"containers":{},"ports":[1,null],"metrics":[[]],"behavior":3,"limits":[[],3],
          "template":[],"names":[],"versions":[3],"strategy":[],"updateStrategy":7,
          "tolerations":{},"volumeClaimTemplates":[3,{}],"ingress":[[]],"jobTemplate":[]},
          "subsets":[[],{"addresses":[3],"ports":[4]}],"roleRef":3,"subjects":[[]]})",
      R"({"spec":{"template":{"spec":{"containers":[3,{"ports":[3],"env":[[]],
          "resources":{"limits":[1]},"livenessProbe":[]}],"volumes":[3,{"secret":[]}]}},
          "containers":[[],{"ports":3,"resources":{"limits":3,"requests":[1]}}]}})"};
  for (const auto& [group, kind] : kKinds) {
    for (const std::string& shape : kShapes) {
      Json object = *parse_json(shape);
      set_defaults(group, kind, object);
      validate(group, kind, object, nullptr);
      validate(group, kind, object, &object);
      counts_generation(group, kind, object, object);
    }
  }
}

}  // namespace
}  // namespace windlass::server::kinds

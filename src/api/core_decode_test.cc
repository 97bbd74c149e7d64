#include <gtest/gtest.h>

#include "api/manifest_fixture.h"

namespace windlass::api {
namespace {

constexpr std::string_view kPod = R"(apiVersion: v1
kind: Pod
metadata:
  name: p
  namespace: ns
  uid: u-1
  resourceVersion: "77"
  generation: 3
  creationTimestamp: "2026-03-01T00:00:00Z"
  labels: {app: web}
  finalizers: [a/b]
  ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, name: d, uid: u-2, controller: true}]
spec:
  initContainers:
    - {name: side, restartPolicy: Always, resources: {requests: {cpu: 100m}}}
    - {name: init, resources: {limits: {cpu: 2}}}
  containers:
    - name: main
      image: img:1
      env: [{name: MODE, value: fast}, {name: SECRET, valueFrom: {secretKeyRef: {name: s}}}]
      resources:
        requests: {cpu: 500m}
        limits: {cpu: 1, memory: 1Gi, nvidia.com/gpu: 1}
  overhead: {cpu: 10m}
  nodeSelector: {failure-domain.beta.kubernetes.io/zone: us-east-1a}
  affinity:
    nodeAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        nodeSelectorTerms:
          - matchExpressions: [{key: karpenter.k8s.aws/instance-gpu-count, operator: Gt, values: ["0"]}]
          - matchExpressions: [{key: a, operator: Exists}]
      preferredDuringSchedulingIgnoredDuringExecution:
        - {weight: 1, preference: {matchExpressions: [{key: b, operator: In, values: [x]}]}}
        - {weight: 50, preference: {matchExpressions: [{key: c, operator: In, values: [z]}]}}
  tolerations:
    - {key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}
    - {key: k, value: v, effect: NoExecute, tolerationSeconds: 60}
  topologySpreadConstraints:
    - {maxSkew: 2, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway,
       labelSelector: {matchLabels: {app: web}}}
  priorityClassName: high
  priority: 1000
  nodeName: n1
  terminationGracePeriodSeconds: 60
status:
  phase: Running
  startTime: "2026-03-01T00:00:10Z"
  conditions:
    - {type: PodScheduled, status: "True", lastTransitionTime: "2026-03-01T00:00:05Z"}
    - {type: Ready, status: "True", lastTransitionTime: "2026-03-01T00:01:00Z"}
)";

TEST(PodDecode, ReadsEveryField) {
  const auto pod = only<Pod>(kPod);
  EXPECT_EQ(pod.meta.key(), "ns/p");
  EXPECT_EQ(pod.meta.uid, "u-1");
  EXPECT_EQ(pod.meta.resource_version, 77U);
  EXPECT_EQ(pod.meta.generation, 3);
  EXPECT_EQ(to_rfc3339(pod.meta.created), "2026-03-01T00:00:00Z");
  EXPECT_EQ(pod.meta.finalizers, (std::vector<std::string>{"a/b"}));
  EXPECT_TRUE(pod.daemon());
  ASSERT_EQ(pod.spec.containers.size(), 1U);
  const Container& main = pod.spec.containers[0];
  EXPECT_EQ(main.env, (StringMap{{"MODE", "fast"}}));
  EXPECT_EQ(main.requests.milli(kCpu), 500);
  EXPECT_EQ(main.requests.milli(kNvidiaGpu), 1000) << "limits stand in for absent requests";
  EXPECT_EQ(main.requests.milli(kMemory), int64_t{1000} << 30);
  EXPECT_TRUE(pod.spec.init_containers[0].restart_always);
  EXPECT_EQ(pod.spec.node_selector, (StringMap{{"topology.kubernetes.io/zone", "us-east-1a"}}));
  ASSERT_EQ(pod.spec.required_node_terms.size(), 2U);
  EXPECT_EQ(pod.spec.preferred_node_terms[1].weight, 50);
  EXPECT_EQ(pod.spec.tolerations[0].op, "Exists");
  EXPECT_EQ(pod.spec.tolerations[1].seconds, 60);
  EXPECT_EQ(pod.spec.topology_spread[0].max_skew, 2);
  EXPECT_TRUE(pod.spec.topology_spread[0].schedule_anyway);
  EXPECT_EQ(pod.spec.priority, 1000);
  EXPECT_EQ(pod.spec.node_name, "n1");
  EXPECT_EQ(pod.spec.termination_grace, seconds(60));
  EXPECT_EQ(pod.phase, PodPhase::kRunning);
  EXPECT_TRUE(pod.ready);
  EXPECT_EQ(to_rfc3339(*pod.ready_at), "2026-03-01T00:01:00Z");
  EXPECT_EQ(to_rfc3339(*pod.scheduled_at), "2026-03-01T00:00:05Z");
  EXPECT_EQ(to_rfc3339(*pod.started_at), "2026-03-01T00:00:10Z");
  EXPECT_FALSE(pod.unschedulable_since.has_value());
}

TEST(PodDecode, RequestsFollowKubernetesFormula) {
  const auto pod = only<Pod>(kPod);
  const ResourceList requests = pod_requests(pod.spec);
  // The init container beside the sidecar (2100m) outweighs main beside the sidecar (600m).
  EXPECT_EQ(requests.milli(kCpu), 2110);
  EXPECT_EQ(requests.milli(kNvidiaGpu), 1000);
  EXPECT_EQ(requests.milli(kPods), 1000);
}

TEST(PodDecode, SidecarsCountInTheOrderTheyStart) {
  PodSpec spec;
  const auto container = [](int64_t cpu, bool sidecar) {
    Container c;
    c.requests.set(kCpu, cpu);
    c.restart_always = sidecar;
    return c;
  };
  // An init container before the sidecar runs without it.
  spec.init_containers = {container(900, false), container(300, true), container(500, false)};
  spec.containers = {container(100, false)};
  EXPECT_EQ(pod_requests(spec).milli(kCpu), 900);
  spec.init_containers = {container(300, true), container(900, false)};
  EXPECT_EQ(pod_requests(spec).milli(kCpu), 1200);
  spec.containers = {container(1000, false)};
  EXPECT_EQ(pod_requests(spec).milli(kCpu), 1300);
  EXPECT_EQ(pod_requests(PodSpec{}), (ResourceList{{kPods, 1000}}));
}

TEST(PodDecode, RequirementsAreSelectorFirstTermAndHeaviestPreference) {
  const auto pod = only<Pod>(kPod);
  const Requirements strict = pod_requirements(pod.spec, false);
  EXPECT_TRUE(strict.get("topology.kubernetes.io/zone").has("us-east-1a"));
  EXPECT_EQ(strict.get("karpenter.k8s.aws/instance-gpu-count").gte(), 1);
  EXPECT_FALSE(strict.has("a")) << "the second term comes by relaxation only";
  EXPECT_FALSE(strict.has("c"));
  const Requirements preferred = pod_requirements(pod.spec, true);
  EXPECT_TRUE(preferred.get("c").has("z"));
  EXPECT_FALSE(preferred.has("b"));
}

TEST(PodDecode, Refusals) {
  const std::vector<Refusal> cases{
      {"name: main\n", "title: x\n", "spec.containers[0].name: is missing"},
      {"requests: {cpu: 500m}", "requests: {cpu: 1500m}", "cpu is more than its limit"},
      {"requests: {cpu: 500m}", "requests: {example.com/dev: 1}", "needs a limit equal"},
      {"requests: {cpu: 500m}", "requests: {cpu: half}", "requests.cpu: found the string \"half\""},
      {"requests: {cpu: 500m}", "requests: [cpu]", "requests: found a list (accepted: a map)"},
      {"operator: Gt, values: [\"0\"]", "operator: Gte, values: [\"0\"]", "found \"Gte\""},
      {"operator: Gt, values: [\"0\"]", "operator: Gt, values: [x]", "Gt takes exactly one value"},
      {"operator: Exists}", "operator: Exists, values: [x]}", "take no values"},
      {"weight: 50", "weight: 101", "a whole number from 1 to 100"},
      {"{key: k, value: v,", "{value: v,", "without a key the operator must be Exists"},
      {"operator: Exists, effect", "operator: Exists, value: x, effect", "Exists takes no value"},
      {"maxSkew: 2", "maxSkew: 0", "maxSkew: found the number 0"},
      {"ScheduleAnyway", "Whenever", "(accepted: DoNotSchedule, ScheduleAnyway)"},
      {"phase: Running", "phase: running", "did you mean \"Running\"?"},
      {"startTime: \"2026", "startTime: \"x2026", "a time in RFC 3339"},
      {"terminationGracePeriodSeconds: 60", "terminationGracePeriodSeconds: -1", "Seconds: found"},
      {"priority: 1000", "priority: 3000000000", "spec.priority: found"},
      {"labels: {app: web}\n", "labels: {app: 1}\n", "metadata.labels.app: found the number 1"},
      {"labels: {app: web}\n", "labels: {'a b': c}\n", "not a label key"},
      {"uid: u-1", "uid: 5", "metadata.uid: found the number 5"},
      {"value: fast", "value: 1", "env[0].value: found the number 1"},
  };
  for (const Refusal& c : cases) {
    const std::string errors = errors_of(with(kPod, c.from, c.to));
    EXPECT_NE(errors.find(c.error), std::string::npos) << c.to << " -> " << errors;
  }
}

TEST(PodDecode, UnschedulableIsRemembered) {
  const auto pod = only<Pod>(R"(apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {containers: [{name: c}]}
status:
  phase: Pending
  conditions:
    - {type: PodScheduled, status: "False", reason: Unschedulable,
       lastTransitionTime: "2026-03-01T00:00:05Z"}
)");
  EXPECT_EQ(to_rfc3339(*pod.unschedulable_since), "2026-03-01T00:00:05Z");
  EXPECT_FALSE(pod.scheduled_at || pod.ready || pod.daemon());
}

TEST(NodeDecode, ReadsEveryField) {
  const auto node = only<Node>(R"(apiVersion: v1
kind: Node
metadata: {name: n1, labels: {a: b}}
spec:
  providerID: aws:///us-east-1a/i-1
  unschedulable: true
  taints: [{key: k, value: v, effect: NoExecute, timeAdded: "2026-03-01T00:00:00Z"}]
status:
  capacity: {cpu: "4", memory: 16Gi, pods: "58"}
  allocatable: {cpu: 3920m}
  conditions: [{type: Ready, status: "True"}]
)");
  EXPECT_EQ(node.meta.key(), "n1");
  EXPECT_TRUE(node.unschedulable);
  EXPECT_EQ(to_string(node.taints.at(0)), "k=v:NoExecute");
  EXPECT_EQ(node.capacity.milli(kPods), 58'000);
  EXPECT_EQ(node.allocatable.milli(kCpu), 3920);
  EXPECT_FALSE(node.allocatable.has(kPods));
  const auto bare =
      only<Node>("{apiVersion: v1, kind: Node, metadata: {name: m}, status: {capacity: {cpu: 1}}}");
  EXPECT_EQ(bare.allocatable.milli(kCpu), 1000);
}

}  // namespace
}  // namespace windlass::api

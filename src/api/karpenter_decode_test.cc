#include <gtest/gtest.h>

#include "api/manifest_fixture.h"

namespace windlass::api {
namespace {

constexpr std::string_view kPool = R"(apiVersion: karpenter.sh/v1
kind: NodePool
metadata:
  name: gpu
spec:
  template:
    metadata:
      labels: {team: ml}
      annotations: {note: x}
    spec:
      taints:
        - {key: nvidia.com/gpu, effect: NoSchedule}
      startupTaints:
        - {key: ready, value: "no", effect: NoExecute}
      requirements:
        - {key: karpenter.sh/capacity-type, operator: In, values: [spot, on-demand]}
        - {key: karpenter.k8s.aws/instance-gpu-count, operator: Gte, values: ["1"]}
        - {key: beta.kubernetes.io/arch, operator: In, values: [amd64], minValues: 1}
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: gpu}
      terminationGracePeriod: 1h30m
      expireAfter: Never
  disruption:
    consolidationPolicy: WhenEmpty
    consolidateAfter: 5m
    budgets:
      - nodes: "5"
        reasons: [Empty, Drifted]
      - nodes: "0%"
        schedule: "0 9 * * mon-fri"
        duration: 8h
  limits:
    cpu: 1000
    memory: 4Ti
    nvidia.com/gpu: "32"
  weight: 10
)";

TEST(NodePoolDecode, ReadsEveryField) {
  const auto pool = only<NodePool>(kPool);
  EXPECT_EQ(pool.meta.key(), "gpu");
  EXPECT_EQ(pool.labels, (StringMap{{"team", "ml"}}));
  EXPECT_EQ(pool.annotations, (StringMap{{"note", "x"}}));
  EXPECT_EQ(pool.taints, (std::vector<Taint>{{"nvidia.com/gpu", "", "NoSchedule"}}));
  EXPECT_EQ(pool.startup_taints, (std::vector<Taint>{{"ready", "no", "NoExecute"}}));
  ASSERT_EQ(pool.requirements.size(), 3U);
  EXPECT_EQ(pool.requirements[1].op, Operator::kGte);
  EXPECT_EQ(pool.requirements[2].key, "kubernetes.io/arch") << "beta labels are normalised";
  EXPECT_EQ(pool.requirements[2].min_values, 1);
  EXPECT_EQ(pool.node_class, (NodeClassRef{"karpenter.k8s.aws", "EC2NodeClass", "gpu"}));
  EXPECT_EQ(pool.termination_grace, minutes(90));
  EXPECT_FALSE(pool.expire_after.has_value());
  EXPECT_EQ(pool.consolidation_policy, ConsolidationPolicy::kWhenEmpty);
  EXPECT_EQ(pool.consolidate_after, minutes(5));
  ASSERT_EQ(pool.budgets.size(), 2U);
  EXPECT_EQ(pool.budgets[0].nodes.value, 5);
  EXPECT_FALSE(pool.budgets[0].nodes.percent);
  EXPECT_EQ(pool.budgets[0].reasons, (std::vector<std::string>{"Empty", "Drifted"}));
  EXPECT_TRUE(pool.budgets[1].nodes.percent);
  EXPECT_EQ(pool.budgets[1].schedule, "0 9 * * mon-fri");
  EXPECT_EQ(pool.budgets[1].duration, hours(8));
  EXPECT_EQ(pool.limits.milli(kCpu), 1'000'000);
  EXPECT_EQ(pool.limits.milli(kNvidiaGpu), 32'000);
  EXPECT_EQ(pool.limits.milli(kMemory), 4'398'046'511'104'000);
  EXPECT_EQ(pool.weight, 10);
  EXPECT_EQ(warnings_of(kPool), "");
}

constexpr std::string_view kSmallPool = R"(apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: p}
spec:
  template:
    spec:
      requirements: []
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: c}
)";

TEST(NodePoolDecode, Defaults) {
  const auto pool = only<NodePool>(kSmallPool);
  EXPECT_EQ(pool.expire_after, hours(720));
  EXPECT_FALSE(pool.termination_grace.has_value());
  EXPECT_EQ(pool.consolidation_policy, ConsolidationPolicy::kWhenEmptyOrUnderutilized);
  EXPECT_EQ(pool.consolidate_after, Duration{});
  ASSERT_EQ(pool.budgets.size(), 1U);
  EXPECT_EQ(pool.budgets[0].nodes.value, 10);
  EXPECT_TRUE(pool.budgets[0].nodes.percent);
  EXPECT_EQ(pool.weight, 0);
  EXPECT_FALSE(pool.replicas.has_value());
  const auto unlimited = only<NodePool>(std::string(kSmallPool) + "  disruption: {budgets: []}\n");
  EXPECT_TRUE(unlimited.budgets.empty()) << "an explicit empty list is no budget at all";
}

TEST(NodePoolDecode, RefusesWhatKarpenterRefuses) {
  const std::vector<Refusal> cases{
      {"operator: Gte", "operator: Ge", "did you mean \"Gt\"?"},
      {"values: [\"1\"]", "values: [\"1\", \"2\"]", "Gte takes exactly one value"},
      {"values: [\"1\"]", "values: [\"-1\"]", "Gte takes exactly one value"},
      {"values: [\"1\"]", "values: [\"1.5\"]", "Gte takes exactly one value"},
      {"values: [\"1\"]", "values: [1]",
       "requirements[1].values[0]: found the number 1 (accepted: a string; put it in quotes)"},
      {"values: [amd64]", "values: []", "values: is empty"},
      {"values: [amd64], minValues: 1", "values: [amd64], minValues: 2",
       "is more than the 1 values"},
      {"minValues: 1", "minValues: 51", "a whole number from 1 to 50"},
      {"key: beta.kubernetes.io/arch", "key: karpenter.sh/nodepool", "is set by Karpenter itself"},
      {"key: beta.kubernetes.io/arch", "key: kubernetes.io/hostname", "no pool can set it"},
      {"key: beta.kubernetes.io/arch", "key: karpenter.sh/own", "in Karpenter's own domain"},
      {"key: beta.kubernetes.io/arch", "key: x.karpenter.k8s.aws/own", "in Karpenter's own domain"},
      {"key: beta.kubernetes.io/arch", "key: 'a b'", "requirements[2].key: found"},
      {"labels: {team: ml}", "labels: {karpenter.sh/nodepool: x}", "is set by Karpenter itself"},
      {"labels: {team: ml}", "labels: {team: 'a b'}", "labels.team: found the string \"a b\""},
      {"[spot, on-demand]", "[spto]", "unknown: spto (accepted: on-demand, spot, reserved)"},
      {"key: ready, value: \"no\"", "key: ready, value: \"no no\"", "startupTaints[0].value"},
      {"{key: ready, value: \"no\", effect: NoExecute}",
       "{key: nvidia.com/gpu, effect: NoSchedule}", "nvidia.com/gpu:NoSchedule is there twice"},
      {"effect: NoExecute", "effect: NoExec",
       "(accepted: NoSchedule, PreferNoSchedule, NoExecute)"},
      {"group: karpenter.k8s.aws", "group: karpenter.k8s.aws/v1", "holds a version"},
      {"group: karpenter.k8s.aws, ", "", "nodeClassRef.group: is missing"},
      {"name: gpu}", "name: ''}", "nodeClassRef.name: is empty"},
      {"expireAfter: Never", "expireAfter: never", "or Never"},
      {"expireAfter: Never", "expireAfter: 1.5h", "expireAfter: found the string \"1.5h\""},
      {"expireAfter: Never", "expireAfter: 10ms", "expireAfter: found"},
      {"terminationGracePeriod: 1h30m", "terminationGracePeriod: Never", "terminationGracePeriod"},
      {"consolidateAfter: 5m", "consolidateAfter: -5m", "consolidateAfter: found"},
      {"consolidateAfter: 5m", "consolidateAfter: 300", "consolidateAfter: found the number 300"},
      {"Policy: WhenEmpty", "Policy: WhenUnderutilized", "(accepted: WhenEmpty, WhenEmptyOrUnder"},
      {"nodes: \"5\"", "nodes: 5", "budgets[0].nodes: found the number 5 (accepted: a string"},
      {"nodes: \"0%\"", "nodes: \"101%\"", "budgets[1].nodes"},
      {"nodes: \"0%\"", "nodes: \"007%\"", "budgets[1].nodes"},
      {"nodes: \"0%\"", "nodes: \"-1\"", "budgets[1].nodes"},
      {"nodes: \"0%\"", "nodes: \"%\"", "budgets[1].nodes"},
      {"[Empty, Drifted]", "[Expired]", "budgets[0].reasons[0]: found \"Expired\""},
      {"        duration: 8h\n", "", "schedule and duration go together"},
      {"        schedule: \"0 9 * * mon-fri\"\n", "", "schedule and duration go together"},
      {"0 9 * * mon-fri", "0 9 * *", "five cron fields"},
      {"0 9 * * mon-fri", "@reboot", "five cron fields"},
      {"duration: 8h", "duration: 30s", "hours and minutes"},
      {"duration: 8h", "duration: 8h30s", "hours and minutes"},
      {"cpu: 1000", "cpu: -1", "limits.cpu: found -1 (accepted: 0 or more)"},
      {"cpu: 1000", "cpu: many", "limits.cpu: found the string \"many\""},
      {"nvidia.com/gpu: \"32\"", "nvidia.com/gpu: 32x", "limits[nvidia.com/gpu]: found"},
      {"weight: 10", "weight: 0", "a whole number from 1 to 100"},
      {"weight: 10", "weight: 101", "a whole number from 1 to 100"},
      {"weight: 10", "weight: 10\n  replicas: 2", "a pool with replicas takes no weight"},
      {"weight: 10", "replicas: 2", "takes a limit of nodes only, not cpu"},
      {"weight: 10", "replicas: -1", "a whole number of at least 0"},
      {"name: gpu\n", "name: GPU\n", "metadata.name: found the string \"GPU\""},
      {"  name: gpu\n", "  labels: {}\n", "metadata.name: is missing"},
  };
  for (const Refusal& c : cases) {
    const std::string errors = errors_of(with(kPool, c.from, c.to));
    EXPECT_NE(errors.find(c.error), std::string::npos) << c.to << " -> " << errors;
  }
}

TEST(NodePoolDecode, AcceptsTheEdges) {
  for (const auto& [from, to] : std::vector<std::pair<const char*, const char*>>{
           {"nodes: \"0%\"", "nodes: \"100%\""},
           {"duration: 8h", "duration: 8h0m0s"},
           {"duration: 8h", "duration: 90m"},
           {"0 9 * * mon-fri", "@daily"},
           {"weight: 10", "weight: 100"},
           {"consolidateAfter: 5m", "consolidateAfter: Never"},
           {"Policy: WhenEmpty", "Policy: Balanced"},
           {"key: beta.kubernetes.io/arch", "key: example.com/own"},
           {"weight: 10", "weight: 10.0"}}) {
    EXPECT_EQ(errors_of(with(kPool, from, to)), "") << to;
  }
}

TEST(NodePoolDecode, WarnsOfUnknownFieldsAndValues) {
  EXPECT_EQ(warnings_of(with(kPool, "consolidateAfter:", "consolidatAfter:")),
            "m.yaml:24: NodePool/gpu spec.disruption.consolidatAfter: unknown field; did you mean "
            "\"consolidateAfter\"?\n");
  EXPECT_EQ(warnings_of(with(kPool, "[spot, on-demand]", "[spot, ondemand]")),
            "m.yaml:16: NodePool/gpu spec.template.spec.requirements[0].values: unknown: ondemand "
            "(accepted: on-demand, spot, reserved)\n");
}

TEST(NodePoolDecode, ReadsStatus) {
  const auto pool = only<NodePool>(std::string(kSmallPool) + R"(status:
  nodes: 3
  resources: {cpu: "12"}
  conditions:
    - {type: Ready, status: "True", lastTransitionTime: 2026-03-01T00:00:00Z}
)");
  EXPECT_EQ(pool.status_nodes, 3);
  EXPECT_EQ(pool.status_resources.milli(kCpu), 12'000);
  ASSERT_EQ(pool.conditions.size(), 1U);
  EXPECT_TRUE(is_true(pool.conditions, "Ready"));
}

TEST(NodeClaimDecode, ReadsSpecAndStatus) {
  const auto claim = only<NodeClaim>(R"(apiVersion: karpenter.sh/v1
kind: NodeClaim
metadata:
  name: gpu-x
  labels:
    karpenter.sh/nodepool: gpu
    node.kubernetes.io/instance-type: g5.xlarge
    karpenter.sh/capacity-type: spot
    topology.kubernetes.io/zone: us-east-1a
  ownerReferences: [{apiVersion: karpenter.sh/v1, kind: NodePool, name: gpu, uid: u1}]
spec:
  nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: gpu}
  requirements: []
  resources: {requests: {cpu: 500m, nvidia.com/gpu: 1}}
  expireAfter: 24h
status:
  nodeName: n1
  providerID: aws:///us-east-1a/i-1
  capacity: {cpu: 4}
  allocatable: {cpu: 3920m}
  conditions: [{type: Launched, status: "True"}]
  lastPodEventTime: "2026-03-01T00:00:00Z"
)");
  EXPECT_EQ(claim.pool(), "gpu");
  EXPECT_EQ(claim.instance_type(), "g5.xlarge");
  EXPECT_EQ(claim.capacity_type(), "spot");
  EXPECT_EQ(claim.zone(), "us-east-1a");
  EXPECT_EQ(claim.requests.milli(kNvidiaGpu), 1000);
  EXPECT_EQ(claim.expire_after, hours(24));
  EXPECT_EQ(claim.allocatable.milli(kCpu), 3920);
  EXPECT_EQ(claim.provider_id, "aws:///us-east-1a/i-1");
  EXPECT_TRUE(is_true(claim.conditions, "Launched"));
  EXPECT_EQ(to_rfc3339(*claim.last_pod_event), "2026-03-01T00:00:00Z");
}

}  // namespace
}  // namespace windlass::api

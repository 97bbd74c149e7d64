#include <gtest/gtest.h>

#include "api/manifest_fixture.h"

namespace windlass::api {
namespace {

// Two manifests as they stand in other people's articles; both must be taken as they are.
constexpr std::string_view kFromArticles = R"(apiVersion: karpenter.sh/v1beta1
kind: NodePool
metadata:
  name: gpu-nodepool
spec:
  template:
    spec:
      requirements:
        - key: karpenter.k8s.aws/instance-gpu-count
          operator: Gt
          values: ["0"]
        - key: kubernetes.io/arch
          operator: In
          values: ["amd64"]
      nodeClassRef:
        apiVersion: karpenter.k8s.aws/v1beta1
        kind: EC2NodeClass
        name: gpu-node-class
  limits:
    nvidia.com/gpu: 32
  disruption:
    consolidationPolicy: WhenUnderutilized
    consolidateAfter: 5m
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: gpu-inference-scaler
  namespace: inference
spec:
  scaleTargetRef:
    name: vllm-inference
  minReplicaCount: 1
  maxReplicaCount: 8
  triggers:
    - type: prometheus
      metadata:
        serverAddress: http://prometheus:9090
        metricName: gpu_utilization_avg
        threshold: "70"
        query: avg(DCGM_FI_DEV_GPU_UTIL{namespace="inference"})
    - type: prometheus
      metadata:
        serverAddress: http://prometheus:9090
        metricName: job_queue_depth
        threshold: "5"
        query: sum(inference_queue_depth)
)";

TEST(Manifests, AcceptsTheArticlesWithWarnings) {
  const Manifests manifests = read_manifests(kFromArticles, "gpu.yaml");
  EXPECT_EQ(lines_of(manifests.errors), "");
  ASSERT_EQ(manifests.objects.size(), 2U);
  const auto& pool = std::get<NodePool>(manifests.objects[0]);
  EXPECT_EQ(pool.consolidation_policy, ConsolidationPolicy::kWhenEmptyOrUnderutilized);
  EXPECT_EQ(pool.consolidate_after, minutes(5));
  EXPECT_EQ(pool.limits.milli(kNvidiaGpu), 32'000);
  const auto& object = std::get<ScaledObject>(manifests.objects[1]);
  EXPECT_EQ(object.triggers.size(), 2U);
  EXPECT_EQ(object.triggers[0].metadata.at("query"),
            "avg(DCGM_FI_DEV_GPU_UTIL{namespace=\"inference\"})");
  EXPECT_EQ(lines_of(manifests.warnings),
            "gpu.yaml:23: NodePool/gpu-nodepool spec.disruption.consolidateAfter: consolidateAfter "
            "beside WhenUnderutilized is refused by Karpenter's own v1beta1; read with v1's "
            "meaning: how long a node must see no pod come or go before it is consolidated\n"
            "gpu.yaml:39: ScaledObject/gpu-inference-scaler spec.triggers[0].metadata.metricName: "
            "metricName is obsolete and ignored by KEDA\n"
            "gpu.yaml:45: ScaledObject/gpu-inference-scaler spec.triggers[1].metadata.metricName: "
            "metricName is obsolete and ignored by KEDA\n");
}

TEST(Manifests, WindowsLineBreaksChangeNothing) {
  std::string text;
  for (const char c : kFromArticles) {
    if (c == '\n') text += '\r';
    text += c;
  }
  const Manifests manifests = read_manifests(text, "gpu.yaml");
  EXPECT_EQ(lines_of(manifests.errors), "");
  EXPECT_EQ(manifests.objects.size(), 2U);
  EXPECT_EQ(lines_of(manifests.warnings),
            lines_of(read_manifests(kFromArticles, "gpu.yaml").warnings));
}

TEST(Manifests, NothingIsNoError) {
  for (const char* text : {"", "\n\n", "# a comment\n", "---\n---\n", "~\n", "\xEF\xBB\xBF"}) {
    const Manifests manifests = read_manifests(text, "m.yaml");
    EXPECT_TRUE(manifests.objects.empty() && manifests.errors.empty() && manifests.warnings.empty())
        << text;
  }
}

TEST(Manifests, WhatIsNoManifestIsSaid) {
  struct Case {
    const char* text;
    const char* errors;
  };
  for (const Case& c : std::vector<Case>{
           {"just text\n",
            "m.yaml:1: found the string \"just text\" (accepted: a map with "
            "apiVersion, kind and metadata)\n"},
           {"\n- a\n",
            "m.yaml:2: found a list (accepted: a map with apiVersion, kind and "
            "metadata)\n"},
           {"kind: Pod\n", "m.yaml:1: Pod apiVersion: is missing\n"},
           {"apiVersion: v1\nkind: 5\n",
            "m.yaml:2: kind: found the number 5 (accepted: a string; "
            "put it in quotes)\n"},
           {"apiVersion: v1\nkind: Pod\n",
            "m.yaml:1: Pod metadata: is missing\n"
            "m.yaml:1: Pod metadata.name: is missing\n"
            "m.yaml:1: Pod spec: is missing\n"},
           {"apiVersion: v1\nkind: Pod\nmetadata: x\nspec: 5\n",
            "m.yaml:3: Pod metadata: found the string \"x\" (accepted: a map)\n"
            "m.yaml:3: Pod metadata.name: is missing\n"
            "m.yaml:4: Pod spec: found the number 5 (accepted: a map)\n"
            "m.yaml:4: Pod spec.containers: is missing\n"},
           {"a: [\n", "m.yaml:2:1: end of sequence flow not found\n"},
           {"a:\n\tb: 1\n", "m.yaml:2:3: illegal map value\n"},
       }) {
    EXPECT_EQ(errors_of(c.text), c.errors) << c.text;
  }
}

TEST(Manifests, UnknownKindsAreSkippedWithAWarning) {
  const Manifests manifests = read_manifests(
      "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n---\n"
      "apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: d}\n---\n"
      "apiVersion: karpenter.sh/v1\nkind: NodePol\nmetadata: {name: p}\n",
      "m.yaml");
  EXPECT_TRUE(manifests.objects.empty());
  EXPECT_EQ(lines_of(manifests.errors), "");
  EXPECT_EQ(lines_of(manifests.warnings),
            "m.yaml:1: Service/s: Service of v1 is not a kind Windlass reads; skipped\n"
            "m.yaml:5: Deployment/d: Deployment of apps/v1beta1 is not a kind Windlass reads "
            "(accepted: apps/v1); skipped\n"
            "m.yaml:9: NodePol/p: NodePol of karpenter.sh/v1 is not a kind Windlass reads; did you "
            "mean NodePool?; skipped\n");
}

TEST(Manifests, ListsAreUnpacked) {
  const Manifests manifests = read_manifests(R"(apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Node, metadata: {name: a}}
- apiVersion: v1
  kind: Node
  metadata: {name: b}
  spec: {unschedulable: 1}
- {apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Node, metadata: {name: c}}]}
- 5
)",
                                             "m.yaml");
  ASSERT_EQ(manifests.objects.size(), 2U);
  EXPECT_EQ(meta_of(manifests.objects[1]).name, "c");
  EXPECT_EQ(lines_of(manifests.errors),
            "m.yaml:8: Node/b spec.unschedulable: found the number 1 (accepted: true or false, "
            "without quotes)\n"
            "m.yaml:10: found the number 5 (accepted: a map with apiVersion, kind and metadata)\n");
}

TEST(Manifests, OneBadDocumentDoesNotHideTheOthers) {
  const Manifests manifests = read_manifests(
      "{apiVersion: v1, kind: Node, metadata: {name: a}}\n---\n"
      "a: [\n---\n"
      "{apiVersion: v1, kind: Node, metadata: {name: B}}\n---\n"
      "{apiVersion: v1, kind: Node, metadata: {name: c}}\n",
      "m.yaml");
  EXPECT_EQ(manifests.objects.size(), 2U);
  EXPECT_EQ(manifests.errors.size(), 2U) << lines_of(manifests.errors);
  EXPECT_EQ(manifests.errors[1].place, "m.yaml:5: Node/B metadata.name");
}

TEST(Manifests, OfTwoWithOneNameTheLaterStays) {
  const Manifests manifests = read_manifests(
      "{apiVersion: v1, kind: Node, metadata: {name: a}}\n---\n"
      "{apiVersion: v1, kind: Node, metadata: {name: b}}\n---\n"
      "{apiVersion: v1, kind: Node, metadata: {name: a}, spec: {unschedulable: true}}\n",
      "m.yaml");
  ASSERT_EQ(manifests.objects.size(), 2U);
  EXPECT_TRUE(std::get<Node>(manifests.objects[0]).unschedulable);
  EXPECT_EQ(lines_of(manifests.warnings),
            "m.yaml:5: Node/a: takes the place of the one in line 1\n");
}

TEST(Manifests, JsonIsReadToo) {
  const auto node = only<Node>(
      "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Node\",\n"
      "\t\"metadata\": {\"name\": \"a\"}\n}\n");
  EXPECT_EQ(node.meta.name, "a");
}

TEST(Manifests, ManyFindingsAreCutShort) {
  std::string text = "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: p}\nspec:\n";
  for (int i = 0; i < 50'000; ++i) text += "  unknown" + std::to_string(i) + ": 1\n";
  const Manifests manifests = read_manifests(text, "m.yaml");
  ASSERT_EQ(manifests.warnings.size(), 201U);
  EXPECT_EQ(manifests.warnings.back().text, "and 49800 more");
}

TEST(Manifests, HugeAndOddValuesAreRefusedNotFollowed) {
  const auto pool = [](std::string_view limits) {
    return errors_of(
        "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: p}\nspec:\n"
        "  template: {spec: {nodeClassRef: {group: g, kind: K, name: nc}}}\n"
        "  limits: {cpu: " +
        std::string(limits) + "}\n");
  };
  EXPECT_EQ(pool("1e30"), "") << "saturates";
  EXPECT_EQ(pool("99999999999999999999"), "");
  EXPECT_EQ(pool("1e999"), "") << "saturates, as apimachinery does";
  EXPECT_NE(pool(".nan"), "");
  EXPECT_NE(pool("NaN"), "");
  EXPECT_NE(pool("true"), "");
  EXPECT_NE(pool("[1]"), "");
  EXPECT_NE(pool(""), "") << "a limit that says nothing";
}

TEST(Decode, OneObjectOrAllItsErrors) {
  const Json good = *parse_json(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"a"}})");
  EXPECT_EQ(kind_of(*decode(good)), "Node");
  EXPECT_EQ(decode(*parse_json(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"A"},
                                   "spec":{"unschedulable":5}})"))
                .error()
                .message(),
            "metadata.name: found the string \"A\" (accepted: lower-case letters, digits, '-' and "
            "'.', starting and ending with a letter or digit); spec.unschedulable: found the "
            "number 5 (accepted: true or false, without quotes)");
  EXPECT_EQ(decode(*parse_json(R"({"apiVersion":"v1","kind":"Service"})")).error().message(),
            "Service of v1 is not a kind Windlass reads");
  EXPECT_FALSE(decode(*parse_json("[]")).ok());
  EXPECT_FALSE(decode(Json()).ok());
}

}  // namespace
}  // namespace windlass::api

#include "lint/lint.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

namespace windlass::lint {
namespace {

const catalog::Catalog& stock() {
  static const catalog::Catalog catalog = [] {
    catalog::CatalogOptions options;
    options.spot_default_fraction = 0.5;
    return catalog::built_in(options);
  }();
  return catalog;
}

std::vector<Finding> findings_of(const std::string& text) {
  return lint({{"m.yaml", text}}, stock());
}

bool has(const std::vector<Finding>& findings, std::string_view id) {
  return std::ranges::find(findings, id, &Finding::id) != findings.end();
}

std::string lines_of(const std::vector<Finding>& findings) {
  std::string out;
  for (const Finding& f : findings) {
    out += std::string(f.id) + " " + f.place + ": " + f.what + "\n";
  }
  return out;
}

// Pieces of manifests; each is a document.
std::string pool(const std::string& requirements, const std::string& more = "",
                 const std::string& template_more = "", const std::string& name = "gpu") {
  return "---\napiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: " + name +
         "}\nspec:\n  template: {spec: {requirements: [" + requirements +
         "], nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: nc}" +
         template_more + "}}\n" + more;
}
const std::string kG5 = "{key: karpenter.k8s.aws/instance-family, operator: In, values: [g5]}";
const std::string kC5 = "{key: karpenter.k8s.aws/instance-family, operator: In, values: [c5]}";
const std::string kTaint = ", taints: [{key: nvidia.com/gpu, effect: NoSchedule}]";
const std::string kLate = "  disruption: {consolidateAfter: 10m}\n";

std::string node_class(const std::string& name = "nc") {
  return "---\napiVersion: karpenter.k8s.aws/v1\nkind: EC2NodeClass\nmetadata: {name: " + name +
         "}\nspec: {amiSelectorTerms: [{alias: al2023@latest}], role: r, subnetSelectorTerms: "
         "[{id: s}], securityGroupSelectorTerms: [{id: g}]}\n";
}

std::string deployment(const std::string& resources, const std::string& pod_more = "",
                       const std::string& meta_more = "", const std::string& image = "img") {
  return "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  replicas: 2\n"
         "  selector: {matchLabels: {a: b}}\n  template: {metadata: {labels: {a: b}" +
         meta_more + "}, spec: {containers: [{name: c, image: '" + image +
         "', resources: {limits: {" + resources + "}}}]" + pod_more + "}}\n";
}
const std::string kOneGpu = "cpu: 1, nvidia.com/gpu: 1";
const std::string kTolerates = ", tolerations: [{key: nvidia.com/gpu, operator: Exists}]";

std::string scaled(const std::string& triggers, const std::string& more = "") {
  return "---\napiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: s}\nspec:\n"
         "  scaleTargetRef: {name: d}\n  triggers: [" +
         triggers + "]\n" + more;
}
std::string prometheus(const std::string& query, const std::string& threshold = "5",
                       const std::string& metadata_more = "", const std::string& more = "") {
  return "{type: prometheus, metadata: {serverAddress: 'http://p', query: '" + query +
         "', threshold: '" + threshold + "'" + metadata_more + "}" + more + "}";
}
const std::string kQueue = "sum(inference_queue_depth)";
const std::string kMin = "  minReplicaCount: 1\n";

std::string budget(const std::string& spec) {
  return "---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b}\nspec: "
         "{selector: {matchLabels: {a: b}}, " +
         spec + "}\n";
}
std::string hpa(const std::string& annotations = "") {
  return "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: h" +
         annotations +
         "}\nspec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: d},"
         " maxReplicas: 3}\n";
}
std::string histogram(const std::string& metric) {
  return "histogram_quantile(0.95, sum by (le) (rate(" + metric + "[5m])))";
}

struct Case {
  std::string_view id;
  std::string bad;   // brings a finding of the rule
  std::string good;  // the same thing done right
};

std::vector<Case> reading_cases() {
  const std::string v1beta1 =
      "apiVersion: karpenter.sh/v1beta1\nkind: NodePool\nmetadata: {name: p}\nspec:\n  template: "
      "{spec: {nodeClassRef: {name: nc}}}\n  disruption: {consolidationPolicy: WhenUnderutilized, ";
  return {
      {"manifest-invalid", scaled(prometheus(kQueue), "  maxReplicaCount: 0\n"),
       scaled(prometheus(kQueue), "  maxReplicaCount: 1\n")},
      {"manifest-note", scaled(prometheus(kQueue), "  minReplicaCount: 1\n  cooldownPeriod: 5\n"),
       scaled(prometheus(kQueue), "  minReplicaCount: 0\n  cooldownPeriod: 5\n")},
      {"unknown-field", scaled(prometheus(kQueue), "  minReplicas: 1\n"),
       scaled(prometheus(kQueue), kMin)},
      {"kind-not-read", "{apiVersion: v1, kind: Service, metadata: {name: s}}",
       "{apiVersion: v1, kind: Namespace, metadata: {name: s}}"},
      {"name-twice", deployment(kOneGpu) + deployment(kOneGpu), deployment(kOneGpu)},
      {"api-removed", v1beta1 + "consolidateAfter: Never}\n", pool(kG5)},
      {"consolidate-after-v1beta1", v1beta1 + "consolidateAfter: 5m}\n",
       v1beta1 + "consolidateAfter: Never}\n"},
  };
}

std::vector<Case> trigger_cases() {
  const std::string util = "avg(DCGM_FI_DEV_GPU_UTIL)";
  const std::string e2e = histogram("vllm:e2e_request_latency_seconds_bucket");
  return {
      // ceil(100 / 70) = 2 of 100; at a threshold of 1 all 100 can be asked for.
      {"average-capped", scaled(prometheus(util, "70")), scaled(prometheus(util, "1"))},
      {"average-capped", scaled(prometheus("max(vllm:gpu_cache_usage_perc)", "0.8")),
       scaled(prometheus("sum(vllm:gpu_cache_usage_perc)", "0.8"))},
      {"average-capped", scaled(prometheus(util, "70")),
       scaled(prometheus(util, "70", "", ", metricType: Value"))},
      {"average-under-average-value", scaled(prometheus("avg(inference_queue_depth)")),
       scaled(prometheus(kQueue))},
      {"average-under-average-value", scaled(prometheus("100 * avg(x)")),
       scaled(prometheus("avg(x) / avg(y)"))},
      {"sum-under-value", scaled(prometheus(kQueue, "5", "", ", metricType: Value")),
       scaled(prometheus("max(x)", "5", "", ", metricType: Value"))},
      {"query-many-series", scaled(prometheus("inference_queue_depth")),
       scaled(prometheus(kQueue))},
      {"query-many-series", scaled(prometheus("sum by (pod) (x)")),
       scaled(prometheus("sum by () (x)"))},
      {"query-many-series", scaled(prometheus("rate(x[5m])")), scaled(prometheus("vector(1)"))},
      {"trigger-invalid", scaled(prometheus(kQueue, "many")), scaled(prometheus(kQueue))},
      {"trigger-invalid", scaled("{type: prometheus, metadata: {query: up, threshold: '1'}}"),
       scaled("{type: prometheus, metadata: {query: up, threshold: '1', serverAddressFromEnv: "
              "PROM}}")},
      {"trigger-metadata-ignored", scaled(prometheus(kQueue, "5", ", metricName: x")),
       scaled(prometheus(kQueue))},
      {"trigger-metadata-ignored", scaled(prometheus(kQueue, "5", ", treshold: '7'")),
       scaled(prometheus(kQueue, "5", ", unsafeSsl: 'true'"))},
      {"trigger-not-evaluated", scaled("{type: kafka, metadata: {topic: t}}"),
       scaled("{type: cpu, metricType: Utilization, metadata: {value: '60'}}", kMin)},
      {"null-is-zero", scaled(prometheus(kQueue)),
       scaled(prometheus(kQueue, "5", ", ignoreNullValues: 'false'"))},
      {"no-fallback", scaled(prometheus(kQueue)),
       scaled(prometheus(kQueue), "  fallback: {failureThreshold: 3, replicas: 2}\n")},
      {"activation-above-threshold", scaled(prometheus(kQueue, "5", ", activationThreshold: '50'")),
       scaled(prometheus(kQueue, "5", ", activationThreshold: '2'"))},
      {"zero-without-wake", scaled(prometheus("sum(vllm:num_requests_waiting)")),
       scaled(prometheus("sum(vllm:num_requests_waiting)"), kMin)},
      {"zero-without-wake", scaled(prometheus("sum(vllm:num_requests_waiting)")),
       scaled(prometheus("sum(vllm:num_requests_waiting)") + ", " + prometheus(kQueue))},
      // gpu_inference.md 4: 0.45 s lies in (0.3, 0.5], 0.5 s is a bound.
      {"histogram-coarse", scaled(prometheus(e2e, "0.45")), scaled(prometheus(e2e, "0.5"))},
      {"histogram-coarse", scaled(prometheus("1000 * " + e2e, "450")),
       scaled(prometheus("1000 * " + e2e, "500"))},
      {"gpu-utilization-signal", scaled(prometheus(util, "1")), scaled(prometheus(kQueue))},
  };
}

std::vector<Case> autoscaler_cases() {
  const std::string object = deployment(kOneGpu) + scaled(prometheus(kQueue));
  return {
      {"two-autoscalers", object + hpa(),
       object + hpa(", annotations: {validations.keda.sh/hpa-ownership: 'false'}")},
      {"target-missing", scaled(prometheus(kQueue)), object},
      {"idle-count-not-zero",
       scaled(prometheus(kQueue), "  idleReplicaCount: 1\n  minReplicaCount: 2\n"),
       scaled(prometheus(kQueue), "  idleReplicaCount: 0\n  minReplicaCount: 2\n")},
      {"max-unset", scaled(prometheus(kQueue)),
       scaled(prometheus(kQueue), "  maxReplicaCount: 8\n")},
  };
}

std::vector<Case> pool_cases() {
  return {
      {"consolidate-after-short", pool(kG5, "  disruption: {consolidateAfter: 5m}\n"),
       pool(kG5, kLate)},
      {"consolidate-after-short", pool(kG5), pool(kC5)},
      {"consolidate-after-short", pool(kG5),
       pool(kG5, "  disruption: {consolidationPolicy: WhenEmpty, consolidateAfter: 1m}\n")},
      {"gpu-taint-missing", pool(kG5), pool(kG5, "", kTaint)},
      {"gpu-taint-missing", pool(kG5), pool(kC5)},
      {"node-class-missing", pool(kG5), pool(kG5) + node_class()},
      {"requirements-unmet",
       pool("{key: karpenter.k8s.aws/instance-family, operator: In, values: [g55]}"), pool(kG5)},
      // Zones of another region are no fault.
      {"requirements-unmet",
       pool(kG5 + ", {key: kubernetes.io/arch, operator: In, values: [arm64]}"),
       pool(kG5 + ", {key: topology.kubernetes.io/zone, operator: In, values: [eu-west-1a]}")},
      {"limits-below-max",
       pool(kG5, "  limits: {nvidia.com/gpu: 4}\n") + deployment(kOneGpu) +
           scaled(prometheus(kQueue), "  maxReplicaCount: 8\n"),
       pool(kG5, "  limits: {nvidia.com/gpu: 8}\n") + deployment(kOneGpu) +
           scaled(prometheus(kQueue), "  maxReplicaCount: 8\n")},
  };
}

std::vector<Case> pod_cases() {
  const std::string spot =
      kG5 + ", {key: karpenter.sh/capacity-type, operator: In, values: [spot]}";
  const std::string held = ", annotations: {karpenter.sh/do-not-disrupt: 'true'}";
  const std::string any_gpu =
      "{key: karpenter.k8s.aws/instance-gpu-count, operator: Gt, values: ['0']}";
  return {
      {"requests-above-allocatable", deployment("cpu: 1, nvidia.com/gpu: 64"),
       deployment("cpu: 1, nvidia.com/gpu: 8")},
      {"requests-above-allocatable", deployment("cpu: 1, memory: 90Ti"),
       deployment("cpu: 1, example.com/fpga: 64")},
      // g5 has up to 8 GPUs a node; 16 are only in other families.
      {"gpu-unmet", pool(kC5) + deployment(kOneGpu), pool(kG5) + deployment(kOneGpu)},
      {"gpu-toleration-missing", pool(kG5, "", kTaint) + deployment(kOneGpu),
       pool(kG5, "", kTaint) + deployment(kOneGpu, kTolerates)},
      {"fits-no-pool", pool(kC5) + deployment("cpu: 1", ", nodeSelector: {team: x}"),
       pool(kC5) + deployment("cpu: 1")},
      {"gpu-too-old", pool(any_gpu) + deployment(kOneGpu, "", "", "vllm/vllm-openai:latest"),
       pool(kG5) + deployment(kOneGpu, "", "", "vllm/vllm-openai:latest")},
      {"gpu-too-old", pool(any_gpu) + deployment(kOneGpu, "", "", "vllm/vllm-openai:v0.11.0"),
       pool(any_gpu) + deployment(kOneGpu, "", "", "vllm/vllm-openai:v0.6.3")},
      {"spot-only-do-not-disrupt", pool(spot) + deployment(kOneGpu, "", held),
       pool(kG5) + deployment(kOneGpu, "", held)},
      {"do-not-disrupt-ignored",
       deployment(kOneGpu, "", ", annotations: {karpenter.sh/do-not-disrupt: 'yes'}"),
       deployment(kOneGpu, "", ", annotations: {karpenter.sh/do-not-disrupt: 2h}")},
      {"pdb-blocks-drain", budget("maxUnavailable: 0"), budget("maxUnavailable: 1")},
      {"pdb-blocks-drain", budget("minAvailable: 100%"), budget("minAvailable: 50%")},
      {"pdb-blocks-drain", deployment(kOneGpu) + budget("minAvailable: 2"),
       deployment(kOneGpu) + budget("minAvailable: 1")},
      // At its minimum of 1 the scaled Deployment has nothing to spare.
      {"pdb-blocks-drain",
       deployment(kOneGpu) + scaled(prometheus(kQueue), kMin) + budget("minAvailable: 1"),
       deployment(kOneGpu) + scaled(prometheus(kQueue), "  minReplicaCount: 2\n") +
           budget("minAvailable: 1")},
  };
}

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (const auto& family :
       {reading_cases(), trigger_cases(), autoscaler_cases(), pool_cases(), pod_cases()}) {
    all.insert(all.end(), family.begin(), family.end());
  }
  return all;
}

TEST(Lint, EachRuleFindsItsTrapAndNothingElse) {
  for (const Case& c : all_cases()) {
    const auto bad = findings_of(c.bad);
    EXPECT_TRUE(has(bad, c.id)) << c.id << "\n" << c.bad << lines_of(bad);
    const auto good = findings_of(c.good);
    EXPECT_FALSE(has(good, c.id)) << c.id << "\n" << c.good << lines_of(good);
    for (const Finding& finding : bad) {
      EXPECT_EQ(finding.severity, rule(finding.id).severity);
      EXPECT_FALSE(finding.what.empty() || finding.fix.empty()) << finding.id;
      EXPECT_TRUE(finding.place.starts_with("m.yaml:")) << finding.place;
    }
  }
}

TEST(Lint, EveryRuleHasACase) {
  std::set<std::string_view> tried;
  const auto cases = all_cases();
  for (const Case& c : cases) tried.insert(c.id);
  for (const Rule& r : rules()) EXPECT_TRUE(tried.contains(r.id)) << r.id;
}

TEST(Lint, DocsListEveryRuleAndNoOther) {
  std::ifstream file("docs/lint.md");
  ASSERT_TRUE(file) << "docs/lint.md";
  std::vector<std::pair<std::string, std::string>> listed;  // "### `id` (severity)"
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("### `")) continue;
    const size_t end = line.find('`', 5);
    const size_t open = line.find('(', end);
    ASSERT_NE(open, std::string::npos) << line;
    listed.emplace_back(line.substr(5, end - 5), line.substr(open + 1, line.size() - open - 2));
  }
  std::vector<std::pair<std::string, std::string>> table;
  for (const Rule& r : rules()) table.emplace_back(r.id, to_string(r.severity));
  EXPECT_EQ(listed, table);
}

// gpu_inference.md 0: what a careful reader finds in the published account's manifests.
TEST(Lint, ThePublishedAccount) {
  std::vector<File> files;
  for (const char* name : {"account.yaml", "platform.yaml"}) {
    std::ifstream file(std::string("examples/blog/manifests/") + name);
    ASSERT_TRUE(file) << name;
    std::stringstream text;
    text << file.rdbuf();
    files.push_back({name, text.str()});
  }
  const auto findings = lint(files, stock());
  std::vector<std::string> got;
  for (const Finding& f : findings) {
    got.push_back(std::string(f.id) + " " + f.place.substr(0, f.place.find(": ")));
  }
  EXPECT_EQ(got, (std::vector<std::string>{
                     "api-removed account.yaml:1", "gpu-taint-missing account.yaml:7",
                     "consolidate-after-short account.yaml:23",
                     "consolidate-after-v1beta1 account.yaml:23", "no-fallback account.yaml:30",
                     "null-is-zero account.yaml:37", "trigger-metadata-ignored account.yaml:39",
                     "average-capped account.yaml:41", "gpu-utilization-signal account.yaml:41",
                     "null-is-zero account.yaml:43", "trigger-metadata-ignored account.yaml:45",
                     "gpu-too-old platform.yaml:41"}));
  const auto capped = std::ranges::find(findings, "average-capped", &Finding::id);
  EXPECT_NE(capped->what.find("ceil(100 / 70) = 2 of the 8 replicas"), std::string::npos);
}

TEST(Lint, FilesAreLookedAtTogether) {
  const auto both =
      lint({{"a.yaml", scaled(prometheus(kQueue))}, {"b.yaml", deployment(kOneGpu)}}, stock());
  EXPECT_FALSE(has(both, "target-missing"));
  const auto twice =
      lint({{"a.yaml", deployment(kOneGpu)}, {"b.yaml", deployment(kOneGpu)}}, stock());
  ASSERT_TRUE(has(twice, "name-twice"));
  EXPECT_EQ(twice.front().place, "b.yaml:2: Deployment/d");
}

TEST(Lint, PlacesWithinLists) {
  const auto findings = findings_of(
      "apiVersion: v1\nkind: List\nitems:\n- apiVersion: policy/v1\n  kind: PodDisruptionBudget\n"
      "  metadata: {name: b}\n  spec:\n    maxUnavailable: 0\n    selector: {}\n");
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].place, "m.yaml:7: PodDisruptionBudget/b spec");
}

TEST(Lint, OddInputIsAFindingOrNothing) {
  for (const char* text :
       {"", "\n---\n---\n", "a: [", "just text", "{kind: List, items: {}}", "\xff\xfe", "- 1",
        "{apiVersion: v1, kind: List, items: [1, null, [], {kind: List, items: [{}]}]}",
        "{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: s}, spec: "
        "{scaleTargetRef: {name: t}, triggers: [{type: prometheus, metadata: {query: '((((', "
        "threshold: '1e999', serverAddress: x}}]}}"}) {
    for (const Finding& f : findings_of(text)) EXPECT_FALSE(f.place.empty()) << text;
  }
  const std::string deep(100'000, '(');
  (void)findings_of(scaled(prometheus(deep)));
}

}  // namespace
}  // namespace windlass::lint

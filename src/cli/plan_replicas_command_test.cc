#include "cli/plan_replicas_command.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/plan_replicas_vectors.h"

namespace windlass::cli {
namespace {

namespace fs = std::filesystem;

std::string write(const std::string& name, const std::string& text) {
  const fs::path path = fs::path(testing::TempDir()) / ("plan_replicas_" + name);
  std::ofstream(path) << text;
  return path.string();
}

Result<Json> plan_of(const std::string& manifests, const std::string& readings) {
  std::vector<std::string> warnings;
  return plan_replicas({{write("m.yaml", manifests)}, write("r.yaml", readings), {}, "json"},
                       warnings);
}
std::string error_of(const std::string& manifests, const std::string& readings) {
  const auto plan = plan_of(manifests, readings);
  return plan.ok() ? "" : plan.error().message();
}
std::vector<int> replicas_of(const Json& plan, const char* field = "replicas") {
  std::vector<int> out;
  for (const Json& step : plan["steps"]) out.push_back(step[field].get<int>());
  return out;
}

constexpr const char* kObject = R"(
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: llm, namespace: dev}
spec:
  scaleTargetRef: {name: llm}
  maxReplicaCount: 20
  triggers:
  - type: prometheus
    name: queue
    metadata: {serverAddress: http://p, query: q, threshold: "5"}
)";
constexpr const char* kHpa = R"(
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: dev}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 1
  maxReplicas: 10
  metrics:
  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}
)";
constexpr const char* kJob = R"(
apiVersion: keda.sh/v1alpha1
kind: ScaledJob
metadata: {name: batch, namespace: dev}
spec:
  jobTargetRef: {template: {spec: {containers: [{name: c, image: i}]}}}
  maxReplicaCount: 10
  scalingStrategy: {strategy: accurate}
  triggers:
  - {type: prometheus, metadata: {serverAddress: http://p, query: q, threshold: "1"}}
)";

TEST(PlanReplicas, ScaledObjectRampsFromZeroAndBack) {
  const auto plan = plan_of(kObject, R"(
replicas: 0
steps:
- {time: 0s, readings: {queue: 0}}
- {time: 30s, readings: {queue: 42}, hold: 45s}
- {time: 400s, readings: {queue: 42}}
- {time: 800s, readings: {queue: 0}}
)");
  ASSERT_TRUE(plan.ok()) << plan.error().message();
  EXPECT_EQ(replicas_of(*plan), (std::vector<int>{0, 1, 4, 8, 9, 9, 0}));
  EXPECT_EQ((*plan)["steps"][2]["limited_by"], "ScaleUpLimit");
  EXPECT_EQ((*plan)["status"]["externalMetricNames"], Json::array({"s0-prometheus"}));
  EXPECT_NE(plan_replicas_table(*plan).find("42/5"), std::string::npos);
}

TEST(PlanReplicas, HpaOfPods) {
  const auto plan = plan_of(kHpa, R"(
replicas: 3
requests: {cpu: "1"}
steps:
- {time: 0s, readings: {cpu: [1, 1, null]}}
- {time: 15s, readings: {cpu: {error: HTTP 500}}}
- {time: 30s, readings: {cpu: [100m]}, replicas: 2, pods: [{}, {phase: Pending}]}
)");
  ASSERT_TRUE(plan.ok()) << plan.error().message();
  // 66 % of 50 on three pods; nothing known; the window holds.
  EXPECT_EQ(replicas_of(*plan), (std::vector<int>{4, 4, 4}));
  EXPECT_EQ((*plan)["steps"][1]["limited_by"], "FailedGetResourceMetric");
}

TEST(PlanReplicas, ScaledJobCreatesJobs) {
  const auto plan = plan_of(kJob, R"(
steps:
- {time: 0s, readings: {s0: 4}}
- {time: 30s, readings: {s0: 4}, jobs: {running: 4, pending: 1}}
- {time: 60s, readings: {s0: 9}}
)");
  ASSERT_TRUE(plan.ok()) << plan.error().message();
  EXPECT_EQ(replicas_of(*plan, "create"), (std::vector<int>{4, 3, 3}));
}

TEST(PlanReplicas, ErrorsNameThePlace) {
  const std::pair<const char*, const char*> table[] = {
      {"steps: []", "steps: is missing or empty"},
      {"[]", "the file: found [] (accepted: a map)"},
      {"steps: [{time: 0s, reading: {}}]", "steps[0].reading: no such field (accepted: time, hold"},
      {"steps: [{readings: {queue: 1}}]", "steps[0]: has no time"},
      {"steps: [{time: soon}]", "steps[0].time: found \"soon\""},
      {"steps: [{time: 5s}, {time: 5s}]", "steps[1].time: is not after the step before"},
      {"steps: [{time: 0s, readings: {queue: many}}]", "steps[0].readings.queue: found \"many\""},
      {"steps: [{time: 0s, readings: {queue: {age: 5s}}}]", "has neither value nor error"},
      {"steps: [{time: 0s, readings: {quue: 1}}]",
       "steps[0].readings.quue: no such trigger or metric (accepted: queue, s0, s0-prometheus)"},
      {"steps: [{time: 0s, replicas: -1}]", "steps[0].replicas: found -1"},
      {"steps: [{time: 0s, pods: {ready: 1000000}}]", "steps[0].pods: more than 100000 pods"},
      {"steps: [{time: 0s, pods: [{phase: Lost}]}]", "steps[0].pods[0].phase: accepted: Pending"},
  };
  for (const auto& [readings, message] : table) {
    const std::string error = error_of(kObject, readings);
    EXPECT_NE(error.find(message), std::string::npos) << readings << ": " << error;
  }
  EXPECT_NE(error_of(std::string(kObject) + "---" + kHpa, "steps: [{time: 0s}]")
                .find("hold ScaledObject/dev/llm, HorizontalPodAutoscaler/dev/web (accepted: one"),
            std::string::npos);
  EXPECT_NE(error_of(kHpa, "steps: [{time: 0s, readings: {cpu: [1, 1]}}]")
                .find("steps[0]: readings.cpu: 2 samples for 1 pods"),
            std::string::npos);
}

TEST(PlanReplicas, TheExampleWorks) {
  std::vector<std::string> warnings;
  const auto plan = plan_replicas(
      {{"examples/plan/scaledobject.yaml"}, "examples/plan/readings.yaml", {}, "table"}, warnings);
  ASSERT_TRUE(plan.ok()) << plan.error().message();
  EXPECT_EQ((*plan)["steps"].back()["replicas"], 0);
}

// Every recorded vector, as the command replays it.
TEST(PlanReplicasVectors, AgreeWithTheRealController) {
  const fs::path directory = "../shared/vectors/hpa";
  if (!fs::is_directory(directory)) GTEST_SKIP() << directory << " is not here";
  int compared = 0;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream stream(entry.path());
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    const auto json = parse_json(text);
    ASSERT_TRUE(json.ok());
    const auto replayed = replay_vectors(*json, entry.path().string());
    ASSERT_TRUE(replayed.ok()) << replayed.error().message();
    for (size_t i = 0; i < replayed->size(); ++i) {
      const Json& vector = (*json)["vectors"][i];
      const Json& got = (*replayed)[i];
      // From Kubernetes 1.37 a minimum of 0 is taken.
      if (!vector["accepted"].get<bool>()) {
        EXPECT_EQ(got.contains("refused"), vector["id"] != "rj-min0") << vector["id"];
        continue;
      }
      Json expected = Json::array();
      for (const Json& step : vector["steps"])
        expected.push_back(step["observed"]["replica_values"]);
      if (vector["later_releases"]["differ"].get<bool>()) {
        expected = vector["later_releases"]["derived_replica_values"];
      }
      EXPECT_EQ(got["values"], expected) << vector["id"];
      ++compared;
    }
  }
  EXPECT_GT(compared, 50);
}

TEST(PlanReplicasVectors, BadFilesAreErrors) {
  for (const char* text : {"[]", "{}", R"({"vectors": {}})", R"({"vectors": [1]})",
                           R"({"vectors": [{}]})", R"({"vectors": [{"id": 5, "spec": {}}]})"}) {
    EXPECT_FALSE(replay_vectors(*parse_json(text), "v.json").ok()) << text;
  }
}

}  // namespace
}  // namespace windlass::cli

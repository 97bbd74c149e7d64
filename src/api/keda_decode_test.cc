#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "api/decode.h"
#include "api/manifest_fixture.h"

namespace windlass::api {
namespace {

constexpr std::string_view kObject = R"(apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: chat
  namespace: inference
spec:
  scaleTargetRef: {name: vllm, kind: StatefulSet, apiVersion: apps/v1}
  pollingInterval: 10
  cooldownPeriod: 120
  initialCooldownPeriod: 60
  idleReplicaCount: 0
  minReplicaCount: 1
  maxReplicaCount: 8
  triggers:
    - type: prometheus
      name: queue
      metadata: {serverAddress: "http://p:9090", threshold: "5", query: up}
      metricType: Value
      useCachedMetrics: true
    - type: cron
      metadata: {timezone: UTC, start: 0 8 * * *, end: 0 18 * * *, desiredReplicas: "3"}
  fallback: {failureThreshold: 3, replicas: 2, behavior: currentReplicasIfHigher}
  advanced:
    horizontalPodAutoscalerConfig:
      name: own
      behavior:
        scaleUp:
          stabilizationWindowSeconds: 0
          selectPolicy: Min
          policies:
            - {type: Pods, value: 4, periodSeconds: 15}
            - {type: Percent, value: 100, periodSeconds: 60}
        scaleDown: {tolerance: 50m}
)";

TEST(ScaledObjectDecode, ReadsEveryField) {
  const auto object = only<ScaledObject>(kObject);
  EXPECT_EQ(object.meta.key(), "inference/chat");
  EXPECT_EQ(object.target_name, "vllm");
  EXPECT_EQ(object.target_kind, "StatefulSet");
  EXPECT_EQ(object.polling_interval, seconds(10));
  EXPECT_EQ(object.cooldown, seconds(120));
  EXPECT_EQ(object.initial_cooldown, seconds(60));
  EXPECT_EQ(object.idle_replicas, 0);
  EXPECT_EQ(object.min(), 1);
  EXPECT_EQ(object.max(), 8);
  ASSERT_EQ(object.triggers.size(), 2U);
  EXPECT_EQ(object.triggers[0].name, "queue");
  EXPECT_EQ(object.triggers[0].metric_type, MetricTargetType::kValue);
  EXPECT_TRUE(object.triggers[0].use_cached_metrics);
  EXPECT_EQ(object.triggers[1].metadata.at("start"), "0 8 * * *");
  EXPECT_EQ(object.triggers[1].metric_type, MetricTargetType::kAverageValue);
  EXPECT_EQ(object.fallback->replicas, 2);
  EXPECT_EQ(object.fallback->failure_threshold, 3);
  EXPECT_EQ(object.fallback->behavior, FallbackBehavior::kCurrentReplicasIfHigher);
  const ScalingRules& up = *object.behavior->scale_up;
  EXPECT_EQ(up.stabilization_window, Duration{});
  EXPECT_EQ(up.select, SelectPolicy::kMin);
  ASSERT_EQ(up.policies.size(), 2U);
  EXPECT_EQ(up.policies[1].type, ScalingPolicy::Type::kPercent);
  EXPECT_EQ(up.policies[1].period, seconds(60));
  const ScalingRules& down = *object.behavior->scale_down;
  EXPECT_FALSE(down.stabilization_window.has_value()) << "absent stays absent";
  EXPECT_TRUE(down.policies.empty());
  EXPECT_EQ(down.tolerance->milli(), 50);
  EXPECT_EQ(warnings_of(kObject), "");
}

constexpr std::string_view kSmall = R"(apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: s}
spec:
  scaleTargetRef: {name: t}
  triggers:
    - {type: prometheus, metadata: {query: up}}
)";

TEST(ScaledObjectDecode, Defaults) {
  const auto object = only<ScaledObject>(kSmall);
  EXPECT_EQ(object.meta.namespace_name, "default");
  EXPECT_EQ(object.target_kind, "Deployment");
  EXPECT_EQ(object.target_api_version, "apps/v1");
  EXPECT_EQ(object.polling_interval, seconds(30));
  EXPECT_EQ(object.cooldown, seconds(300));
  EXPECT_EQ(object.initial_cooldown, Duration{});
  EXPECT_FALSE(object.idle_replicas || object.min_replicas || object.max_replicas);
  EXPECT_EQ(object.max(), 100);
  EXPECT_FALSE(object.fallback || object.behavior);
}

TEST(ScaledObjectDecode, RefusesWhatKedaRefuses) {
  const std::vector<Refusal> cases{
      {"{name: vllm, ", "{", "scaleTargetRef.name: is missing"},
      {"pollingInterval: 10", "pollingInterval: 0", "a whole number of at least 1"},
      {"pollingInterval: 10", "pollingInterval: 10s", "found the string \"10s\""},
      {"pollingInterval: 10", "pollingInterval: 1.5", "found the number 1.5"},
      {"cooldownPeriod: 120", "cooldownPeriod: -1", "a whole number of at least 0"},
      {"minReplicaCount: 1", "minReplicaCount: 9", "the least replicas (9) are more than the most"},
      {"maxReplicaCount: 8", "maxReplicaCount: 0", "maxReplicaCount: found the number 0"},
      {"maxReplicaCount: 8", "maxReplicaCount: 3000000000", "maxReplicaCount: found the number"},
      {"idleReplicaCount: 0", "idleReplicaCount: 1", "accepted: less than minReplicaCount"},
      {"  minReplicaCount: 1\n", "", "less than minReplicaCount, which is absent"},
      {"name: queue", "name: queue\n      metricType: Value", "is there twice"},
      {"- type: cron", "- type: cron\n      name: queue", "\"queue\" is there twice"},
      {"threshold: \"5\"", "threshold: 5",
       "metadata.threshold: found the number 5 (accepted: a "
       "string; put it in quotes)"},
      {"metricType: Value", "metricType: Utilization", "Utilization is for cpu and memory"},
      {"metricType: Value", "metricType: value", "did you mean \"Value\"?"},
      {"- type: cron", "- type: cron\n      useCachedMetrics: true", "no metrics to keep"},
      {"- type: cron", "- type: cpu", "a cpu trigger takes Utilization or AverageValue"},
      {"useCachedMetrics: true", "useCachedMetrics: \"true\"", "true or false, without quotes"},
      {"failureThreshold: 3, ", "", "failureThreshold: is missing"},
      {"replicas: 2, ", "", "fallback.replicas: is missing"},
      {"currentReplicasIfHigher", "scalingModifiers", "needs advanced.scalingModifiers.formula"},
      {"currentReplicasIfHigher", "current", "fallback.behavior: found \"current\""},
      {"WindowSeconds: 0", "WindowSeconds: 3601", "a whole number from 0 to 3600"},
      {"selectPolicy: Min", "selectPolicy: min", "did you mean \"Min\"?"},
      {"type: Pods, value: 4", "type: Pods, value: 0", "policies[0].value"},
      {"periodSeconds: 60", "periodSeconds: 1801", "a whole number from 1 to 1800"},
      {"type: Percent, ", "", "policies[1].type: is missing"},
      {"tolerance: 50m", "tolerance: -1", "tolerance: found -1"},
      {"tolerance: 50m", "policies: []", "policies: is empty"},
      {"name: own\n",
       "scale: {}\n      name: "
       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
       "aaaaaaaaaaaa\n",
       "is longer than 63"},
  };
  for (const Refusal& c : cases) {
    const std::string errors = errors_of(with(kObject, c.from, c.to));
    EXPECT_NE(errors.find(c.error), std::string::npos) << c.to << " -> " << errors;
  }
}

TEST(ScaledObjectDecode, TriggersMustBeThere) {
  for (const char* triggers : {"[]", "", "{}"}) {
    const std::string text =
        "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: s}\n"
        "spec:\n  scaleTargetRef: {name: t}\n  triggers: " +
        std::string(triggers) + "\n";
    EXPECT_NE(errors_of(text).find("spec.triggers: "), std::string::npos) << triggers;
  }
}

TEST(ScaledObjectDecode, IdleCountsAgainstAnExplicitZeroAsAgainstOne) {
  EXPECT_EQ(errors_of(with(kObject, "minReplicaCount: 1", "minReplicaCount: 0")), "");
}

TEST(ScaledObjectDecode, CpuAndMemoryAloneNeedAMinimum) {
  const std::string cpu = with(kSmall, "{type: prometheus, metadata: {query: up}}",
                               "{type: cpu, metricType: Utilization, metadata: {value: \"60\"}}");
  EXPECT_NE(errors_of(cpu).find("can't start from 0"), std::string::npos);
  EXPECT_EQ(errors_of(cpu + "  minReplicaCount: 1\n"), "");
  EXPECT_NE(
      errors_of(cpu + "  minReplicaCount: 1\n  fallback: {failureThreshold: 1, replicas: 1}\n")
          .find("does not work with cpu and memory triggers alone"),
      std::string::npos);
}

TEST(ScaledObjectDecode, NamesMustLeaveRoomForTheHpas) {
  const auto named = [](size_t n) {
    return with(kSmall, "name: s}", "name: " + std::string(n, 'a') + "}");
  };
  EXPECT_EQ(errors_of(named(54)), "");
  EXPECT_NE(errors_of(named(55)).find("accepted: up to 54"), std::string::npos);
  const std::string own = "  advanced: {horizontalPodAutoscalerConfig: {name: own}}\n";
  EXPECT_EQ(errors_of(named(63) + own), "");
  EXPECT_NE(errors_of(named(64) + own), "");
}

TEST(ScaledObjectDecode, ModifiersAreReadAndChecked) {
  const auto modified = [](const char* modifiers) {
    return std::string(kSmall) + "  advanced: {scalingModifiers: " + modifiers + "}\n";
  };
  const auto object = only<ScaledObject>(
      modified("{formula: a + b, target: '2', activationTarget: '0.5', metricType: Value}"));
  ASSERT_TRUE(object.modifiers.has_value());
  EXPECT_EQ(object.modifiers->formula, "a + b");
  EXPECT_EQ(object.modifiers->target, "2");
  EXPECT_EQ(object.modifiers->activation_target, "0.5");
  EXPECT_EQ(object.modifiers->metric_type, MetricTargetType::kValue);
  EXPECT_EQ(warnings_of(modified("{formula: a + b, target: '2'}")), "");
  EXPECT_NE(errors_of(modified("{formula: a, target: '2', activationTarget: x}"))
                .find("activationTarget: found the string \"x\" (accepted: a number)"),
            std::string::npos);
  EXPECT_NE(errors_of(modified("{formula: a}")).find("target: is missing"), std::string::npos);
  EXPECT_NE(errors_of(modified("{target: '2'}")).find("formula: is missing"), std::string::npos);
  EXPECT_NE(errors_of(modified("{formula: a, target: '0'}")).find("a number above 0"),
            std::string::npos);
  EXPECT_EQ(errors_of(modified("{}")), "");
}

TEST(ScaledObjectDecode, Warnings) {
  EXPECT_EQ(warnings_of(with(kSmall, "query: up", "query: up, metricName: x")),
            "m.yaml:7: ScaledObject/s spec.triggers[0].metadata.metricName: metricName is obsolete "
            "and ignored by KEDA\n");
  EXPECT_EQ(warnings_of(std::string(kSmall) + "  minReplicas: 1\n"),
            "m.yaml:8: ScaledObject/s spec.minReplicas: unknown field\n");
  EXPECT_EQ(warnings_of(std::string(kSmall) + "  minReplicaCont: 1\n"),
            "m.yaml:8: ScaledObject/s spec.minReplicaCont: unknown field; did you mean "
            "\"minReplicaCount\"?\n");
  const std::string idle = warnings_of(std::string(kSmall) +
                                       "  minReplicaCount: 1\n  pollingInterval: 5\n"
                                       "  cooldownPeriod: 5\n");
  EXPECT_NE(idle.find("m.yaml:9: ScaledObject/s spec.pollingInterval: has no effect"),
            std::string::npos);
  EXPECT_NE(idle.find("m.yaml:10: ScaledObject/s spec.cooldownPeriod: has no effect"),
            std::string::npos);
}

TEST(ScaledObjectDecode, ReadsStatus) {
  const auto object = only<ScaledObject>(std::string(kSmall) +
                                         "status:\n  lastActiveTime: '2026-03-01T00:00:00Z'\n"
                                         "  conditions: [{type: Active, status: 'False'}]\n");
  EXPECT_EQ(to_rfc3339(*object.last_active), "2026-03-01T00:00:00Z");
  EXPECT_EQ(find_condition(object.conditions, "Active")->status, "False");
}

// The verdicts of a real API server on HPA behaviors.
TEST(Behavior, AgreesWithAnApiServer) {
  std::ifstream file("../shared/vectors/hpa/validation.json");
  if (!file) GTEST_SKIP() << "no recorded verdicts here";
  std::stringstream text;
  text << file.rdbuf();
  const Json recorded = *parse_json(text.str());
  int judged = 0;
  for (const Json& vector : recorded["vectors"]) {
    if (!vector["spec"].contains("behavior")) continue;
    ReadLog log;
    (void)read_behavior(Reader(vector["spec"]["behavior"], "spec.behavior", log));
    bool refused = false;
    if (!vector["accepted"].get<bool>()) {
      for (const Json& cause : vector["rejection"]["causes"]) {
        refused = refused || cause["field"].get<std::string>().starts_with("spec.behavior");
      }
    }
    EXPECT_EQ(!log.errors.empty(), refused) << vector["id"] << " " << log.joined_errors();
    ++judged;
  }
  EXPECT_GE(judged, 5);
}

}  // namespace
}  // namespace windlass::api

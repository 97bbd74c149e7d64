// Sections 1.2, 1.10 and 2.2 of reference keda_hpa.md: the triggers beside prometheus and cron,
// where their fields come from, and what their sources' answers mean.
#include "scaling/trigger_plan.h"

#include <gtest/gtest.h>

#include "scaling/trigger_auth.h"

namespace windlass::scaling {
namespace {

api::Trigger trigger_of(const char* type, api::StringMap metadata) {
  api::Trigger trigger;
  trigger.type = type;
  trigger.metadata = std::move(metadata);
  return trigger;
}

std::string error_of(const api::Trigger& trigger, std::vector<ResolvedValues> values = {}) {
  const auto plans = plan_triggers({trigger}, "serving", values, nullptr);
  return plans.ok() ? "" : plans.error().message();
}
TriggerPlan plan_of(const api::Trigger& trigger, std::vector<ResolvedValues> values = {}) {
  const auto plans = plan_triggers({trigger}, "serving", values, nullptr);
  EXPECT_TRUE(plans.ok()) << plans.error().message();
  return plans.ok() ? plans->front() : TriggerPlan{};
}
bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

const api::StringMap kApi{{"url", "http://m"}, {"valueLocation", "a.b%1"}, {"targetValue", "2.5"}};

TEST(TriggerKinds, NamesAndTargets) {
  EXPECT_EQ(plan_of(trigger_of("metrics-api", kApi)).metric_name, "s0-metric-api-a-b-1");
  EXPECT_EQ(plan_of(trigger_of("metrics-api", kApi)).target_milli, 2500);
  const auto workload =
      plan_of(trigger_of("kubernetes-workload", {{"podSelector", "app=a"}, {"value", "0.5"}}));
  EXPECT_EQ(workload.metric_name, "s0-workload-serving");
  EXPECT_EQ(workload.target_milli, 500);
  api::Trigger cpu = trigger_of("cpu", {{"value", "80"}, {"containerName", "main"}});
  cpu.metric_type = api::MetricTargetType::kUtilization;
  cpu.metric_type_given = true;
  EXPECT_EQ(plan_of(cpu).target_milli, 80);
  EXPECT_EQ(plan_of(cpu).container, "main");
  cpu.metric_type = api::MetricTargetType::kAverageValue;
  cpu.metadata = {{"value", "500m"}};
  EXPECT_EQ(plan_of(cpu).target_milli, 500);
  EXPECT_EQ(
      plan_of(trigger_of("external", {{"scalerAddress", "s:9090"}, {"own", "1"}})).metric_name,
      "s0-external");
}

TEST(TriggerKinds, Refusals) {
  EXPECT_TRUE(has(error_of(trigger_of("kafka", {})),
                  "triggers[0].type: \"kafka\" is not decided natively (accepted: prometheus, "));
  EXPECT_TRUE(has(error_of(trigger_of("cpu", {{"value", "80"}})), "takes Utilization or"));
  api::Trigger typed = trigger_of("memory", {{"type", "Utilization"}, {"value", "x"}});
  typed.metric_type_given = true;
  EXPECT_TRUE(has(error_of(typed), "triggers[0].type: no longer taken from the metadata"));
  EXPECT_TRUE(has(error_of(typed), "triggers[0].value: not a quantity"));
  EXPECT_TRUE(has(error_of(trigger_of("external", {})), "scalerAddress: required"));
  api::StringMap bad = kApi;
  bad["format"] = "xml";
  EXPECT_TRUE(has(error_of(trigger_of("metrics-api", bad)), "xml is not read"));
  bad = kApi;
  bad["authMode"] = "basic,bearer,magic";
  const std::string modes = error_of(trigger_of("metrics-api", bad));
  EXPECT_TRUE(has(modes, "\"magic\" is none") && has(modes, "one of bearer, basic and oauth"));
  EXPECT_TRUE(
      has(error_of(trigger_of("kubernetes-workload", {{"podSelector", "a in b"}, {"value", "1"}})),
          "not a label selector"));
  const auto twice = plan_triggers({typed, typed}, "n", {}, nullptr);
  EXPECT_TRUE(has(twice.error().message(), "a second trigger for the metric memory"));
}

TEST(MetricsApi, ReadsTheNumber) {
  const struct {
    const char* format;
    const char* location;
    const char* body;
    double value;
  } table[] = {
      {"json", "a.b", R"({"a":{"b":7.5}})", 7.5},
      {"json", "a.1.n", R"({"a":[{"n":1},{"n":"2k"}]})", 2000},
      {"json", "a.#", R"({"a":[1,2,3]})", 3},
      {"json", R"(a\.b)", R"({"a.b":-1})", -1},
      {"yaml", "queue.depth", "queue: {depth: 4}", 4},
      {"prometheus", "depth", "# HELP depth x\ndepth{q=\"a\"} 3\ndepth{q=\"b\"} 5 1700000000", 3},
      {"prometheus", R"(depth{q="b}\""})", "depth{q=\"a\"} 3\ndepth{q=\"b}\\\"\",r=\"1\"} 5 17", 5},
  };
  for (const auto& c : table) {
    api::StringMap metadata = kApi;
    metadata["format"] = c.format;
    metadata["valueLocation"] = c.location;
    const std::vector<std::string> bodies{c.body};
    const auto reading = read_metrics_api(plan_of(trigger_of("metrics-api", metadata)), bodies);
    ASSERT_TRUE(reading.ok()) << c.location << ": " << reading.error().message();
    EXPECT_EQ(*reading, c.value) << c.location;
  }
}

TEST(MetricsApi, FailuresAndAggregation) {
  TriggerPlan plan = plan_of(trigger_of("metrics-api", kApi));
  plan.value_location = "a";
  for (const char* body : {"", "{", "[]", R"({"b":1})", R"({"a":true})", R"({"a":"soon"})"}) {
    const std::vector<std::string> bodies{body};
    EXPECT_FALSE(read_metrics_api(plan, bodies).ok()) << body;
  }
  EXPECT_FALSE(read_metrics_api(plan, {}).ok());
  const std::vector<std::string> three{R"({"a":1})", R"({"a":2})", R"({"a":6})"};
  using A = TriggerPlan::Aggregation;
  for (const auto& [how, value] :
       {std::pair{A::kAverage, 3.0}, {A::kSum, 9.0}, {A::kMax, 6.0}, {A::kMin, 1.0}}) {
    plan.aggregation = how;
    EXPECT_EQ(*read_metrics_api(plan, three), value);
  }
}

TEST(Workload, CountsPodsOrNodes) {
  std::vector<api::Pod> pods(5);
  for (api::Pod& pod : pods) {
    pod.meta.namespace_name = "serving";
    pod.meta.labels = {{"app", "a"}, {"tier", "x"}};
    pod.spec.node_name = "n1";
  }
  pods[1].spec.node_name = "n2";
  pods[2].phase = api::PodPhase::kSucceeded;
  pods[3].meta.namespace_name = "other";
  pods[4].meta.labels = {{"app", "b"}};
  std::vector<const api::Pod*> all;
  for (const api::Pod& pod : pods) all.push_back(&pod);
  const auto count = [&](const char* selector, const char* by_node) {
    return *read_workload(
        plan_of(trigger_of("kubernetes-workload",
                           {{"podSelector", selector}, {"groupByNode", by_node}, {"value", "1"}})),
        all, "serving");
  };
  EXPECT_EQ(count("app=a", "false"), 2);
  EXPECT_EQ(count("app in (a, b)", "false"), 3);
  EXPECT_EQ(count("app notin (a),!canary", "false"), 1);
  EXPECT_EQ(count("app!=b,tier", "false"), 2);
  EXPECT_EQ(count("app==a", "true"), 2);
  EXPECT_EQ(count("app in (a,b)", "true"), 2);
}

// ---- authentication and environment ---------------------------------------------------------

TEST(TriggerAuth, ResolvesSecretsConfigMapsAndEnvironment) {
  api::Secret secret;
  secret.data = {{"token", "hunter2"}, {"url", "http://secret"}};
  api::ConfigMap config;
  config.data = {{"threshold", "7"}};
  api::TriggerAuthentication auth;
  using K = api::AuthSource::Kind;
  auth.sources = {{K::kSecret, "bearerToken", "s", "token", ""},
                  {K::kConfigMap, "threshold", "c", "threshold", ""},
                  {K::kEnv, "username", "USER", "", ""},
                  {K::kSecret, "ca", "s", "absent", ""}};
  auth.unread_sources = {"hashiCorpVault"};
  AuthObjects objects;
  objects.secrets["n/s"] = &secret;
  objects.config_maps["n/c"] = &config;
  objects.authentications["n/a"] = &auth;
  api::PodSpec pod;
  pod.containers.resize(2);
  pod.containers[0].name = "side";
  pod.containers[1].name = "main";
  pod.containers[1].env = {{"USER", "me"}};
  pod.containers[1].env_from = {{"URL", {true, "s", "url"}}};
  api::Trigger trigger = trigger_of(
      "prometheus", {{"serverAddressFromEnv", "URL"}, {"query", "q"}, {"authModes", "bearer"}});
  trigger.auth = api::AuthRef{"a", false};
  AuthFindings findings;
  const auto values = resolve_trigger_values({trigger}, "n", &pod, "main", objects, findings);
  EXPECT_TRUE(findings.errors.empty());
  ASSERT_EQ(findings.missing.size(), 2u);
  const TriggerPlan plan = plan_of(trigger, values);
  EXPECT_EQ(plan.server_address, "http://secret");
  EXPECT_EQ(plan.target_milli, 7000);
  EXPECT_EQ(plan.access.auth.at("bearerToken"), "hunter2");

  trigger.auth = api::AuthRef{"nobody", true};
  AuthFindings lost;
  resolve_trigger_values({trigger}, "n", &pod, "main", objects, lost);
  EXPECT_EQ(lost.errors.at(0),
            "triggers[0].authenticationRef: there is no ClusterTriggerAuthentication \"nobody\"");
}

TEST(TriggerAuth, ValuesNeverReachAMessage) {
  ResolvedValues values;
  values.env = {{"T", "s3cr3t"}};
  values.auth = {{"timeout", "s3cr3t"}, {"ignoreNullValues", "s3cr3t"}, {"authModes", "tls"}};
  const std::string error = error_of(trigger_of("prometheus", {{"serverAddress", "http://p"},
                                                               {"query", "q"},
                                                               {"thresholdFromEnv", "T"},
                                                               {"activationThresholdFromEnv", "T"},
                                                               {"customHeadersFromEnv", "T"}}),
                                     {values});
  for (const char* field : {"threshold:", "activationThreshold:", "customHeaders:", "timeout:",
                            "ignoreNullValues:", "tls needs the parameter cert"}) {
    EXPECT_TRUE(has(error, field)) << field << " in: " << error;
  }
  EXPECT_FALSE(has(error, "s3cr3t")) << error;
}

}  // namespace
}  // namespace windlass::scaling

#include "scaling/scaled_object.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace windlass::scaling {
namespace {

constexpr Instant kStart{1'700'000'000'000'000'000};

api::Trigger prometheus_trigger(api::StringMap more = {}) {
  api::Trigger trigger;
  trigger.type = "prometheus";
  trigger.metadata = {
      {"serverAddress", "http://prometheus:9090"}, {"query", "sum(queue)"}, {"threshold", "5"}};
  for (auto& [key, value] : more) trigger.metadata[key] = value;
  return trigger;
}

api::Trigger cron_trigger(api::StringMap more = {}) {
  api::Trigger trigger;
  trigger.type = "cron";
  trigger.metadata = {{"start", "0 8 * * 1-5"},
                      {"end", "0 18 * * 1-5"},
                      {"timezone", "Europe/Berlin"},
                      {"desiredReplicas", "4"}};
  for (auto& [key, value] : more) trigger.metadata[key] = value;
  return trigger;
}

api::ScaledObject object_with(std::vector<api::Trigger> triggers) {
  api::ScaledObject object;
  object.meta.name = "llm";
  object.meta.created = kStart - hours(1);
  object.triggers = std::move(triggers);
  return object;
}

std::string plan_error(const api::ScaledObject& object) {
  const auto plans = plan_triggers(object, nullptr);
  return plans.ok() ? "" : plans.error().message();
}

TriggerPlan plan_of(api::Trigger trigger) {
  const auto plans = plan_triggers(object_with({std::move(trigger)}), nullptr);
  EXPECT_TRUE(plans.ok()) << plans.error().message();
  return plans->at(0);
}

// ---- metadata -------------------------------------------------------------------------------

TEST(TriggerPlans, DefaultsAndNames) {
  const auto plans = plan_triggers(
      object_with({prometheus_trigger(), cron_trigger(), prometheus_trigger()}), nullptr);
  ASSERT_TRUE(plans.ok()) << plans.error().message();
  const TriggerPlan& first = plans->at(0);
  EXPECT_EQ(first.metric_name, "s0-prometheus");
  EXPECT_EQ(first.target_milli, 5000);
  EXPECT_EQ(first.activation, 0);
  EXPECT_TRUE(first.ignore_null_values);
  EXPECT_EQ(first.timeout, seconds(3));
  EXPECT_EQ(plans->at(1).metric_name, "s1-cron-Europe-Berlin-08xx1-5-018xx1-5");
  EXPECT_EQ(plans->at(1).target_milli, 1000);
  EXPECT_EQ(plans->at(1).cron_replicas, 4);
  EXPECT_EQ(plans->at(2).metric_name, "s2-prometheus");
}

TEST(TriggerPlans, ValuesAreReadAsKedaReadsThem) {
  EXPECT_EQ(plan_of(prometheus_trigger({{"threshold", " 2.5 "}})).target_milli, 2500);
  EXPECT_EQ(plan_of(prometheus_trigger({{"threshold", "0.0019"}})).target_milli, 1);
  EXPECT_EQ(plan_of(prometheus_trigger({{"activationThreshold", "  "}})).activation, 0);
  EXPECT_EQ(plan_of(prometheus_trigger({{"activationThreshold", "-1"}})).activation, -1);
  for (const char* no : {"0", "f", "F", "FALSE", "false", "False"}) {
    EXPECT_FALSE(plan_of(prometheus_trigger({{"ignoreNullValues", no}})).ignore_null_values) << no;
  }
  for (const char* yes : {"1", "t", "T", "TRUE", "true", "True", ""}) {
    EXPECT_TRUE(plan_of(prometheus_trigger({{"ignoreNullValues", yes}})).ignore_null_values) << yes;
  }
  EXPECT_EQ(plan_of(prometheus_trigger({{"timeout", "500"}})).timeout, milliseconds(500));
  EXPECT_EQ(plan_of(prometheus_trigger({{"timeout", "1m30s"}})).timeout, seconds(90));
}

TEST(TriggerPlans, EveryBadFieldIsReported) {
  api::Trigger bad = prometheus_trigger({{"serverAddress", " "},
                                         {"threshold", "five"},
                                         {"ignoreNullValues", "yes"},
                                         {"timeout", "-3s"}});
  bad.metadata.erase("query");
  api::Trigger clock = cron_trigger({{"start", "0 25 * * *"}, {"desiredReplicas", "2.5"}});
  api::Trigger kafka;
  kafka.type = "kafka";
  const std::string error = plan_error(object_with({bad, clock, kafka}));
  for (const char* fragment :
       {"triggers[0].serverAddress: required", "triggers[0].query: required",
        "triggers[0].threshold: not a number: \"five\"", "triggers[0].ignoreNullValues",
        "triggers[0].timeout: negative", "triggers[1].start: not a cron schedule",
        "triggers[1].desiredReplicas",
        "triggers[2].type: \"kafka\" is not decided natively (accepted: prometheus, "
        "metrics-api, "}) {
    EXPECT_NE(error.find(fragment), std::string::npos) << fragment << " in: " << error;
  }
}

TEST(TriggerPlans, SingleErrors) {
  const auto error_of = [](api::Trigger t) { return plan_error(object_with({std::move(t)})); };
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_TRUE(has(error_of(prometheus_trigger({{"threshold", "0"}})), "cannot be a target"));
  EXPECT_TRUE(has(error_of(prometheus_trigger({{"threshold", "0.0004"}})), "at least 0.001"));
  EXPECT_TRUE(has(error_of(cron_trigger({{"timezone", "Mars/Olympus"}})),
                  "triggers[0].timezone: unknown time zone"));
  EXPECT_TRUE(has(error_of(cron_trigger({{"end", "0 8 * * 1-5"}})), "no window"));
  EXPECT_TRUE(has(error_of(cron_trigger({{"desiredReplicas", "-1"}})), "negative"));
  api::Trigger utilization = prometheus_trigger();
  utilization.metric_type = api::MetricTargetType::kUtilization;
  EXPECT_TRUE(has(error_of(utilization), "metricType"));
  api::Trigger cached = cron_trigger();
  cached.use_cached_metrics = true;
  EXPECT_TRUE(has(error_of(cached), "useCachedMetrics"));
  api::Trigger named = prometheus_trigger();
  named.name = "queue";
  EXPECT_TRUE(has(plan_error(object_with({named, named})), "triggers[1].name"));
  EXPECT_TRUE(has(plan_error(object_with({})), "at least one"));
  api::Trigger from_env = prometheus_trigger({{"queryFromEnv", "QUERY"}});
  from_env.metadata.erase("query");
  EXPECT_TRUE(has(error_of(from_env), "FromEnv"));
}

TEST(TriggerPlans, UnknownKeysAreIgnoredAndNamed) {
  std::vector<std::string> ignored;
  const auto plans = plan_triggers(
      object_with(
          {prometheus_trigger({{"metricName", "q"}, {"treshold", "7"}, {"awsRegion", "x"}})}),
      &ignored);
  ASSERT_TRUE(plans.ok());
  ASSERT_EQ(ignored.size(), 3u);
  EXPECT_NE(ignored[1].find("triggers[0].metadata.metricName: ignored; metricName is obsolete"),
            std::string::npos);
  EXPECT_NE(ignored[0].find("triggers[0].metadata.awsRegion: ignored; KEDA knows"),
            std::string::npos);
  EXPECT_NE(ignored[2].find("triggers[0].metadata.treshold: ignored"), std::string::npos);
}

// ---- readings -------------------------------------------------------------------------------

TEST(PrometheusReading, ResultTable) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const struct {
    std::vector<double> values;
    std::optional<double> ignoring, strict;
  } table[] = {
      {{}, 0.0, std::nullopt},
      {{7.5}, 7.5, 7.5},
      {{-3}, -3.0, -3.0},
      {{NAN}, 0.0, std::nullopt},
      {{kInf}, 0.0, std::nullopt},
      {{-kInf}, 0.0, std::nullopt},
      {{1, 2}, std::nullopt, std::nullopt},
  };
  TriggerPlan plan = plan_of(prometheus_trigger());
  for (size_t i = 0; i < std::size(table); ++i) {
    for (const bool ignore : {true, false}) {
      plan.ignore_null_values = ignore;
      const auto got = read_prometheus(plan, {table[i].values, ""});
      const auto& expected = ignore ? table[i].ignoring : table[i].strict;
      ASSERT_EQ(got.ok(), expected.has_value()) << i;
      if (expected) {
        EXPECT_EQ(*got, *expected) << i;
      }
    }
  }
  const auto failed = read_prometheus(plan, {{}, "HTTP 503"});
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().message(), "HTTP 503");
}

TEST(CronReading, InsideAndOutsideTheWindow) {
  const TriggerPlan plan = plan_of(cron_trigger());
  const auto value = [&](const char* text) {
    const auto reading = read_cron(plan, *parse_rfc3339(text));
    EXPECT_TRUE(reading.ok());
    return reading.ok() ? *reading : -1;
  };
  // Berlin is one hour ahead of UTC in winter, two in summer; 2026-03-02 is a Monday.
  EXPECT_EQ(value("2026-03-02T06:59:59Z"), 0);
  EXPECT_EQ(value("2026-03-02T07:00:00Z"), 4);
  EXPECT_EQ(value("2026-03-02T16:59:59Z"), 4);
  EXPECT_EQ(value("2026-03-02T17:00:00Z"), 0);
  EXPECT_EQ(value("2026-03-01T12:00:00Z"), 0);  // Sunday
  EXPECT_EQ(value("2026-07-06T06:00:00Z"), 4);
  TriggerPlan open = plan;
  open.cron_end = *CronSchedule::parse("0 0 31 2 *");  // never ends
  EXPECT_EQ(*read_cron(open, kStart), 4);
  TriggerPlan shut = plan;
  shut.cron_start = *CronSchedule::parse("0 0 31 2 *");  // never starts
  EXPECT_EQ(*read_cron(shut, kStart), 0);
  shut.timezone = "Mars/Olympus";
  EXPECT_FALSE(read_cron(shut, kStart).ok());
}

// ---- the scale loop -------------------------------------------------------------------------

struct Poll {
  api::ScaledObject object = object_with({prometheus_trigger()});
  int32_t current = 0;
  ScaledObjectMemory memory;

  PollDecision run(std::vector<TriggerReading> readings, Instant now = kStart) {
    std::vector<api::Trigger> triggers(readings.size(), prometheus_trigger());
    object.triggers = triggers;
    const auto plan = plan_scaled_object(object);
    EXPECT_TRUE(plan.ok());
    return evaluate_poll(object, *plan, readings, {current, current}, now, memory);
  }
};

std::string condition(const PollDecision& decision, std::string_view type) {
  const api::Condition* c = api::find_condition(decision.conditions, type);
  return c == nullptr ? "absent" : c->status + ":" + c->reason;
}

const TriggerReading kFailed = Error("HTTP 503");

struct PollCase {
  const char* name;
  std::vector<TriggerReading> readings;
  int32_t current;
  std::optional<int32_t> min;
  std::optional<int32_t> idle;
  std::optional<api::Fallback> fallback;
  // Seconds since status.lastActiveTime; negative: never active.
  int active_s_ago;
  std::optional<int32_t> set_replicas;
  bool active;
  const char* active_condition;
  const char* ready_condition;
};

constexpr auto kNone = std::nullopt;
constexpr const char* kOn = "True:ScalerActive";
constexpr const char* kOff = "False:ScalerNotActive";
constexpr const char* kCooling = "False:ScalerCooldown";
constexpr const char* kReady = "True:ScaledObjectReady";
constexpr const char* kPartial = "Unknown:PartialTriggerError";
constexpr const char* kBroken = "False:TriggerError";
constexpr const char* kKept = "absent";

std::vector<PollCase> poll_cases() {
  const api::Fallback six{100, 6, api::FallbackBehavior::kStatic};
  const api::Fallback zero{100, 0, api::FallbackBehavior::kStatic};
  const TriggerReading bad = kFailed;
  return {
      {"zero to one, never to N", {500.0}, 0, kNone, kNone, kNone, -1, 1, true, kOn, kReady},
      {"from zero to min", {500.0}, 0, 3, kNone, kNone, -1, 3, true, kOn, kReady},
      {"from idle to min", {500.0}, 0, 3, 0, kNone, -1, 3, true, kOn, kReady},
      {"between idle and min", {5.0}, 1, 3, 0, kNone, -1, 3, true, kOn, kReady},
      {"active and running", {5.0}, 4, kNone, kNone, kNone, -1, kNone, true, kOn, kReady},
      {"one of two is enough", {0.0, 5.0}, 4, kNone, kNone, kNone, -1, kNone, true, kOn, kReady},
      {"active, another fails", {5.0, bad}, 4, kNone, kNone, kNone, 9, kNone, true, kOn, kPartial},
      {"activation is strict", {0.0}, 0, kNone, kNone, kNone, -1, kNone, false, kOff, kReady},
      {"fails, has a fallback", {bad}, 4, kNone, kNone, six, 999, kNone, false, kOff, kKept},
      {"fails, has none", {bad}, 4, kNone, kNone, kNone, 999, kNone, false, kOff, kBroken},
      {"fails, fallback to zero", {bad}, 4, kNone, kNone, zero, 999, 0, false, kOff, kKept},
      {"after the cool-down", {0.0}, 4, kNone, kNone, kNone, 301, 0, false, kOff, kReady},
      {"not at its very end", {0.0}, 4, kNone, kNone, kNone, 300, kNone, false, kCooling, kReady},
      {"never active", {0.0}, 4, kNone, kNone, kNone, -1, 0, false, kOff, kReady},
      {"to idle", {0.0}, 4, 3, 1, kNone, 301, 1, false, kOff, kReady},
      {"at idle it stays", {0.0}, 1, 3, 1, kNone, 301, kNone, false, kOff, kReady},
      {"min holds it up", {0.0}, 4, 2, kNone, kNone, 301, kNone, false, kOff, kReady},
      {"below min, inactive", {0.0}, 1, 2, kNone, kNone, 301, 2, false, kOff, kReady},
      {"at zero it stays", {0.0}, 0, kNone, kNone, kNone, 301, kNone, false, kOff, kReady},
  };
}

TEST(PollLoop, DecisionTable) {
  for (const PollCase& c : poll_cases()) {
    Poll poll;
    poll.current = c.current;
    poll.object.min_replicas = c.min;
    poll.object.idle_replicas = c.idle;
    poll.object.fallback = c.fallback;
    if (c.active_s_ago >= 0) poll.object.last_active = kStart - seconds(c.active_s_ago);
    const PollDecision decision = poll.run(c.readings);
    EXPECT_EQ(decision.set_replicas, c.set_replicas) << c.name;
    EXPECT_EQ(decision.active, c.active) << c.name;
    EXPECT_EQ(condition(decision, "Active"), c.active_condition) << c.name;
    EXPECT_EQ(condition(decision, "Ready"), c.ready_condition) << c.name;
    EXPECT_FALSE(decision.why.empty()) << c.name;
    // lastActiveTime is refreshed by activity, but not beside a failing trigger.
    const bool refreshed = c.active && std::string_view(c.ready_condition) == kReady;
    EXPECT_EQ(decision.last_active, refreshed ? std::optional(kStart) : poll.object.last_active)
        << c.name;
  }
}

TEST(PollLoop, InitialCooldownCountsFromCreation) {
  Poll poll;
  poll.current = 2;
  poll.object.meta.created = kStart - seconds(60);
  poll.object.initial_cooldown = seconds(60);
  EXPECT_EQ(poll.run({0.0}).set_replicas, std::nullopt);
  EXPECT_EQ(poll.run({0.0}, kStart + seconds(1)).set_replicas, 0);
}

TEST(PollLoop, ActivationUsesTheRawFloat) {
  Poll poll;
  EXPECT_TRUE(poll.run({0.0001}).active);
  EXPECT_FALSE(poll.run({NAN}).active);
  EXPECT_FALSE(poll.run({-5.0}).active);
}

TEST(PollLoop, FallbackCountsAsActiveAndWorksFromZero) {
  Poll poll;
  poll.object.fallback = api::Fallback{2, 6, api::FallbackBehavior::kStatic};
  EXPECT_FALSE(poll.run({kFailed}).active);
  EXPECT_FALSE(poll.run({kFailed}).active);
  const PollDecision third = poll.run({kFailed});
  EXPECT_TRUE(third.active);
  EXPECT_EQ(third.set_replicas, 1);
  EXPECT_EQ(condition(third, "Fallback"), "True:FallbackExists");
  EXPECT_EQ(condition(third, "Ready"), "True:ScaledObjectReady");
  const PollDecision good = poll.run({0.0});
  EXPECT_EQ(condition(good, "Fallback"), "False:NoFallbackFound");
  EXPECT_EQ(poll.memory.failures.at(0), 0);
}

TEST(PollLoop, Annotations) {
  Poll poll;
  poll.current = 4;
  poll.object.last_active = kStart - seconds(999);
  auto& annotations = poll.object.meta.annotations;
  annotations["autoscaling.keda.sh/paused-scale-in"] = "true";
  EXPECT_EQ(poll.run({0.0}).set_replicas, std::nullopt);
  annotations = {{"autoscaling.keda.sh/paused-scale-out", "true"}};
  EXPECT_EQ(poll.run({0.0}).set_replicas, 0);
  poll.current = 0;
  EXPECT_EQ(poll.run({9.0}).set_replicas, std::nullopt);
  annotations = {{"autoscaling.keda.sh/force-activation", "true"}};
  EXPECT_EQ(poll.run({0.0}).set_replicas, 1);
  annotations = {{"autoscaling.keda.sh/paused", "certainly"}};
  EXPECT_TRUE(is_paused(poll.object));
  EXPECT_EQ(poll.run({9.0}).set_replicas, std::nullopt);
  EXPECT_EQ(condition(poll.run({9.0}), "Paused"), "True:ScaledObjectPaused");
  annotations = {{"autoscaling.keda.sh/paused-replicas", "7"},
                 {"autoscaling.keda.sh/paused", "false"}};
  EXPECT_TRUE(is_paused(poll.object));
  EXPECT_EQ(poll.run({0.0}).set_replicas, 7);
  annotations = {{"autoscaling.keda.sh/paused-replicas", "many"}};
  const PollDecision bad = poll.run({9.0});
  EXPECT_EQ(bad.set_replicas, std::nullopt);
  EXPECT_EQ(condition(bad, "Ready"), "False:ScaledObjectCheckFailed");
  annotations = {{"autoscaling.keda.sh/paused", "false"}};
  EXPECT_FALSE(is_paused(poll.object));
  poll.object.conditions = {{"Paused", "True", "ScaledObjectPaused", "", kStart}};
  EXPECT_EQ(condition(poll.run({9.0}), "Paused"), "False:ScaledObjectUnpaused");
}

TEST(PollLoop, PausedDirectionsReachTheHpa) {
  api::ScaledObject object = object_with({prometheus_trigger()});
  EXPECT_FALSE(hpa_behavior(object).has_value());
  object.meta.annotations["autoscaling.keda.sh/paused-scale-in"] = "true";
  const auto behavior = hpa_behavior(object);
  ASSERT_TRUE(behavior && behavior->scale_down);
  EXPECT_EQ(behavior->scale_down->select, api::SelectPolicy::kDisabled);
  EXPECT_FALSE(behavior->scale_up.has_value());
}

// ---- the HPA's metrics ----------------------------------------------------------------------

struct HandedOut {
  api::ScaledObject object = object_with({prometheus_trigger()});
  TriggerPlan plan = plan_of(prometheus_trigger());
  ScaledObjectMemory memory;

  [[nodiscard]] ScaledObjectPlan whole() const {
    ScaledObjectPlan out;
    out.triggers = {plan};
    return out;
  }
  std::optional<int64_t> milli(TriggerReading reading, int32_t current, int32_t ready) {
    const auto metrics =
        hpa_metrics(object, whole(), {std::move(reading)}, {current, ready}, memory);
    const auto* items = std::get_if<std::vector<int64_t>>(&metrics.at(0).reading);
    return items == nullptr ? std::nullopt : std::optional(items->at(0));
  }
};

TEST(HpaMetricsOfTriggers, QuantisedToMilli) {
  HandedOut out;
  const struct {
    double value;
    int64_t milli;
  } table[] = {{7, 7000},      {0.0004, 0},    {0.0005001, 1},
               {1.2345, 1234}, {-3, 0},        {NAN, 0},
               {INFINITY, 0},  {-INFINITY, 0}, {1e300, std::numeric_limits<int64_t>::max()}};
  for (const auto& c : table) EXPECT_EQ(out.milli(c.value, 1, 1), c.milli) << c.value;
}

TEST(HpaMetricsOfTriggers, FallbackBeyondTheThreshold) {
  HandedOut out;
  EXPECT_EQ(out.milli(kFailed, 3, 3), std::nullopt);  // no fallback set
  out.memory = {};
  out.object.fallback = api::Fallback{2, 6, api::FallbackBehavior::kStatic};
  EXPECT_EQ(out.milli(kFailed, 3, 3), std::nullopt);
  EXPECT_EQ(out.milli(kFailed, 3, 3), std::nullopt);
  EXPECT_EQ(out.milli(kFailed, 3, 3), 30'000);  // strictly more than 2 failures: 5 * 6
  EXPECT_EQ(out.milli(4.0, 3, 3), 4000);
  EXPECT_EQ(out.milli(kFailed, 3, 3), std::nullopt);  // counted anew
}

TEST(HpaMetricsOfTriggers, FallbackBehaviors) {
  using B = api::FallbackBehavior;
  const struct {
    B behavior;
    int32_t current;
    int64_t milli;
  } table[] = {{B::kStatic, 9, 30'000},
               {B::kCurrentReplicas, 9, 45'000},
               {B::kCurrentReplicasIfHigher, 9, 45'000},
               {B::kCurrentReplicasIfHigher, 2, 30'000},
               {B::kCurrentReplicasIfLower, 9, 30'000},
               {B::kCurrentReplicasIfLower, 2, 10'000}};
  for (const auto& c : table) {
    HandedOut out;
    out.object.fallback = api::Fallback{0, 6, c.behavior};
    EXPECT_EQ(out.milli(kFailed, c.current, 1), c.milli);
  }
}

TEST(HpaMetricsOfTriggers, FallbackOfAValueTargetDividesByReadyPods) {
  HandedOut out;
  out.object.fallback = api::Fallback{0, 7, api::FallbackBehavior::kStatic};
  out.plan.target_type = api::MetricTargetType::kValue;
  EXPECT_EQ(out.milli(kFailed, 3, 3), 11'666);  // 5 * 7 / 3, cut off
  EXPECT_EQ(out.milli(kFailed, 3, 0), std::nullopt);
}

// The stand-in value makes the HPA want exactly the fallback's replicas.
RC_GTEST_PROP(HpaMetricsOfTriggers, TheFallbackIsWhatTheHpaThenWants, ()) {
  HandedOut out;
  const auto replicas = *rc::gen::inRange(1, 50);
  out.object.fallback = api::Fallback{0, replicas, api::FallbackBehavior::kStatic};
  out.plan.target_milli = *rc::gen::inRange(1, 100'000);
  HpaInput input;
  input.max_replicas = 1000;
  input.spec_replicas = input.status_replicas = *rc::gen::inRange(1, 50);
  input.metrics =
      hpa_metrics(out.object, out.whole(), {kFailed}, {input.spec_replicas, 1}, out.memory);
  HpaMemory memory;
  const auto wish = evaluate_hpa(input, {}, kStart, memory).wanted_by_metric.at(0);
  const double ratio = static_cast<double>(replicas) / input.spec_replicas;
  const bool near = ratio > 0.89 && ratio < 1.11;
  RC_ASSERT(wish.has_value());
  RC_ASSERT(near || *wish == replicas);
}

}  // namespace
}  // namespace windlass::scaling

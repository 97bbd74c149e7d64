// Each rule of the HPA by itself, and the laws that hold whatever the inputs. The replay of a real
// controller is in hpa_vectors_test.cc.
#include "scaling/hpa.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace windlass::scaling {
namespace {

using api::MetricTargetType;
using api::ScalingPolicy;
using api::SelectPolicy;

constexpr Instant kStart{1'700'000'000'000'000'000};

HpaMetric metric(MetricTargetType type, int64_t target_milli, int64_t value_milli) {
  return {"m", type, target_milli, std::vector<int64_t>{value_milli}};
}
HpaMetric average(int64_t target, int64_t value) {
  return metric(MetricTargetType::kAverageValue, target * 1000, value * 1000);
}
HpaMetric failing() {
  return {"bad", MetricTargetType::kAverageValue, 1000, std::string("HTTP 500")};
}

HpaInput input_of(int32_t replicas, std::vector<HpaMetric> metrics, int32_t max = 1000) {
  HpaInput input;
  input.max_replicas = max;
  input.spec_replicas = replicas;
  input.status_replicas = replicas;
  input.ready_pods = replicas;
  input.metrics = std::move(metrics);
  return input;
}

// A behavior that neither holds nor limits, so that a test sees the bare wish.
api::Behavior free_behavior() {
  api::ScalingRules rules;
  rules.stabilization_window = Duration{};
  rules.policies = {{ScalingPolicy::Type::kPods, 1'000'000'000, seconds(15)}};
  return {rules, rules};
}

HpaDecision once(const HpaInput& input, Instant now = kStart) {
  HpaMemory memory;
  return evaluate_hpa(input, HpaOptions{}, now, memory);
}

std::string condition(const HpaDecision& decision, std::string_view type) {
  for (const HpaCondition& c : decision.conditions) {
    if (c.type == type) return fmt::format("{}:{}", c.status, c.reason);
  }
  return "absent";
}

struct WishCase {
  const char* name;
  MetricTargetType type;
  int32_t replicas;
  int32_t ready;
  int64_t target_milli;
  std::vector<int64_t> items_milli;
  int32_t wish;
};

TEST(HpaMetrics, WishOfOneMetric) {
  constexpr auto kAverage = MetricTargetType::kAverageValue;
  constexpr auto kValue = MetricTargetType::kValue;
  const WishCase table[] = {
      {"average: ceil of usage over target", kAverage, 3, 0, 5'000, {33'000}, 7},
      {"average: 1.1 exactly is within", kAverage, 10, 0, 10'000, {110'000}, 10},
      {"average: just above 1.1", kAverage, 10, 0, 10'000, {110'001}, 12},
      {"average: 0.9 exactly is within", kAverage, 10, 0, 10'000, {90'000}, 10},
      {"average: just below 0.9", kAverage, 10, 0, 10'000, {89'999}, 9},
      {"average: items are summed", kAverage, 2, 0, 10'000, {10'000, 15'000, 30'001}, 6},
      {"average: zero", kAverage, 4, 0, 10'000, {0}, 0},
      {"average: milli precision", kAverage, 1, 0, 1, {1'002}, 1002},
      {"value: ratio on ready pods", kValue, 4, 4, 10'000, {20'000}, 8},
      {"value: one of four ready shrinks", kValue, 4, 1, 10'000, {20'000}, 2},
      {"value: none ready", kValue, 4, 0, 10'000, {20'000}, 0},
      {"value: within tolerance keeps spec", kValue, 4, 1, 10'000, {11'000}, 4},
      {"value: 25 * 1.12 is 29 in floating point", kValue, 25, 25, 100'000, {112'000}, 29},
      {"value: beyond int32 is the largest",
       kValue,
       20,
       20,
       1,
       {3'000'000'000'000'000},
       2147483647},
      {"average: beyond int32 is the smallest, as on amd64",
       kAverage,
       1,
       0,
       1,
       {3'000'000'000},
       std::numeric_limits<int32_t>::min()},
  };
  const api::Behavior behavior = free_behavior();
  for (const WishCase& c : table) {
    HpaInput input = input_of(c.replicas, {{"m", c.type, c.target_milli, c.items_milli}});
    input.ready_pods = c.ready;
    input.behavior = &behavior;
    const HpaDecision decision = once(input);
    EXPECT_EQ(decision.wanted_by_metric.at(0), c.wish) << c.name;
    EXPECT_EQ(decision.replicas, std::clamp(c.wish, 1, 1000)) << c.name;
    EXPECT_EQ(condition(decision, "ScalingActive"), "True:ValidMetricFound") << c.name;
  }
}

TEST(HpaMetrics, TheLargestWishWins) {
  const api::Behavior behavior = free_behavior();
  HpaInput input = input_of(5, {average(10, 70), average(10, 90), average(10, 20)});
  input.behavior = &behavior;
  const HpaDecision decision = once(input);
  EXPECT_EQ(decision.replicas, 9);
  EXPECT_EQ(decision.why, "m wants 9 (90/10)");
}

TEST(HpaMetrics, FailuresBlockScaleInOnly) {
  struct Case {
    std::vector<HpaMetric> metrics;
    int32_t replicas;
    const char* active;
  };
  const Case table[] = {
      {{failing()}, 5, "False:FailedGetExternalMetric"},
      {{failing(), failing()}, 5, "False:FailedGetExternalMetric"},
      {{average(10, 20), failing()}, 5, "False:FailedGetExternalMetric"},
      {{average(10, 50), failing()}, 5, "True:ValidMetricFound"},
      {{failing(), average(10, 80)}, 8, "True:ValidMetricFound"},
      // An answer without items is no answer, and neither is a target type that is not External's.
      {{{"m", MetricTargetType::kValue, 1000, std::vector<int64_t>{}}},
       5,
       "False:FailedGetExternalMetric"},
      {{metric(MetricTargetType::kUtilization, 1000, 9000)}, 5, "False:FailedGetExternalMetric"},
      {{metric(MetricTargetType::kValue, 0, 9000)}, 5, "False:FailedGetExternalMetric"},
      {{}, 5, "False:FailedGetExternalMetric"},
  };
  const api::Behavior behavior = free_behavior();
  for (size_t i = 0; i < std::size(table); ++i) {
    HpaInput input = input_of(5, table[i].metrics);
    input.behavior = &behavior;
    const HpaDecision decision = once(input);
    EXPECT_EQ(decision.replicas, table[i].replicas) << i;
    EXPECT_EQ(condition(decision, "ScalingActive"), table[i].active) << i;
    if (decision.replicas == 5 && table[i].active[0] == 'F') {
      EXPECT_EQ(condition(decision, "ScalingLimited"), "absent") << i;
      EXPECT_EQ(condition(decision, "AbleToScale"), "True:SucceededGetScale") << i;
    }
  }
}

TEST(HpaBounds, OutsideGoesToTheBoundWithoutMetrics) {
  const HpaDecision above = once(input_of(30, {failing()}, 20));
  EXPECT_EQ(above.replicas, 20);
  EXPECT_EQ(condition(above, "AbleToScale"), "True:SucceededRescale");
  EXPECT_EQ(condition(above, "ScalingActive"), "absent");
  HpaInput below = input_of(2, {failing()}, 20);
  below.min_replicas = 6;
  EXPECT_EQ(once(below).replicas, 6);
}

TEST(HpaBounds, ZeroReplicasDisableScalingUnlessMinIsZero) {
  HpaInput input = input_of(0, {average(10, 90)});
  EXPECT_EQ(once(input).replicas, 0);
  EXPECT_EQ(condition(once(input), "ScalingActive"), "False:ScalingDisabled");
  input.min_replicas = 0;
  // Somebody else's zero stays; only the HPA's own is left again (the ramp from zero).
  EXPECT_EQ(condition(once(input), "ScalingActive"), "False:ScalingDisabled");
  EXPECT_EQ(condition(once(input), "ScaledToZero"), "False:NotScaledToZero");
  const auto once_own_zero = [](const HpaInput& zero) {
    HpaMemory memory;
    memory.scaled_to_zero = true;
    return evaluate_hpa(zero, {}, kStart, memory);
  };
  EXPECT_EQ(once_own_zero(input).replicas, 4);
  input.metrics = {metric(MetricTargetType::kValue, 10'000, 21'000)};
  // The bare ratio, without pods or tolerance.
  EXPECT_EQ(once_own_zero(input).replicas, 3);
  input.metrics = {average(10, 0)};
  EXPECT_EQ(once_own_zero(input).replicas, 0);
  EXPECT_EQ(condition(once_own_zero(input), "ScaledToZero"), "True:ScaledToZero");
}

TEST(HpaLegacy, RampAndItsConditions) {
  const struct {
    int32_t replicas, value, max, expected;
    const char* limited;
  } table[] = {
      {1, 200, 20, 4, "True:ScaleUpLimit"},          {2, 200, 20, 4, "True:ScaleUpLimit"},
      {4, 200, 20, 8, "True:ScaleUpLimit"},          {9, 200, 18, 18, "True:TooManyReplicas"},
      {16, 200, 20, 20, "False:DesiredWithinRange"}, {3, 30, 20, 3, "False:DesiredWithinRange"},
      {3, 60, 5, 5, "True:TooManyReplicas"},
  };
  for (const auto& c : table) {
    const HpaDecision decision = once(input_of(c.replicas, {average(10, c.value)}, c.max));
    EXPECT_EQ(decision.replicas, c.expected) << c.replicas;
    EXPECT_EQ(condition(decision, "ScalingLimited"), c.limited) << c.replicas;
  }
  const HpaDecision decision = once(input_of(1, {average(5, 33)}));
  EXPECT_EQ(decision.why, "m wants 7 (33/5); limited to 4 by the ramp of 2x or 4");
}

TEST(HpaLegacy, TheWindowHoldsAndPullsUp) {
  HpaMemory memory;
  const HpaOptions options;
  const auto sync = [&](int32_t replicas, int32_t value, int at_s) {
    return evaluate_hpa(input_of(replicas, {average(10, value)}), options, kStart + seconds(at_s),
                        memory);
  };
  EXPECT_EQ(sync(1, 100, 0).replicas, 4);
  // The metric is within tolerance of 4 now, but the wish for 10 is in the window.
  const HpaDecision pulled = sync(4, 40, 15);
  EXPECT_EQ(pulled.replicas, 8);
  EXPECT_EQ(sync(8, 40, 30).replicas, 10);
  const HpaDecision held = sync(10, 40, 299);
  EXPECT_EQ(held.replicas, 10);
  EXPECT_EQ(condition(held, "AbleToScale"), "True:ScaleDownStabilized");
  // At 300 s the wish is still inside (not before the cutoff), just after no longer.
  EXPECT_EQ(sync(10, 40, 300).replicas, 10);
  EXPECT_EQ(sync(10, 40, 301).replicas, 4);
}

TEST(HpaLegacy, TheFirstSyncCountsWhatItFindsAsAWish) {
  EXPECT_EQ(once(input_of(10, {average(10, 20)})).replicas, 10);
}

TEST(HpaBehavior, DefaultsOfAbsentHalves) {
  const api::Behavior empty;
  HpaInput input = input_of(3, {average(10, 900)});
  input.behavior = &empty;
  EXPECT_EQ(once(input).replicas, 7);  // 4 pods beat 100 %
  input = input_of(10, {average(10, 900)});
  input.behavior = &empty;
  EXPECT_EQ(once(input).replicas, 20);  // 100 % beats 4 pods
  // Down: the controller's window of 300 s holds what it found at the start.
  input = input_of(10, {average(10, 20)});
  input.behavior = &empty;
  HpaMemory memory;
  EXPECT_EQ(evaluate_hpa(input, {}, kStart, memory).replicas, 10);
  EXPECT_EQ(evaluate_hpa(input, {}, kStart + seconds(299), memory).replicas, 10);
  EXPECT_EQ(evaluate_hpa(input, {}, kStart + seconds(300), memory).replicas, 2);
}

struct PolicyCase {
  const char* name;
  int32_t replicas;
  int32_t value;
  SelectPolicy select;
  std::vector<ScalingPolicy> policies;
  int32_t expected;
};

TEST(HpaBehavior, PoliciesLimitTheStep) {
  constexpr auto kPods = ScalingPolicy::Type::kPods;
  constexpr auto kPercent = ScalingPolicy::Type::kPercent;
  const std::vector<ScalingPolicy> both{{kPods, 3, seconds(60)}, {kPercent, 50, seconds(60)}};
  const PolicyCase table[] = {
      {"up, pods", 4, 200, SelectPolicy::kMax, {{kPods, 3, seconds(60)}}, 7},
      {"up, percent rounds up", 9, 200, SelectPolicy::kMax, {{kPercent, 50, seconds(60)}}, 14},
      {"up, max", 10, 200, SelectPolicy::kMax, both, 15},
      {"up, min", 10, 200, SelectPolicy::kMin, both, 13},
      {"up, disabled", 10, 200, SelectPolicy::kDisabled, both, 10},
      {"down, pods", 10, 10, SelectPolicy::kMax, {{kPods, 3, seconds(60)}}, 7},
      {"down, percent truncates", 9, 10, SelectPolicy::kMax, {{kPercent, 50, seconds(60)}}, 4},
      {"down, 20 * (1 - 0.9) is 1", 20, 10, SelectPolicy::kMax, {{kPercent, 90, seconds(60)}}, 1},
      {"down, max is the biggest change", 10, 10, SelectPolicy::kMax, both, 5},
      {"down, min is the smallest change", 10, 10, SelectPolicy::kMin, both, 7},
      {"down, disabled", 10, 10, SelectPolicy::kDisabled, both, 10},
  };
  for (const PolicyCase& c : table) {
    api::ScalingRules rules{Duration{}, c.select, c.policies, std::nullopt};
    const api::Behavior behavior{rules, rules};
    HpaInput input = input_of(c.replicas, {average(10, c.value)});
    input.behavior = &behavior;
    EXPECT_EQ(once(input).replicas, c.expected) << c.name;
  }
}

TEST(HpaBehavior, PeriodsCountBothDirections) {
  api::ScalingRules rules{
      Duration{}, SelectPolicy::kMax, {{ScalingPolicy::Type::kPods, 4, seconds(60)}}, std::nullopt};
  const api::Behavior behavior{rules, rules};
  HpaMemory memory;
  const auto sync = [&](int32_t replicas, int32_t value, int at_s) {
    HpaInput input = input_of(replicas, {average(10, value)});
    input.behavior = &behavior;
    return evaluate_hpa(input, {}, kStart + seconds(at_s), memory).replicas;
  };
  EXPECT_EQ(sync(10, 500, 0), 14);
  EXPECT_EQ(sync(14, 500, 30), 14);   // the period began with 10: 4 are used up
  EXPECT_EQ(sync(14, 10, 45), 6);     // down it may go to 10 - 4
  EXPECT_EQ(sync(6, 500, 50), 14);    // 6 - 4 + 8 = 10 at the start, hence 14 again
  EXPECT_EQ(sync(14, 500, 111), 18);  // the events are past
}

TEST(HpaBehavior, ClampToABoundCountsAsAnEvent) {
  api::ScalingRules rules{
      Duration{}, SelectPolicy::kMax, {{ScalingPolicy::Type::kPods, 4, seconds(60)}}, std::nullopt};
  const api::Behavior behavior{rules, rules};
  HpaMemory memory;
  HpaInput input = input_of(2, {average(10, 500)});
  input.min_replicas = 5;
  input.behavior = &behavior;
  EXPECT_EQ(evaluate_hpa(input, {}, kStart, memory).replicas, 5);
  input.spec_replicas = input.status_replicas = 5;
  EXPECT_EQ(evaluate_hpa(input, {}, kStart + seconds(15), memory).replicas, 6);
}

TEST(HpaBehavior, UpWindowTakesTheSmallestWish) {
  api::Behavior behavior = free_behavior();
  behavior.scale_up->stabilization_window = seconds(60);
  HpaMemory memory;
  const auto sync = [&](int32_t value, int at_s) {
    HpaInput input = input_of(5, {average(10, value)});
    input.behavior = &behavior;
    return evaluate_hpa(input, {}, kStart + seconds(at_s), memory);
  };
  const HpaDecision held = sync(200, 0);
  EXPECT_EQ(held.replicas, 5);
  EXPECT_EQ(condition(held, "AbleToScale"), "True:ScaleUpStabilized");
  EXPECT_EQ(sync(100, 30).replicas, 5);
  EXPECT_EQ(sync(150, 61).replicas, 10);  // the smallest of 20, 10 and 15
}

TEST(HpaBehavior, TolerancePerDirection) {
  api::Behavior behavior = free_behavior();
  behavior.scale_up->tolerance = Quantity::from_milli(0);
  behavior.scale_down->tolerance = Quantity::from_milli(500);
  const auto replicas = [&](int32_t value) {
    HpaInput input = input_of(10, {average(10, value)});
    input.behavior = &behavior;
    return once(input).replicas;
  };
  EXPECT_EQ(replicas(101), 11);
  EXPECT_EQ(replicas(50), 10);
  EXPECT_EQ(replicas(49), 5);
}

// ---- laws -----------------------------------------------------------------------------------

rc::Gen<api::ScalingRules> any_rules() {
  const auto policy = rc::gen::build<ScalingPolicy>(
      rc::gen::set(&ScalingPolicy::type,
                   rc::gen::element(ScalingPolicy::Type::kPods, ScalingPolicy::Type::kPercent)),
      rc::gen::set(&ScalingPolicy::value, rc::gen::inRange(1, 150)),
      rc::gen::set(&ScalingPolicy::period,
                   rc::gen::map(rc::gen::inRange(1, 120), [](int s) { return seconds(s); })));
  return rc::gen::build<api::ScalingRules>(
      rc::gen::set(&api::ScalingRules::stabilization_window,
                   rc::gen::map(rc::gen::inRange(0, 120),
                                [](int s) { return std::optional<Duration>(seconds(s)); })),
      rc::gen::set(
          &api::ScalingRules::select,
          rc::gen::element(SelectPolicy::kMax, SelectPolicy::kMin, SelectPolicy::kDisabled)),
      rc::gen::set(&api::ScalingRules::policies,
                   rc::gen::container<std::vector<ScalingPolicy>>(policy)));
}

// Replicas stay within the bounds, however long the run.
RC_GTEST_PROP(HpaLaws, BoundsAlwaysHold, ()) {
  const bool with_behavior = *rc::gen::arbitrary<bool>();
  const api::Behavior behavior{*any_rules(), *any_rules()};
  HpaInput input;
  input.min_replicas = *rc::gen::inRange(1, 10);
  input.max_replicas = input.min_replicas + *rc::gen::inRange(0, 60);
  input.behavior = with_behavior ? &behavior : nullptr;
  input.spec_replicas = *rc::gen::inRange(1, 100);
  HpaMemory memory;
  Instant now = kStart;
  const int syncs = *rc::gen::inRange(1, 40);
  for (int i = 0; i < syncs; ++i) {
    input.status_replicas = input.spec_replicas;
    input.ready_pods = *rc::gen::inRange(0, input.spec_replicas + 1);
    input.metrics = {
        metric(*rc::gen::element(MetricTargetType::kValue, MetricTargetType::kAverageValue),
               *rc::gen::inRange(1, 20'000), *rc::gen::inRange(0, 2'000'000))};
    if (*rc::gen::inRange(0, 8) == 0) input.metrics.push_back(failing());
    now = now + seconds(*rc::gen::inRange(1, 60));
    input.spec_replicas = evaluate_hpa(input, {}, now, memory).replicas;
    RC_ASSERT(input.spec_replicas >= input.min_replicas);
    RC_ASSERT(input.spec_replicas <= input.max_replicas);
  }
}

// Pods v per period p, alone and Max: over any stretch of p the replicas rise by at most v, counted
// from the history itself.
RC_GTEST_PROP(HpaLaws, RateLimitsAlwaysHold, ()) {
  const int32_t pods = *rc::gen::inRange(1, 10);
  const int period_s = *rc::gen::inRange(5, 90);
  api::ScalingRules rules{Duration{},
                          SelectPolicy::kMax,
                          {{ScalingPolicy::Type::kPods, pods, seconds(period_s)}},
                          std::nullopt};
  const api::Behavior behavior{rules, rules};
  HpaInput input = input_of(20, {}, 10'000);
  input.behavior = &behavior;
  HpaMemory memory;
  Instant now = kStart;
  std::vector<std::pair<Instant, int32_t>> history{{now, input.spec_replicas}};
  for (int i = 0; i < 60; ++i) {
    now = now + seconds(*rc::gen::inRange(1, 20));
    input.status_replicas = input.spec_replicas;
    input.metrics = {average(10, *rc::gen::inRange(0, 3000))};
    const int32_t before = input.spec_replicas;
    input.spec_replicas = evaluate_hpa(input, {}, now, memory).replicas;
    // Replicas at the start of the period that ends now: after the last change at or before it.
    int32_t start = history.front().second;
    for (const auto& [at, replicas] : history) {
      if (at <= now - seconds(period_s)) start = replicas;
    }
    if (input.spec_replicas > before) RC_ASSERT(input.spec_replicas <= start + pods);
    if (input.spec_replicas < before) RC_ASSERT(input.spec_replicas >= start - pods);
    history.emplace_back(now, input.spec_replicas);
  }
}

// The ramp without behavior: never beyond max(2 S, 4).
RC_GTEST_PROP(HpaLaws, TheLegacyRampHolds, ()) {
  HpaInput input = input_of(*rc::gen::inRange(1, 50), {}, 1'000'000);
  HpaMemory memory;
  Instant now = kStart;
  for (int i = 0; i < 20; ++i) {
    now = now + seconds(15);
    input.status_replicas = input.spec_replicas;
    input.metrics = {average(10, *rc::gen::inRange(0, 100'000))};
    const int32_t replicas = evaluate_hpa(input, {}, now, memory).replicas;
    RC_ASSERT(replicas <= std::max(2 * input.spec_replicas, 4));
    input.spec_replicas = replicas;
  }
}

// A metric that never leaves the tolerance never moves anything.
RC_GTEST_PROP(HpaLaws, WithinToleranceNothingChanges, ()) {
  const bool with_behavior = *rc::gen::arbitrary<bool>();
  const api::Behavior behavior{*any_rules(), *any_rules()};
  const int32_t replicas = *rc::gen::inRange(1, 200);
  HpaMemory memory;
  Instant now = kStart;
  for (int i = 0; i < 20; ++i) {
    const int64_t target = *rc::gen::inRange<int64_t>(100, 100'000);
    const int64_t per_mille = *rc::gen::inRange<int64_t>(901, 1100);
    const bool value = *rc::gen::arbitrary<bool>();
    const int64_t usage = target * (value ? 1 : replicas) * per_mille / 1000;
    HpaInput input = input_of(
        replicas, {metric(value ? MetricTargetType::kValue : MetricTargetType::kAverageValue,
                          target, usage)});
    input.ready_pods = *rc::gen::inRange(0, replicas + 1);
    input.behavior = with_behavior ? &behavior : nullptr;
    // Integer division above may land a hair below 0.9.
    RC_PRE(usage * 10 >= target * (value ? 1 : replicas) * 9);
    now = now + seconds(15);
    RC_ASSERT(evaluate_hpa(input, {}, now, memory).replicas == replicas);
  }
}

}  // namespace
}  // namespace windlass::scaling

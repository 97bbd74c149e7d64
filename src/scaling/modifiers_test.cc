// Sections 1.6 and 1.7 of reference keda_hpa.md (scaling modifiers and fallback with them), 1.8,
// and the opt-in annotations of opt_ins.h.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "scaling/scaled_object.h"

namespace windlass::scaling {
namespace {

constexpr Instant kNow{1'700'000'000'000'000'000};
const TriggerReading kFailed = Error("HTTP 503");

api::ScaledObject object_of(const char* formula, const char* target = "5") {
  api::ScaledObject object;
  object.meta.name = "llm";
  object.meta.created = kNow - hours(1);
  for (const char* name : {"a", "b"}) {
    api::Trigger trigger;
    trigger.type = "prometheus";
    trigger.name = name;
    trigger.metadata = {{"serverAddress", "http://p"}, {"query", "q"}, {"threshold", "5"}};
    object.triggers.push_back(std::move(trigger));
  }
  if (formula != nullptr) object.modifiers = api::ScalingModifiers{formula, target, "", {}};
  return object;
}

struct World {
  api::ScaledObject object;
  ScaledObjectMemory memory{};

  [[nodiscard]] ScaledObjectPlan plan() const {
    const auto plan = plan_scaled_object(object);
    EXPECT_TRUE(plan.ok()) << plan.error().message();
    return *plan;
  }
  // The one metric's value in milli, or its error.
  std::string handed_out(std::vector<TriggerReading> readings, TargetState target = {4, 4}) {
    const auto metrics = hpa_metrics(object, plan(), readings, target, memory);
    EXPECT_EQ(metrics.size(), 1u);
    EXPECT_EQ(metrics.at(0).name, "composite-metric");
    const auto& reading = metrics.at(0).reading;
    if (const auto* error = std::get_if<std::string>(&reading)) return *error;
    return std::to_string(std::get<0>(reading).at(0));
  }
  PollDecision poll(std::vector<TriggerReading> readings, int32_t replicas) {
    return evaluate_poll(object, plan(), readings, {replicas, replicas}, kNow, memory);
  }
};

TEST(Modifiers, OneMetricOfAll) {
  World world{object_of("a + b * 2")};
  EXPECT_EQ(world.handed_out({1.0, 2.25}), "5500");
  EXPECT_EQ(world.handed_out({-9.0, 1.0}), "0");
  EXPECT_EQ(world.handed_out({1.0, kFailed}), "s1-prometheus: HTTP 503");
  world.object.modifiers->activation_target = "5.5";
  EXPECT_FALSE(world.poll({1.5, 2.0}, 0).active);  // at it, not above
  EXPECT_TRUE(world.poll({1.6, 2.0}, 0).active);
  EXPECT_FALSE(world.poll({100.0, kFailed}, 0).active);
}

TEST(Modifiers, FallbackReplacesTheFormulaOrFillsIt) {
  World world{object_of("a + b")};
  world.object.fallback = api::Fallback{0, 3, api::FallbackBehavior::kStatic};
  EXPECT_EQ(world.handed_out({1.0, kFailed}), "15000");
  EXPECT_EQ(world.poll({1.0, kFailed}, 0).set_replicas, 1);
  World coalescing{object_of("a ?? b ?? nil")};
  coalescing.object.fallback = api::Fallback{0, 3, api::FallbackBehavior::kScalingModifiers};
  EXPECT_EQ(coalescing.handed_out({kFailed, 7.0}), "7000");
  EXPECT_EQ(coalescing.handed_out({kFailed, kFailed}), "15000");
  EXPECT_EQ(coalescing.handed_out({2.0, kFailed}), "2000");
  World fraction{object_of("a + b", "2.5")};
  fraction.object.fallback = world.object.fallback;
  EXPECT_EQ(fraction.handed_out({1.0, kFailed}), "s1-prometheus: HTTP 503");
}

TEST(Modifiers, WhatTheWebhookRefuses) {
  const auto error = [](api::ScaledObject object) {
    const auto plan = plan_scaled_object(object);
    return plan.ok() ? std::string() : plan.error().message();
  };
  EXPECT_EQ(error(object_of("a + c")),
            "advanced.scalingModifiers.formula: column 5: unknown name \"c\" (accepted: a, b); did "
            "you mean \"a\"?");
  EXPECT_NE(error(object_of("a > b")).find("gives a boolean"), std::string::npos);
  EXPECT_NE(error(object_of("a", "0")).find("scalingModifiers.target"), std::string::npos);
  api::ScaledObject lonely = object_of(nullptr);
  lonely.fallback = api::Fallback{0, 3, api::FallbackBehavior::kScalingModifiers};
  EXPECT_NE(error(lonely).find("fallback.behavior"), std::string::npos);
}

TEST(OptIns, StraightActivation) {
  World world{object_of(nullptr)};
  EXPECT_EQ(world.poll({33.0, 12.0}, 0).set_replicas, 1);
  world.object.meta.annotations[kStraightActivation] = "true";
  EXPECT_EQ(world.poll({33.0, 12.0}, 0).set_replicas, 7);
  EXPECT_EQ(world.poll({33.0, 12.0}, 3).set_replicas, std::nullopt);
  world.object.max_replicas = 5;
  EXPECT_EQ(world.poll({33.0, 12.0}, 0).set_replicas, 5);
  world.object.min_replicas = 2;
  EXPECT_EQ(world.poll({1.0, 0.0}, 0).set_replicas, 2);
}

TEST(OptIns, OldSamplesGiveWayToTheLastGoodOne) {
  World world{object_of(nullptr)};
  world.object.meta.annotations = {{kMaxSampleAge, "60s"}, {kHoldLast, "5m"}};
  const ScaledObjectPlan plan = world.plan();
  const auto read = [&](TriggerReading first, Instant now) {
    return trusted_readings(plan, {std::move(first), 1.0}, now, world.memory).at(0);
  };
  const auto aged = [](double value, Instant at) {
    TriggerReading reading(value);
    reading.sampled_at = at;
    return reading;
  };
  TriggerReading nothing(0.0);
  nothing.from_nothing = true;
  EXPECT_FALSE(read(nothing, kNow).ok());  // nothing to hold yet
  EXPECT_EQ(*read(aged(9, kNow - seconds(60)), kNow), 9);
  EXPECT_EQ(*read(aged(4, kNow - seconds(61)), kNow), 9);
  EXPECT_EQ(*read(nothing, kNow + minutes(5)), 9);
  EXPECT_EQ(*read(kFailed, kNow + minutes(5)), 9);
  EXPECT_FALSE(read(kFailed, kNow + minutes(5) + seconds(1)).ok());
  EXPECT_EQ(*read(2.0, kNow + minutes(6)), 2);
}

TEST(OptIns, GpuWeightsStretchTheTarget) {
  World world{object_of(nullptr)};
  world.object.meta.annotations[kGpuWeights] = "h100=1, l40s=0.4";
  const OptIns opt_ins = world.plan().opt_ins;
  const std::vector<std::string> mixed{"h100", "l40s", "l40s", "unknown"};
  EXPECT_DOUBLE_EQ(mean_gpu_weight(opt_ins, mixed), 0.7);
  EXPECT_EQ(mean_gpu_weight(opt_ins, {}), 1);
  TargetState target{4, 4, 0.4};
  const auto metrics = hpa_metrics(world.object, world.plan(), {20.0, 1.0}, target, world.memory);
  EXPECT_EQ(metrics.at(0).target_milli, 2000);  // 5 an h100 is 2 an l40s
}

TEST(OptIns, BadValuesNameTheAnnotation) {
  for (const auto& [key, value] : {std::pair{kStraightActivation, "yes"},
                                   {kMaxSampleAge, "soon"},
                                   {kMaxSampleAge, "-1s"},
                                   {kHoldLast, "1m"},
                                   {kGpuWeights, "h100"},
                                   {kGpuWeights, "h100=0"},
                                   {kGpuWeights, "=1"}}) {
    const auto read = read_opt_ins({{key, value}});
    ASSERT_FALSE(read.ok()) << key;
    EXPECT_NE(read.error().message().find(key), std::string::npos);
  }
}

// Laws of the poll: a step goes only from zero (or below min) up, or down to zero or idle; what it
// sets lies within the maximum; an active round never shrinks.
RC_GTEST_PROP(PollLaws, StepsAreOnlyTheOnesThatAreKedas, ()) {
  World world{object_of(*rc::gen::element<const char*>(nullptr, "a + b", "max(a, b)"))};
  const int32_t min = *rc::gen::inRange(0, 4);
  const int32_t max = *rc::gen::inRange(4, 20);
  world.object.min_replicas = min;
  world.object.max_replicas = max;
  if (*rc::gen::arbitrary<bool>()) world.object.meta.annotations[kStraightActivation] = "true";
  if (*rc::gen::arbitrary<bool>())
    world.object.last_active = kNow - seconds(*rc::gen::inRange(0, 600));
  if (*rc::gen::arbitrary<bool>()) {
    world.object.fallback = api::Fallback{*rc::gen::inRange(0, 2), *rc::gen::inRange(0, 30),
                                          api::FallbackBehavior::kStatic};
  }
  const int32_t current = *rc::gen::inRange(0, 20);
  std::vector<TriggerReading> readings;
  for (int i = 0; i < 2; ++i) {
    readings.push_back(
        *rc::gen::inRange(0, 4) == 0 ? kFailed : TriggerReading(*rc::gen::inRange(-50, 200) / 2.0));
  }
  const PollDecision decision = world.poll(readings, current);
  if (!decision.set_replicas) return;
  const int32_t next = *decision.set_replicas;
  RC_ASSERT(next >= 0 && next <= max);
  if (decision.active) RC_ASSERT(current == 0 && next >= std::max(min, 1));
  if (!decision.active) RC_ASSERT(next == 0 || (current < min && next == min));
  if (next == 0) RC_ASSERT(min == 0 && current > 0);
}

}  // namespace
}  // namespace windlass::scaling

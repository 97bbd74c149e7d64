// The command's plan: several passes over one cluster, applied in turn (karpenter.md 4).
#include "cli/plan_disruption_command.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace windlass::cli {
namespace {

constexpr const char* kExample = "examples/plan/disruption.yaml";

Instant at(const char* text) { return parse_rfc3339(text).value(); }

DisruptionPlan plan_of(const char* time, const disruption::Options& options = {}) {
  return plan_disruption(read_plan_input({kExample}, "", at(time)).value().state, options,
                         at(time));
}

std::string in_short(const DisruptionPlan& plan) {
  std::string text;
  for (const PlannedCommand& c : plan.commands) {
    text += c.method;
    for (const std::string& node : c.nodes) text += " " + node;
    text += ";";
  }
  return text;
}

// A Sunday: 60 % of five nodes.
TEST(PlanDisruption, CommandsInOrderUpToTheBudgets) {
  const DisruptionPlan plan = plan_of("2026-03-01T12:00:00Z");
  EXPECT_EQ(in_short(plan), "emptiness empty;drift old-image;single_node_consolidation half-b;");
  ASSERT_EQ(plan.left.size(), 2u);
  EXPECT_EQ(plan.left[0].node, "half-a");
  EXPECT_EQ(plan.left[0].reason, "budget of pool general allows 0 of 5 nodes for Underutilized");
  EXPECT_EQ(plan.left[1].reason, "blocked by pod shop/train-0's karpenter.sh/do-not-disrupt");
  EXPECT_NEAR(plan.usd_per_hour_before, 1.344, 1e-9);
  EXPECT_NEAR(plan.usd_per_hour_after, 0.576, 1e-9);
}

// A Monday morning: 4.6, a window for two of the reasons.
TEST(PlanDisruption, CronWindows) {
  EXPECT_EQ(in_short(plan_of("2026-03-02T08:00:00Z")), "emptiness empty;");
  EXPECT_EQ(in_short(plan_of("2026-03-02T11:59:59Z")), "emptiness empty;");
  EXPECT_EQ(plan_of("2026-03-02T12:00:00Z").commands.size(), 3u);
}

// 4.7: no budget holds what has expired.
TEST(PlanDisruption, ExpiredClaimsComeFirst) {
  const Instant now = at("2026-03-02T09:00:00Z");
  cluster::State state = read_plan_input({kExample}, "", now).value().state;
  api::NodeClaim old = state.node_claims().at("general-old");
  old.expire_after = hours(24);
  state.put(old);
  const DisruptionPlan plan = plan_disruption(std::move(state), {}, now);
  EXPECT_EQ(in_short(plan), "expiration old-image;emptiness empty;");
}

TEST(PlanDisruption, NeverPaysMoreAfterThanBefore) {
  for (const auto objective : {disruption::Objective::kStock, disruption::Objective::kCost}) {
    disruption::Options options;
    options.objective = objective;
    const DisruptionPlan plan = plan_of("2026-03-01T12:00:00Z", options);
    EXPECT_LT(plan.usd_per_hour_after, plan.usd_per_hour_before);
  }
}

TEST(PlanDisruption, JsonHoldsWhatTheTableShows) {
  const DisruptionPlan plan = plan_of("2026-03-01T12:00:00Z");
  const Json json = parse_json(disruption_json(plan, {"a warning"})).value();
  ASSERT_EQ(json.at("commands").size(), plan.commands.size());
  EXPECT_EQ(json.at("commands")[0].at("action"), "delete");
  EXPECT_EQ(json.at("left").size(), plan.left.size());
  EXPECT_EQ(json.at("warnings")[0], "a warning");
  const std::string table = disruption_table(plan);
  for (const PlannedCommand& command : plan.commands) {
    EXPECT_NE(table.find(command.why), std::string::npos);
  }
}

TEST(PlanDisruption, BadInputIsCodeTwo) {
  PlanDisruptionOptions options;
  options.files = {"no/such/file.yaml"};
  EXPECT_EQ(run_plan_disruption(options), 2);
  options.files = {kExample};
  options.now = "yesterday";
  EXPECT_EQ(run_plan_disruption(options), 2);
}

}  // namespace
}  // namespace windlass::cli

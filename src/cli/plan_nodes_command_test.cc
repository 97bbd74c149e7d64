#include "cli/plan_nodes_command.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace windlass::cli {
namespace {

using nlohmann::json;

constexpr Instant kNow{1'767'225'600'000'000'000};
const std::string kExample = "examples/plan/nodes.yaml";

json planned(const std::vector<std::string>& files, bool for_cost) {
  const auto input = read_plan_input(files, "", kNow);
  EXPECT_TRUE(input.ok()) << input.error().message();
  NodesPlan plan;
  plan.for_cost = for_cost;
  plan_nodes(input->state, kNow, plan);
  return json::parse(nodes_json(plan, input->warnings));
}

TEST(PlanNodes, JsonHasTheFieldsOfTheContract) {
  const json out = planned({kExample}, false);
  for (const char* key : {"claims", "placements", "unschedulable", "usd_per_hour",
                          "lower_bound_usd_per_hour", "elapsed_ms"}) {
    EXPECT_TRUE(out.contains(key)) << key;
  }
  ASSERT_FALSE(out["claims"].empty());
  double sum = 0;
  for (const json& claim : out["claims"]) {
    for (const char* key : {"nodepool", "instance_types", "requirements", "capacity_type", "zones",
                            "pods", "usd_per_hour"}) {
      EXPECT_TRUE(claim.contains(key)) << key;
    }
    EXPECT_EQ(claim["nodepool"], "gpu");
    EXPECT_EQ(claim["capacity_type"], "on-demand");
    sum += claim["usd_per_hour"].get<double>();
  }
  EXPECT_NEAR(sum, out["usd_per_hour"].get<double>(), 1e-9);
  ASSERT_EQ(out["placements"].size(), 1U);
  EXPECT_EQ(out["placements"][0]["node"], "gpu-there");
}

TEST(PlanNodes, CostPaysLessThanStockForTheExample) {
  const json stock = planned({kExample}, false);
  const json cost = planned({kExample}, true);
  EXPECT_EQ(cost["stock_usd_per_hour"], stock["usd_per_hour"]);
  EXPECT_LT(cost["usd_per_hour"].get<double>(), stock["usd_per_hour"].get<double>());
  EXPECT_LE(cost["lower_bound_usd_per_hour"].get<double>(), cost["usd_per_hour"].get<double>());
}

TEST(PlanNodes, TheTableShowsTheSame) {
  const auto input = read_plan_input({kExample}, "", kNow);
  ASSERT_TRUE(input.ok()) << input.error().message();
  NodesPlan plan;
  plan.for_cost = true;
  plan_nodes(input->state, kNow, plan);
  const std::string table = nodes_table(plan);
  for (const char* piece : {"default/chat-0  gpu-there", "lower bound", "stock would pay",
                            "default/tune-0", "pods without a place: 0"}) {
    EXPECT_NE(table.find(piece), std::string::npos) << piece << " in\n" << table;
  }
}

TEST(PlanNodes, ExitCodes) {
  EXPECT_EQ(run_plan_nodes({.files = {"no/such/file.yaml"}, .output = "json"}), 2);
  EXPECT_EQ(run_plan_nodes({.files = {kExample}, .output = "json"}), 0);
  EXPECT_EQ(run_plan_nodes({.files = {"examples/plan/nodes_no_place.yaml"}, .output = "json"}), 1);
}

}  // namespace
}  // namespace windlass::cli

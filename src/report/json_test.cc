#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "report/report.h"
#include "report/test_results.h"

namespace windlass::report {
namespace {

Json at(const Json& json, const char* pointer) { return json.at(Json::json_pointer(pointer)); }

TEST(ResultsJson, ShapeAndValues) {
  const Json json = results_json(two_policies());
  const struct {
    const char* pointer;
    Json value;
  } cases[] = {
      {"/scenario", "morning.yaml"},
      {"/seed", 7},
      {"/duration_s", 3600.0},
      {"/notes/0", "nodepool/gpu: no limits are set"},
      {"/policies/0/name", "static"},
      {"/policies/0/cost_usd", 1234.5},
      {"/policies/0/cost_vs_static_pct", 0.0},
      {"/policies/1/cost_vs_static_pct", -50.0},
      {"/policies/1/gpu_hours_paid", 48.0},
      {"/policies/1/gpu_utilization", 0.625},
      {"/policies/1/gpu_allocation", 0.8},
      {"/policies/1/latency_ms/p99", 8000.0},
      {"/policies/1/latency_ms/mean", 500.0},
      {"/policies/1/ttft_ms/p95", 310.0},
      {"/policies/1/slo_ms", 2000.0},
      {"/policies/1/slo_attainment", 0.99995},
      {"/policies/1/requests/offered", 1234567},
      {"/policies/1/requests/completed", 1234000},
      {"/policies/1/requests/failed", 500},
      {"/policies/1/requests/retried", 40},
      {"/policies/1/requests/unfinished", 67},
      {"/policies/0/provisioning_s/node_ready/p50", nullptr},
      {"/policies/1/provisioning_s/node_ready/p50", 41.25},
      {"/policies/1/provisioning_s/pod_ready/p95", 110.4},
      {"/policies/1/provisioning_s/first_token/p50", 78.5},
      {"/policies/1/nodes/launched", 9},
      {"/policies/1/nodes/terminated", 7},
      {"/policies/1/nodes/peak", 4},
      {"/policies/1/nodes/by_type/g4dn.xlarge", 4},
      {"/policies/1/nodes/spot_interrupted", 1},
      {"/policies/1/nodes/insufficient_capacity", 2},
      {"/policies/1/jobs/submitted", 5},
      {"/policies/1/jobs/completed", 3},
      {"/policies/1/jobs/mean_wait_s", 95.0},
      {"/policies/1/jobs/redone_gpu_s", 5400.0},
      {"/policies/1/run_hash", "ffeeddccbbaa9988"},
      {"/policies/1/wall_s", 0.0},
      {"/policies/1/partial", false},
      {"/policies/1/notes/0", "the forecast was short by 12 % at the morning peak"},
  };
  for (const auto& c : cases) EXPECT_EQ(at(json, c.pointer), c.value) << c.pointer;
}

TEST(ResultsJson, TheBaselineIsThePolicyNamedStaticWhereverItStands) {
  sim::ScenarioResult result = two_policies();
  std::swap(result.policies[0], result.policies[1]);
  EXPECT_EQ(at(results_json(result), "/policies/0/cost_vs_static_pct"), -50.0);
  result.policies[1].policy = "fixed";
  EXPECT_TRUE(at(results_json(result), "/policies/0/cost_vs_static_pct").is_null());
}

TEST(ResultsJson, NothingToCompareIsNull) {
  sim::ScenarioResult result = two_policies();
  result.policies[1].simulated_s = 1800;
  EXPECT_TRUE(at(results_json(result), "/policies/1/cost_vs_static_pct").is_null());
  result = two_policies();
  result.policies[0].cost_usd = 0;
  EXPECT_TRUE(at(results_json(result), "/policies/1/cost_vs_static_pct").is_null());
}

TEST(ResultsJson, NanAndInfinityAreNull) {
  sim::ScenarioResult result = two_policies();
  result.policies[1].latency_ms = {NAN, INFINITY, -INFINITY, NAN};
  result.policies[1].slo_attainment = NAN;
  const Json json = results_json(result);
  for (const char* pointer : {"/policies/1/latency_ms/p50", "/policies/1/latency_ms/p95",
                              "/policies/1/latency_ms/p99", "/policies/1/slo_attainment"}) {
    EXPECT_TRUE(at(json, pointer).is_null()) << pointer;
  }
}

TEST(ResultsJson, Empty) {
  const Json json = results_json({});
  EXPECT_TRUE(json.at("policies").is_array());
  EXPECT_TRUE(json.at("policies").empty());
  EXPECT_TRUE(json.at("notes").is_array());
}

// dump() throws on bytes that are no UTF-8, and names come from files.
TEST(ResultsJson, AnyNameCanBeDumped) {
  sim::ScenarioResult result = two_policies();
  result.scenario = "\xff.yaml";
  result.policies[0].policy = "\xc3";
  result.policies[0].notes = {"\x80"};
  result.policies[0].nodes.by_type = {{"\xfe", 1}};
  const std::string text = results_json(result).dump();
  EXPECT_EQ(at(Json::parse(text), "/scenario"), "\xEF\xBF\xBD.yaml");
}

}  // namespace
}  // namespace windlass::report

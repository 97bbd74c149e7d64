// Whole runs of a short scenario with interruptions, a capacity gap and a Prometheus outage: what
// must hold in every run, whatever is decided. The books (requests, Little's law, the bill) are
// asserted by the recorder itself.
#include "sim/world.h"

#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace windlass::sim {
namespace {

using controllers::Policy;

Scenario short_scenario(uint64_t seed) {
  auto file = read_scenario("tests/scenarios/short.yaml", seed);
  WL_ASSERT(file.ok());
  for (const api::Finding& finding : file->errors) ADD_FAILURE() << finding.place << finding.text;
  Scenario scenario = std::move(file->scenario);
  scenario.duration = minutes(60);
  return scenario;
}

RunResult run(const Scenario& scenario, Policy policy,
              std::vector<std::string>* decisions = nullptr) {
  RunOptions options;
  if (decisions != nullptr) {
    options.decisions = [decisions](const std::string& line) { decisions->push_back(line); };
  }
  auto result = simulate(scenario, policy, options);
  WL_ASSERT(result.ok());
  return *std::move(result);
}

class EveryPolicy : public testing::TestWithParam<Policy> {};

TEST_P(EveryPolicy, KeepsItsPromisesUnderFaults) {
  for (const uint64_t seed : {1, 2}) {
    const Scenario scenario = short_scenario(seed);
    std::vector<std::string> decisions;
    const RunResult result = run(scenario, GetParam(), &decisions);
    const auto& requests = result.requests;
    EXPECT_GT(requests.offered, 10'000u);
    EXPECT_EQ(requests.offered, requests.completed + requests.failed + requests.unfinished);
    EXPECT_GT(result.gpu_utilization, 0);
    EXPECT_LE(result.gpu_utilization, 1);
    EXPECT_LE(result.gpu_allocation, 1);
    EXPECT_LE(result.jobs.completed, result.jobs.submitted);
    EXPECT_EQ(result.chart.size(), 59u) << "a point a minute, none at the very end";
    // No claim launches two instances; every instance of a claim names it.
    std::set<std::string> claims;
    for (const NodeRecord& node : result.node_records) {
      if (node.claim.empty()) continue;
      EXPECT_TRUE(claims.insert(node.claim).second) << node.claim;
    }
    // The pool's limit of 32 GPUs holds at every minute.
    for (const ChartPoint& point : result.chart) {
      EXPECT_LE(point.gpus_paid, 32);
      EXPECT_LE(point.replicas_wanted, 8);
      EXPECT_GE(point.replicas_wanted, 1);
    }
    bool decided = false;
    for (const std::string& line : decisions) {
      const auto json = nlohmann::json::parse(line);
      EXPECT_FALSE(json.at("reasons").empty()) << line;
      decided |= json.at("decision") != "bind";  // kube-scheduler's, under every policy
    }
    EXPECT_EQ(decided, GetParam() != Policy::kStatic);
  }
}

TEST_P(EveryPolicy, SameSeedSameHash) {
  Scenario scenario = short_scenario(3);
  scenario.duration = minutes(20);
  const RunResult first = run(scenario, GetParam());
  EXPECT_EQ(first.run_hash, run(scenario, GetParam()).run_hash);
  Scenario other = short_scenario(4);
  other.duration = minutes(20);
  EXPECT_NE(first.run_hash, run(other, GetParam()).run_hash);
}

INSTANTIATE_TEST_SUITE_P(Policies, EveryPolicy,
                         testing::Values(Policy::kStatic, Policy::kStock, Policy::kWindlass),
                         [](const auto& tested) {
                           return std::string(controllers::to_string(tested.param));
                         });

TEST(World, StopsWhenAskedAndSaysSo) {
  const Scenario scenario = short_scenario(1);
  const std::atomic<bool> stop{true};
  RunOptions options;
  options.stop = &stop;
  const auto result = simulate(scenario, Policy::kStock, options);
  ASSERT_TRUE(result.ok());
  EXPECT_TRUE(result->partial);
  EXPECT_LT(result->simulated_s, 3600);
}

TEST(World, ScaleInFinishesWhatRunsAndRetriesWhatWaits) {
  Scenario scenario = short_scenario(1);
  scenario.cloud.spot_interruptions_per_h = 20;  // every few minutes a node goes
  const RunResult result = run(scenario, Policy::kWindlass);
  EXPECT_GT(result.nodes.spot_interrupted, 3);
  // Two minutes of notice are enough to finish half-second requests: none dies with its server.
  EXPECT_EQ(result.requests.retried, 0u);
}

}  // namespace
}  // namespace windlass::sim

#include <gtest/gtest.h>

#include "base/text.h"
#include "report/figures.h"
#include "report/report.h"
#include "report/test_results.h"

namespace windlass::report {
namespace {

TEST(ResultsTable, Golden) { EXPECT_EQ(results_table(two_policies()), R"(GOLDEN)"); }

TEST(ResultsTable, ThreePoliciesFitInAHundredColumns) {
  sim::ScenarioResult result = two_policies();
  result.policies.insert(result.policies.begin() + 1, static_run());
  result.policies[1].policy = "stock";
  for (sim::RunResult& run : result.policies) {
    run.cost_usd = 12'345'678.9;
    run.slo_ms = 2500;
    run.simulated_s = 86'399;
    run.partial = true;
    run.requests.offered = 123'456'789'012;
    run.provisioning_s = {{1234, 12345}, {1234, 12345}, {1234, 12345}};
  }
  result.notes = {
      std::string(30, 'x') + " " + std::string(80, 'y') + " " + std::string(120, 'z'),
      "a note of many short words that has to be broken at a blank before the hundredth "
      "column, and whose second line is indented"};
  const std::string table = results_table(result);
  for (const std::string_view line : split(table, '\n')) {
    // Only a single word that is longer than a line may stick out.
    if (line.find("zzz") == std::string_view::npos) EXPECT_LE(code_points(line), 100U) << line;
  }
  EXPECT_NE(table.find("\n  column, and whose"), std::string::npos) << table;
}

TEST(ResultsTable, APartialRunIsMarkedAndNotComparedInTotals) {
  sim::ScenarioResult result = two_policies();
  result.policies[1].partial = true;
  result.policies[1].simulated_s = 1920;
  const std::string table = results_table(result);
  EXPECT_NE(table.find("windlass partial: stopped at 32m\n"), std::string::npos) << table;
  EXPECT_NE(table.find("32m (partial)"), std::string::npos);
  EXPECT_EQ(table.find("-50.0 %"), std::string::npos);
  EXPECT_NE(table.find("totals are not compared"), std::string::npos);
}

TEST(ResultsTable, DifferentSlosStandBesideEachResult) {
  sim::ScenarioResult result = two_policies();
  result.policies[1].slo_ms = 500;
  const std::string table = results_table(result);
  EXPECT_NE(table.find("98.7 % (2 s)"), std::string::npos) << table;
  EXPECT_NE(table.find("(500 ms)"), std::string::npos);
}

TEST(ResultsTable, NanIsADash) {
  sim::ScenarioResult result = two_policies();
  result.policies.resize(1);
  sim::RunResult& run = result.policies[0];
  run.latency_ms = run.ttft_ms = {NAN, NAN, NAN, NAN};
  run.slo_attainment = run.gpu_utilization = NAN;
  const std::string table = results_table(result);
  EXPECT_EQ(table.find("nan"), std::string::npos) << table;
  EXPECT_NE(table.find("  P95                     -\n"), std::string::npos) << table;
}

TEST(ResultsTable, NoPolicies) {
  EXPECT_EQ(results_table({}), "scenario    seed 0   duration 0s\n\nNo policy was run.\n");
}

TEST(ResultsTable, NamesCannotSteerTheTerminal) {
  sim::ScenarioResult result = two_policies();
  result.scenario = "\x1b]0;gotcha\x07";
  result.policies[0].policy = "a\nb";
  const std::string table = results_table(result);
  EXPECT_EQ(table.find('\x1b'), std::string::npos);
  EXPECT_NE(table.find("a b"), std::string::npos);
}

}  // namespace
}  // namespace windlass::report

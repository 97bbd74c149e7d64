#include <gtest/gtest.h>

#include "base/text.h"
#include "report/figures.h"
#include "report/report.h"
#include "report/test_results.h"

namespace windlass::report {
namespace {

TEST(ResultsTable, Golden) {
  EXPECT_EQ(results_table(two_policies()), R"(scenario morning.yaml   seed 7   duration 1h

                                    static          windlass
Cost
  total                          $1,234.50           $617.25
  vs static                              -           -50.0 %
  GPU-hours paid                      96.0              48.0
  GPU utilisation                   31.2 %            62.5 %
  GPU allocation                    80.0 %            80.0 %
Latency
  P50                               420 ms            400 ms
  P95                               1.80 s            1.50 s
  P99                               12.3 s            8.00 s
  TTFT P95                          310 ms            310 ms
  SLO attainment (2 s)              98.7 %          99.995 %
Requests
  offered                        1,234,567         1,234,567
  completed                      1,234,000         1,234,000
  failed                               500               500
  retried                               40                40
  unfinished                            67                67
Provisioning since claim
  node Ready P50 / P95                   -         41 / 60 s
  pod Ready P50 / P95                    -        75 / 110 s
  first token P50 / P95                  -        78 / 118 s
Nodes
  launched                               4                 9
  terminated                             0                 7
  peak                                   4                 4
  spot interruptions                     0                 1
  refused launches                       0                 2
Jobs
  completed / submitted              0 / 0             3 / 5
  mean wait                              -             1m35s
  redone GPU hours                       -              1.50
Run
  simulated                             1h                1h
  hash                    00112233aabbccdd  ffeeddccbbaa9988

Notes
- nodepool/gpu: no limits are set
- windlass: the forecast was short by 12 % at the morning peak
)");
}

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
    if (line.find("zzz") != std::string_view::npos) continue;
    EXPECT_LE(code_points(line), 100U) << line;
  }
  EXPECT_NE(table.find("and whose\n  second line is indented\n"), std::string::npos) << table;
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
  size_t dashes = 0;
  for (const std::string_view line : split(table, '\n')) dashes += line.ends_with("  -") ? 1 : 0;
  // Five of latency, utilisation, the three clocks, and a wait and a loss without jobs.
  EXPECT_EQ(dashes, 11U) << table;
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

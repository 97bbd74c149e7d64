// The results table as values: groups of rows, a cell per policy. The terminal's table and the
// page's table are two renderings of these rows, so they cannot drift apart.
#pragma once

#include <string>
#include <vector>

#include "sim/run_result.h"

namespace windlass::report {

struct ResultRow {
  std::string label;               // "P95", within its group
  std::vector<std::string> cells;  // one per policy, in their order
};

struct ResultGroup {
  std::string title;  // "Latency"
  std::vector<ResultRow> rows;
};

// Every figure of the run in reading order. Percentages are against the first policy and stand only
// where both runs cover the same simulated time (see comparable).
std::vector<ResultGroup> result_rows(const sim::ScenarioResult& result);

// Whether the totals of two runs (dollars, requests) may be set against each other: a run that was
// stopped after three hours is not 80 % cheaper than one that went through the day. Half a percent
// of difference is forgiven.
bool comparable(const sim::RunResult& a, const sim::RunResult& b);

// "partial: stopped at 3h12m" for a run that was, empty for a complete one.
std::string partial_text(const sim::RunResult& run);

// The manifest's notes, each policy's notes behind its name, and what the table itself has to add
// (percentages withheld). One note an entry, unwrapped.
std::vector<std::string> all_notes(const sim::ScenarioResult& result);

// The SLO all policies share, as "2 s"; empty where they have none or differ.
std::string common_slo(const sim::ScenarioResult& result);

}  // namespace windlass::report

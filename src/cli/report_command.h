// `windlass report DECISIONS.jsonl`: what a run decided, and what it would have saved. The money is
// in the summaries that `windlass run --observe` writes every hour (live/run/observer.h).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "cli/decision_log.h"

namespace windlass::cli {

// Dollars of the nodes that ran, and of what would have been wanted, over a time.
struct ObservedCost {
  Instant from{};
  Instant to{};
  Duration observed{};  // less than to - from where the observer stood still
  double running_usd = 0;
  double wanted_usd = 0;

  [[nodiscard]] double saved_usd() const { return running_usd - wanted_usd; }
  // Of the running nodes' cost; 0 where they cost nothing.
  [[nodiscard]] double saved_share() const;
};

struct DecisionReport {
  Instant first{};  // of the decisions
  Instant last{};
  // How often, by controller and decision; by policy.
  std::map<std::string, std::map<std::pair<std::string, std::string>, size_t>> decisions;
  std::vector<ObservedCost> periods;     // in time's order: a day each, or as they were summed up
  ObservedCost total;                    // of all periods; nothing where there is none
  size_t unplaced = 0;                   // pods for which the last look found no place
  std::vector<std::string> bad_records;  // "line 7: ...": summaries that can't be read
};

DecisionReport make_report(const DecisionLog& log);
std::string report_text(const DecisionReport& report);
std::string report_json(const DecisionReport& report);

struct ReportOptions {
  std::string file;
  std::string output = "table";
};

// Prints to standard output. The exit code: 0, 2 if the file can't be read or holds no decisions.
int run_report(const ReportOptions& options);

}  // namespace windlass::cli

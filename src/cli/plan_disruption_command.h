// `windlass plan disruption`: which nodes of a cluster would be emptied or replaced now, in which
// order, and why each of the others is left alone. The same functions that run a cluster are asked
// again and again, each time with the last command carried out, until nothing more may be done at
// once.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/plan_input.h"
#include "disruption/propose.h"

namespace windlass::cli {

struct PlannedReplacement {
  std::string nodepool;
  std::vector<std::string> instance_types;  // cheapest first
  std::vector<std::string> capacity_types;
  std::vector<std::string> zones;
  double usd_per_hour = 0;  // cheapest offering
};

struct PlannedCommand {
  std::string method;  // disruption::to_string(), or "expiration"
  std::vector<std::string> nodes;
  std::vector<PlannedReplacement> replacements;  // none: a delete
  double usd_per_hour_before = 0;
  double usd_per_hour_after = 0;
  double disruption_cost = 0;
  double move_cost_usd = 0;
  std::string why;
};

struct DisruptionPlan {
  std::vector<PlannedCommand> commands;  // in order
  std::vector<disruption::Left> left;    // by name
  double usd_per_hour_before = 0;        // of all managed nodes
  double usd_per_hour_after = 0;         // once the commands are carried out
};

// Expired claims first (no budget holds them), then pass after pass; each sees the nodes of earlier
// commands as going (they stay in the budgets' counts) and their replacements as launched. With
// Objective::kCost, moving a node's pods costs what their last start took (disruption/warm_up.h).
DisruptionPlan plan_disruption(cluster::State state, const disruption::Options& options,
                               Instant now);

// For people: two tables. For programs: one object.
std::string disruption_table(const DisruptionPlan& plan);
std::string disruption_json(const DisruptionPlan& plan, const std::vector<std::string>& warnings);

struct PlanDisruptionOptions {
  std::vector<std::string> files;
  std::string catalog;
  std::string objective = "stock";  // or cost
  bool spot_to_spot = false;
  std::string now;  // RFC 3339; empty: the clock's
  std::string output = "table";
};

// Prints the plan to standard output and warnings to standard error. The program's exit code: 2 for
// input that cannot be read, with the reason on standard error.
int run_plan_disruption(const PlanDisruptionOptions& options);

}  // namespace windlass::cli

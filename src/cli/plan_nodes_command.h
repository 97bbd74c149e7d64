// `windlass plan nodes`: where the pending pods of some manifests would go and which nodes would be
// bought for them, by Karpenter's rules or at the least cost. The same functions that run a cluster
// are asked, so the answer is what would happen.
#pragma once

#include <string>
#include <vector>

#include "cli/plan_input.h"
#include "controllers/cluster_view.h"
#include "scheduling/cost_plan.h"

namespace windlass::cli {

struct PlanNodesOptions {
  std::vector<std::string> files;
  std::string catalog;              // a file; empty: the EC2 table
  std::string objective = "stock";  // or cost
  std::string output = "table";     // or json
};

struct NodesPlan {
  // Catalogues behind the plan's pointers live in the state or here.
  controllers::OfferingView offerings;
  scheduling::CostPlan planned;  // of stock too: prices and bound are filled either way
  bool for_cost = false;
  double elapsed_ms = 0;
};

// Plans for the pending pods and those on nodes being deleted. The state must outlive the plan.
// Everything but `elapsed_ms`, which the caller measures.
void plan_nodes(const cluster::State& state, Instant now, NodesPlan& out);

// For people: tables of claims, placements and pods left over, and totals. For programs: one
// object.
std::string nodes_table(const NodesPlan& plan);
std::string nodes_json(const NodesPlan& plan, const std::vector<std::string>& warnings);

// Prints to standard output, warnings to standard error. The exit code: 0 all pods are placed,
// 1 some are not, 2 bad input.
int run_plan_nodes(const PlanNodesOptions& options);

}  // namespace windlass::cli

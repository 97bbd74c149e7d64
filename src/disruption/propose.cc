// The order of the methods, and what is said of the nodes that stay.
#include "disruption/propose.h"

#include <algorithm>

#include <fmt/format.h>

#include "disruption/candidates.h"
#include "disruption/consolidation.h"
#include "disruption/simulation.h"

namespace windlass::disruption {
namespace {

std::optional<Command> first_command(Pass& pass, const EvictionLimits& limits) {
  if (std::optional<Command> command = emptiness(pass)) return command;
  drop_unprofitable_moves(pass);
  const bool any = std::any_of(pass.nodes.begin(), pass.nodes.end(),
                               [](const NodeView& view) { return view.open(); });
  if (!any) return std::nullopt;
  Simulation simulation(pass.cluster, pass.nodes, limits, pass.now);
  if (auto command = multi_node_consolidation(pass, simulation)) return command;
  return single_node_consolidation(pass, simulation);
}

}  // namespace

std::string_view to_string(Command::Method method) {
  switch (method) {
    case Command::Method::kEmptiness:
      return "emptiness";
    case Command::Method::kMultiNode:
      return "multi_node_consolidation";
    case Command::Method::kSingleNode:
      return "single_node_consolidation";
  }
  WL_UNREACHABLE("disruption method");
}

Proposal propose(const Cluster& cluster, Instant now, const Options& options) {
  const EvictionLimits limits(cluster.budgets, cluster.all_pods);
  Pass pass{cluster, now, options, examine(cluster, limits, now)};

  Proposal proposal;
  if (auto command = first_command(pass, limits)) proposal.commands.push_back(std::move(*command));

  for (NodeView& view : pass.nodes) {
    if (!proposal.commands.empty()) {
      const Command& command = proposal.commands.front();
      const bool goes =
          std::binary_search(command.claims.begin(), command.claims.end(), view.node->claim);
      if (goes && view.open()) continue;
      if (view.open()) {
        view.reason =
            fmt::format("not needed for this pass's {} of {} nodes; {} pods run here",
                        to_string(command.method), command.claims.size(), view.pods.size());
      }
    }
    proposal.left.push_back({view.node->node, std::move(view.reason)});
  }
  return proposal;
}

}  // namespace windlass::disruption

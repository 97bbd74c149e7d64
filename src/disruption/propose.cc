// The order of the methods, and what is said of the nodes that stay.
#include "disruption/propose.h"

#include <algorithm>

#include <fmt/format.h>

#include "disruption/budgets.h"
#include "disruption/candidates.h"
#include "disruption/consolidation.h"
#include "disruption/drifted_nodes.h"
#include "disruption/simulation.h"

namespace windlass::disruption {
namespace {

std::optional<Command> first_command(Pass& pass, const EvictionLimits& limits) {
  if (std::optional<Command> command = emptiness(pass)) return command;
  if (std::optional<Command> command = static_drift(pass)) return command;
  drop_unprofitable_moves(pass);
  const bool any = std::ranges::any_of(
      pass.nodes, [](const NodeView& view) { return view.open() || !view.node->drifted.empty(); });
  if (!any) return std::nullopt;
  Simulation simulation(pass.cluster, pass.nodes, limits, pass.now);
  if (auto command = drift(pass, simulation)) return command;
  if (pass.options.objective == Objective::kCost) return cost_consolidation(pass, simulation);
  if (auto command = multi_node_consolidation(pass, simulation)) return command;
  return single_node_consolidation(pass, simulation);
}

bool is_drift(Command::Method method) {
  return method == Command::Method::kStaticDrift || method == Command::Method::kDrift;
}

// Why a node stays that the command does not take.
std::string why_left(const NodeView& view, const Command* command) {
  std::string why = view.reason;
  if (why.empty() && command != nullptr) {
    why = fmt::format("not needed for this pass's {} of {} nodes; {} pods run here",
                      to_string(command->method), command->claims.size(), view.pods.size());
  }
  std::string note = view.drift_note;
  if (note.empty() && !view.node->drifted.empty() && command != nullptr) {
    note = fmt::format("drifted ({}), but its turn has not come", view.node->drifted);
  }
  if (note.empty()) return why;
  return why.empty() || note.ends_with(why) ? note : note + "; " + why;
}

}  // namespace

std::string_view to_string(Command::Method method) {
  switch (method) {
    case Command::Method::kEmptiness:
      return "emptiness";
    case Command::Method::kStaticDrift:
      return "static_drift";
    case Command::Method::kDrift:
      return "drift";
    case Command::Method::kMultiNode:
      return "multi_node_consolidation";
    case Command::Method::kSingleNode:
      return "single_node_consolidation";
  }
  WL_UNREACHABLE("disruption method");
}

std::string_view budget_word(Command::Method method) {
  if (method == Command::Method::kEmptiness) return kEmpty;
  return is_drift(method) ? kDrifted : kUnderutilized;
}

Proposal propose(const Cluster& cluster, Instant now, const Options& options) {
  const EvictionLimits limits(cluster.budgets, cluster.all_pods);
  Pass pass{cluster, now, options, examine(cluster, limits, now)};

  Proposal proposal;
  if (auto command = first_command(pass, limits)) proposal.commands.push_back(std::move(*command));

  proposal.next_turn = std::move(pass.next_turn);
  const Command* command = proposal.commands.empty() ? nullptr : &proposal.commands.front();
  for (const NodeView& view : pass.nodes) {
    const bool named = command != nullptr && !view.node->claim.empty() &&
                       std::ranges::binary_search(command->claims, view.node->claim);
    // Two nodes of one claim: the one that was a candidate goes.
    if (named && (is_drift(command->method) ? view.may_drift() : view.open())) continue;
    proposal.left.push_back({view.node->node, why_left(view, command)});
  }
  return proposal;
}

}  // namespace windlass::disruption

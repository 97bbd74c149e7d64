#include "disruption/validate.h"

#include <algorithm>

#include <fmt/format.h>

#include "disruption/consolidation.h"
#include "scheduling/static_pool.h"

namespace windlass::disruption {
namespace {

using Method = Command::Method;

// Why the node is no candidate for the method any more.
std::string why_not_now(const NodeView& view, Method method) {
  const bool drifts = method == Method::kDrift || method == Method::kStaticDrift;
  if (drifts) {
    if (view.node->drifted.empty()) return "has not drifted any more";
    if (view.of_static_pool() != (method == Method::kStaticDrift)) return "changed its pool's kind";
    if (view.may_drift()) return {};
    return view.node_block.empty() ? view.pod_block : view.node_block;
  }
  if (!view.open()) return view.reason;
  if (method == Method::kEmptiness && !view.empty()) return "is not empty any more";
  if (method != Method::kEmptiness && view.empty()) return "is empty now";
  return {};
}

// The chosen types as today's catalogue has them; nothing if one of them is not possible any more.
std::vector<const catalog::InstanceType*> same_types(const std::vector<std::string>& chosen,
                                                     const scheduling::NewClaim& now_possible) {
  std::vector<const catalog::InstanceType*> types;
  for (const std::string& name : chosen) {
    const auto found = std::ranges::find(now_possible.types, name, &catalog::InstanceType::name);
    if (found == now_possible.types.end()) return {};
    types.push_back(*found);
  }
  return types;
}

Validation abandoned(std::string why) { return {std::nullopt, std::move(why)}; }

// The members' positions, or a failure.
std::string find_members(const Pass& pass, const Command& command, std::vector<size_t>& members) {
  BudgetLedger budget(pass, budget_word(command.method));
  for (const std::string& claim : command.claims) {
    const auto found = std::ranges::find_if(
        pass.nodes, [&](const NodeView& view) { return view.node->claim == claim; });
    if (found == pass.nodes.end()) return fmt::format("node of {} is gone", claim);
    if (std::string why = why_not_now(*found, command.method); !why.empty()) {
      return fmt::format("node {}: {}", found->node->node, why);
    }
    if (budget.left(*found) == 0) return budget.refusal(*found);
    budget.take(*found);
    members.push_back(static_cast<size_t>(found - pass.nodes.begin()));
  }
  return {};
}

bool moves_nothing(const Pass& pass, const Command& command, const std::vector<size_t>& members) {
  return command.method == Method::kEmptiness ||
         (command.method == Method::kDrift &&
          std::ranges::all_of(members, [&](size_t i) { return pass.nodes[i].empty(); }));
}

}  // namespace

Waiting hold(Command command) {
  Waiting waiting;
  for (scheduling::NewClaim& claim : command.replacements) {
    std::vector<std::string>& names = waiting.types.emplace_back();
    for (const catalog::InstanceType* type : claim.types) names.push_back(type->name);
    claim.types.clear();
  }
  waiting.command = std::move(command);
  return waiting;
}

Validation validate(const Cluster& cluster, const Waiting& waiting, Instant now,
                    const Options& options) {
  const EvictionLimits limits(cluster.budgets, cluster.all_pods);
  const Pass pass{cluster, now, options, examine(cluster, limits, now)};
  Command command = waiting.command;
  std::vector<size_t> members;
  if (std::string why = find_members(pass, command, members); !why.empty()) {
    return abandoned(std::move(why));
  }
  if (moves_nothing(pass, command, members)) return {std::move(command), {}};

  std::vector<scheduling::NewClaim> claims;
  if (command.method == Method::kStaticDrift) {
    claims.push_back(scheduling::static_claim(*pass.nodes[members.front()].pool));
  } else {
    Simulation simulation(cluster, pass.nodes, limits, now);
    Simulation::Outcome outcome = simulation.without(members, kAnyNumber, command.objective);
    if (!outcome.failure.empty()) return abandoned(std::move(outcome.failure));
    claims = std::move(outcome.claims);
  }
  if (claims.size() != command.replacements.size()) {
    return abandoned(fmt::format("{} new nodes are needed now, not {}", claims.size(),
                                 command.replacements.size()));
  }
  for (size_t i = 0; i < claims.size(); ++i) {
    scheduling::NewClaim& chosen = command.replacements[i];
    if (claims[i].pool != chosen.pool) return abandoned("the new node is of another pool now");
    chosen.types = same_types(waiting.types[i], claims[i]);
    if (chosen.types.empty()) return abandoned("a chosen type does not do any more");
    chosen.pods = std::move(claims[i].pods);
    chosen.requests = std::move(claims[i].requests);
  }
  return {std::move(command), {}};
}

}  // namespace windlass::disruption

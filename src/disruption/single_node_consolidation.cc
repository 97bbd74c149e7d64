// Single-node consolidation (karpenter.md 4.4): the first candidate that can go alone, pools taking
// turns.
//
// Worth knowing: Karpenter stops after 3 minutes and begins the next pass with the pools it did not
// reach; there is no clock here, pools take turns in name order, and all are reached unless the
// caller sets a bound (Options::most_simulations).
#include <algorithm>
#include <map>
#include <span>

#include "disruption/budgets.h"
#include "disruption/consolidation.h"
#include "disruption/quick_look.h"

namespace windlass::disruption {
namespace {

constexpr const char* kLaterPass = "its turn comes in a later pass";

std::vector<size_t> pools_in_turn(const Pass& pass, const std::vector<size_t>& order) {
  std::map<std::string_view, std::vector<size_t>> by_pool;
  size_t longest = 0;
  for (const size_t i : order) {
    auto& queue = by_pool[pass.nodes[i].node->pool];
    queue.push_back(i);
    longest = std::max(longest, queue.size());
  }
  std::vector<size_t> turns;
  for (size_t turn = 0; turn < longest; ++turn) {
    for (const auto& [pool, queue] : by_pool) {
      if (turn < queue.size()) turns.push_back(queue[turn]);
    }
  }
  return turns;
}

}  // namespace

std::optional<Command> single_node_consolidation(Pass& pass, Simulation& simulation) {
  const BudgetLedger budget(pass, kUnderutilized);
  const QuickLook quick_look(pass.cluster, pass.nodes, pass.options);
  std::vector<size_t> turns = pools_in_turn(pass, in_order_of_gain(pass.nodes, false));
  const auto first = std::ranges::find_if(
      turns, [&](size_t i) { return pass.nodes[i].node->claim == pass.options.first_turn; });
  if (first != turns.end()) std::rotate(turns.begin(), first, turns.end());
  size_t simulated = 0;
  for (const size_t i : turns) {
    NodeView& view = pass.nodes[i];
    if (!pass.next_turn.empty()) {
      view.reason = kLaterPass;
      continue;
    }
    if (budget.left(view) == 0) {
      view.reason = budget.refusal(view);
      continue;
    }
    view.reason = quick_look.why_hopeless(i);
    if (!view.reason.empty()) continue;
    if (simulated++ == pass.options.most_simulations) {
      pass.next_turn = view.node->claim;
      view.reason = kLaterPass;
      continue;
    }
    Attempt attempt = consolidate(pass, simulation, std::span(&i, 1), Command::Method::kSingleNode);
    if (attempt.command) return std::move(attempt.command);
    view.reason = std::move(attempt.failure);
  }
  return std::nullopt;
}

}  // namespace windlass::disruption

// Single-node consolidation (karpenter.md 4.4): the first candidate that can go alone, pools taking
// turns.
//
// Worth knowing: Karpenter stops after 3 minutes and begins the next pass with the pools it did not
// reach; there is no clock here, all are reached, and pools take turns in name order.
#include <algorithm>
#include <map>
#include <span>

#include "disruption/budgets.h"
#include "disruption/consolidation.h"
#include "disruption/quick_look.h"

namespace windlass::disruption {
namespace {

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
  for (const size_t i : pools_in_turn(pass, in_order_of_gain(pass.nodes, false))) {
    NodeView& view = pass.nodes[i];
    if (budget.left(view) == 0) {
      view.reason = budget.refusal(view);
      continue;
    }
    view.reason = quick_look.why_hopeless(i);
    if (!view.reason.empty()) continue;
    Attempt attempt = consolidate(pass, simulation, std::span(&i, 1), Command::Method::kSingleNode);
    if (attempt.command) return std::move(attempt.command);
    view.reason = std::move(attempt.failure);
  }
  return std::nullopt;
}

}  // namespace windlass::disruption

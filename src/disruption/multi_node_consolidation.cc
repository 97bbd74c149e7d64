// Multi-node consolidation (karpenter.md 4.4): the longest prefix of the candidates, best gain
// first, that can go with at most one cheaper node in its place.
//
// Worth knowing: a binary search, as if every shorter prefix of a good one were good. That is not
// so in general and cheaper sets are missed (quirk 5); it keeps the simulations to seven.
#include <algorithm>

#include "disruption/budgets.h"
#include "disruption/consolidation.h"
#include "disruption/quick_look.h"

namespace windlass::disruption {
namespace {

constexpr size_t kMaxParallel = 100;

}  // namespace

std::optional<Command> multi_node_consolidation(Pass& pass, Simulation& simulation) {
  BudgetLedger budget(pass, kUnderutilized);
  std::vector<size_t> candidates;
  std::vector<size_t> refused;
  for (const size_t i : in_order_of_gain(pass.nodes, false)) {
    if (budget.left(pass.nodes[i]) == 0) {
      refused.push_back(i);
      continue;
    }
    budget.take(pass.nodes[i]);
    candidates.push_back(i);
  }
  if (candidates.size() < 2) return std::nullopt;

  // `low` and `high` are last positions, so prefixes have 2 to high + 1 nodes: 101 at most.
  size_t low = 1;
  size_t high = std::min(kMaxParallel, candidates.size() - 1);
  const QuickLook quick_look(pass.cluster, pass.nodes, pass.options);
  std::optional<Command> best;
  while (low <= high) {
    const size_t middle = (low + high) / 2;
    const std::span<const size_t> prefix(candidates.data(), middle + 1);
    Attempt attempt;
    if (!quick_look.hopeless_together(prefix)) {
      attempt = consolidate(pass, simulation, prefix, Command::Method::kMultiNode);
    }
    if (attempt.command) {
      best = std::move(attempt.command);
      low = middle + 1;
    } else {
      high = middle - 1;
    }
  }
  // Without a command they get their turn one by one, with a budget of their own.
  if (best) {
    for (const size_t i : refused) pass.nodes[i].reason = budget.refusal(pass.nodes[i]);
  }
  return best;
}

}  // namespace windlass::disruption

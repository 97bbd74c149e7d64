#include "disruption/budgets.h"
#include "disruption/consolidation.h"

namespace windlass::disruption {

BudgetLedger::BudgetLedger(const Pass& pass, std::string_view reason) : reason_(reason) {
  for (const NodeView& view : pass.nodes) {
    if (view.pool == nullptr || accounts_.contains(view.node->pool)) continue;
    const int32_t allowed =
        allowed_disruptions(*view.pool->pool, reason, pass.cluster.nodes, pass.now);
    accounts_[view.node->pool] = {budgeted_nodes(view.node->pool, pass.cluster.nodes), allowed,
                                  allowed};
  }
}

int32_t BudgetLedger::left(const NodeView& view) const {
  const auto found = accounts_.find(view.node->pool);
  return found == accounts_.end() ? 0 : found->second.left;
}

void BudgetLedger::take(const NodeView& view) {
  const auto found = accounts_.find(view.node->pool);
  WL_ASSERT(found != accounts_.end() && found->second.left > 0);
  --found->second.left;
}

std::string BudgetLedger::refusal(const NodeView& view) const {
  const auto found = accounts_.find(view.node->pool);
  const Account account = found == accounts_.end() ? Account{} : found->second;
  std::string text = budget_reason(view.node->pool, reason_, account.allowed, account.nodes);
  if (account.allowed > 0) text += ", all taken by nodes with more to save";
  return text;
}

}  // namespace windlass::disruption

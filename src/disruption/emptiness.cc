// Emptiness (karpenter.md 4.4): every empty node that the budgets let go, in one command. No
// simulation, since nothing has to move; so a node whose pods are all of negative cost goes too
// (quirk 3).
#include <fmt/format.h>

#include "disruption/budgets.h"
#include "disruption/consolidation.h"

namespace windlass::disruption {

std::optional<Command> emptiness(Pass& pass) {
  BudgetLedger budget(pass, kEmpty);
  std::vector<size_t> members;
  for (const size_t i : in_order_of_gain(pass.nodes, true)) {
    NodeView& view = pass.nodes[i];
    if (budget.left(view) == 0) {
      view.reason = "empty, but " + budget.refusal(view);
      continue;
    }
    budget.take(view);
    members.push_back(i);
  }
  if (members.empty()) return std::nullopt;

  size_t pods = 0;
  for (const size_t i : members) pods += pass.nodes[i].pods.size();
  Command command = removal(pass, members, Command::Method::kEmptiness);
  const bool one = members.size() == 1;
  command.why = fmt::format("{} node{} empty: saves {:.3f} USD/h", members.size(),
                            one ? " is" : "s are", command.usd_per_hour_before);
  if (pods > 0) {
    command.why += fmt::format("; {} on {} {} nothing to evict",
                               pods == 1 ? "1 pod" : fmt::format("{} pods", pods),
                               one ? "it" : "them", pods == 1 ? "costs" : "cost");
  }
  return command;
}

}  // namespace windlass::disruption

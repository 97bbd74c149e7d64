// Consolidation for Objective::kCost: any set of nodes for any cheaper set. Many sets are tried and
// the one that is furthest ahead after `payback`, moves paid, is taken.
//
// Worth knowing:
// - What stock's two methods would do is one of the candidates, so this never saves less than they
//   would here and now, given equal prices of moving.
// - Sets grow in order of gain: prefixes of rising length, every node alone, then the best of these
//   with further nodes joined while that pays. The number of simulations is bounded, not the time:
//   equal input gives equal output on any machine.
#include <algorithm>

#include "disruption/budgets.h"
#include "disruption/consolidation.h"
#include "disruption/quick_look.h"

namespace windlass::disruption {
namespace {

constexpr size_t kMostMembers = 100;
constexpr size_t kMostAlone = 60;   // simulations of one node
constexpr size_t kMostJoined = 20;  // further nodes tried on the best set
// Beyond so many pods the set's new nodes are chosen by stock's solver, as many as it likes: the
// cost solver's time grows faster than their number.
constexpr size_t kMostPodsPriced = 40;

struct Best {
  std::optional<Command> command;
  std::vector<size_t> members;
  double net = 0;

  // Whether it is now the best. Ties go to what moves less.
  bool offer(Command other, std::vector<size_t> of, const Options& options) {
    const double other_net = net_usd(other, options);
    const bool better = !command || other_net > net ||
                        (other_net == net && other.disruption_cost < command->disruption_cost);
    if (!better) return false;
    net = other_net;
    command = std::move(other);
    members = std::move(of);
    return true;
  }
};

std::vector<size_t> members_of(const Pass& pass, const Command& command) {
  std::vector<size_t> members;
  for (size_t i = 0; i < pass.nodes.size(); ++i) {
    const NodeView& view = pass.nodes[i];
    if (view.open() && std::ranges::binary_search(command.claims, view.node->claim)) {
      members.push_back(i);
    }
  }
  return members;
}

bool within_budgets(const BudgetLedger& budget, const Pass& pass,
                    const std::vector<size_t>& members) {
  BudgetLedger left = budget;
  for (const size_t i : members) {
    if (left.left(pass.nodes[i]) == 0) return false;
    left.take(pass.nodes[i]);
  }
  return true;
}

// Tries the set; the failure of a set of one is that node's reason.
bool attempt(Pass& pass, Simulation& simulation, const std::vector<size_t>& members, Best& best) {
  const auto method =
      members.size() == 1 ? Command::Method::kSingleNode : Command::Method::kMultiNode;
  size_t pods = 0;
  for (const size_t i : members) pods += pass.nodes[i].pods.size();
  const Objective solver = pods <= kMostPodsPriced ? Objective::kCost : Objective::kStock;
  Attempt tried = consolidate(pass, simulation, members, method, kAnyNumber, solver);
  if (tried.command) return best.offer(std::move(*tried.command), members, pass.options);
  if (members.size() == 1) pass.nodes[members.front()].reason = std::move(tried.failure);
  return false;
}

void try_stock(const Pass& pass, Simulation& simulation, Best& best) {
  Options options = pass.options;
  options.objective = Objective::kStock;
  Pass stock{pass.cluster, pass.now, options, pass.nodes};
  std::optional<Command> command = multi_node_consolidation(stock, simulation);
  if (!command) command = single_node_consolidation(stock, simulation);
  if (!command) return;
  std::vector<size_t> members = members_of(pass, *command);
  best.offer(std::move(*command), std::move(members), pass.options);
}

void try_prefixes(Pass& pass, Simulation& simulation, const std::vector<size_t>& order,
                  Best& best) {
  for (size_t length = 2; length <= std::min(order.size(), kMostMembers);
       length += std::max<size_t>(1, length / 3)) {
    attempt(pass, simulation, {order.begin(), order.begin() + static_cast<std::ptrdiff_t>(length)},
            best);
  }
}

void join_more(Pass& pass, Simulation& simulation, const std::vector<size_t>& order,
               const BudgetLedger& budget, Best& best) {
  if (!best.command) return;
  size_t tried = 0;
  for (const size_t i : order) {
    if (best.members.size() >= kMostMembers || tried == kMostJoined) return;
    if (std::ranges::find(best.members, i) != best.members.end()) continue;
    std::vector<size_t> more = best.members;
    more.push_back(i);
    if (!within_budgets(budget, pass, more)) continue;
    ++tried;
    attempt(pass, simulation, more, best);
  }
}

void try_alone(Pass& pass, Simulation& simulation, const std::vector<size_t>& order,
               const BudgetLedger& budget, Best& best) {
  const QuickLook quick_look(pass.cluster, pass.nodes, pass.options);
  size_t tried = 0;
  for (const size_t i : order) {
    NodeView& view = pass.nodes[i];
    if (budget.left(view) == 0) {
      view.reason = budget.refusal(view);
      continue;
    }
    view.reason = quick_look.why_hopeless(i);
    if (!view.open()) continue;
    if (tried++ == kMostAlone) return;
    attempt(pass, simulation, {i}, best);
  }
}

}  // namespace

std::optional<Command> cost_consolidation(Pass& pass, Simulation& simulation) {
  const BudgetLedger budget(pass, kUnderutilized);
  const std::vector<size_t> order = in_order_of_gain(pass.nodes, false);
  std::vector<size_t> together;  // as many of them as the budgets allow at once
  BudgetLedger left = budget;
  for (const size_t i : order) {
    if (left.left(pass.nodes[i]) == 0) continue;
    left.take(pass.nodes[i]);
    together.push_back(i);
  }
  Best best;
  try_stock(pass, simulation, best);
  try_prefixes(pass, simulation, together, best);
  // The reasons it leaves are for going alone; as a part of a set a node may still pay.
  try_alone(pass, simulation, order, budget, best);
  join_more(pass, simulation, order, budget, best);
  for (const size_t i : best.members) pass.nodes[i].reason.clear();
  return std::move(best.command);
}

}  // namespace windlass::disruption

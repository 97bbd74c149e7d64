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
constexpr size_t kMostAlone = 200;  // simulations of one node
constexpr size_t kMostJoined = 50;  // further nodes tried on the best set

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

// Tries the set; the failure of a set of one is that node's reason.
bool attempt(Pass& pass, Simulation& simulation, const std::vector<size_t>& members, Best& best) {
  const auto method =
      members.size() == 1 ? Command::Method::kSingleNode : Command::Method::kMultiNode;
  Attempt tried = consolidate(pass, simulation, members, method);
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

void join_more(Pass& pass, Simulation& simulation, const std::vector<size_t>& order, Best& best) {
  if (!best.command) return;
  size_t tried = 0;
  for (const size_t i : order) {
    if (best.members.size() >= kMostMembers || tried == kMostJoined) return;
    if (std::ranges::find(best.members, i) != best.members.end()) continue;
    ++tried;
    std::vector<size_t> more = best.members;
    more.push_back(i);
    attempt(pass, simulation, more, best);
  }
}

}  // namespace

std::optional<Command> cost_consolidation(Pass& pass, Simulation& simulation) {
  BudgetLedger budget(pass, kUnderutilized);
  const QuickLook quick_look(pass.cluster, pass.nodes, pass.options);
  std::vector<size_t> order;
  for (const size_t i : in_order_of_gain(pass.nodes, false)) {
    NodeView& view = pass.nodes[i];
    if (budget.left(view) == 0) {
      view.reason = budget.refusal(view);
      continue;
    }
    budget.take(view);
    order.push_back(i);
  }
  Best best;
  try_stock(pass, simulation, best);
  try_prefixes(pass, simulation, order, best);
  size_t alone = 0;
  for (const size_t i : order) {
    std::string hopeless = quick_look.why_hopeless(i);
    if (hopeless.empty() && alone < kMostAlone) {
      ++alone;
      attempt(pass, simulation, {i}, best);
    } else if (!hopeless.empty()) {
      pass.nodes[i].reason = std::move(hopeless);
    }
  }
  // Their reasons are for going alone; as a part of a set they may still pay.
  join_more(pass, simulation, order, best);
  if (best.command) {
    for (const size_t i : best.members) pass.nodes[i].reason.clear();
  }
  return std::move(best.command);
}

}  // namespace windlass::disruption

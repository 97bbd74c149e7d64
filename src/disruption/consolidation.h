// What the methods share: the state of one pass, what the budgets leave, and the question whether a
// given set of nodes can go at a profit.
//
// Worth knowing: with move costs given, savings per hour times `payback` must exceed the sum of the
// move costs; a node that could not earn its own even if nothing replaced it is not simulated at
// all. Deleting empty nodes moves nothing and is never weighed; drift is not about money.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "disruption/candidates.h"
#include "disruption/propose.h"
#include "disruption/simulation.h"

namespace windlass::disruption {

struct Pass {
  const Cluster& cluster;
  Instant now;
  const Options& options;
  std::vector<NodeView> nodes;  // the methods fill in `reason`
  std::string next_turn{};      // as Proposal's
};

// The methods, in the order they are tried. Each returns a command or leaves the reasons why there
// is none. Under Objective::kCost the third takes the place of the two before it.
std::optional<Command> emptiness(Pass& pass);
std::optional<Command> multi_node_consolidation(Pass& pass, Simulation& simulation);
std::optional<Command> single_node_consolidation(Pass& pass, Simulation& simulation);
std::optional<Command> cost_consolidation(Pass& pass, Simulation& simulation);

// Hands out what the pools' budgets allow for one reason.
class BudgetLedger {
 public:
  BudgetLedger(const Pass& pass, std::string_view reason);
  [[nodiscard]] int32_t left(const NodeView& view) const;
  void take(const NodeView& view);
  // For nodes that got nothing.
  [[nodiscard]] std::string refusal(const NodeView& view) const;

 private:
  struct Account {
    int32_t nodes = 0;
    int32_t allowed = 0;
    int32_t left = 0;
  };
  std::string_view reason_;
  std::map<std::string_view, Account> accounts_;  // by pool
};

struct Attempt {
  std::optional<Command> command;
  std::string failure;  // if there is none
};
// Whether the nodes can go with at most `most_claims` new nodes in their place, chosen by this
// objective's solver, that are cheaper together.
Attempt consolidate(const Pass& pass, Simulation& simulation, std::span<const size_t> members,
                    Command::Method method, size_t most_claims = 1,
                    Objective solver = Objective::kStock);

// Rules out the nodes whose pods cost more to move than the node costs in `payback`, and under
// Objective::kCost those that still warm up.
void drop_unprofitable_moves(Pass& pass);

// A command that deletes `members` and nothing else.
Command removal(const Pass& pass, std::span<const size_t> members, Command::Method method);

// Dollars that the command is ahead after `payback`, moves paid.
double net_usd(const Command& command, const Options& options);

}  // namespace windlass::disruption

#include "disruption/consolidation.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "disruption/balanced.h"
#include "disruption/budgets.h"
#include "disruption/price_filter.h"

namespace windlass::disruption {
namespace {

double move_cost_usd(const Pass& pass, std::span<const size_t> members) {
  double sum = 0;
  for (const size_t i : members) {
    const auto found = pass.options.move_cost_usd.find(pass.nodes[i].node->node);
    if (found != pass.options.move_cost_usd.end()) sum += found->second;
  }
  return sum;
}

std::string why_not_worth_moving(const Pass& pass, std::span<const size_t> members,
                                 double usd_per_hour) {
  const double cost = move_cost_usd(pass, members);
  const double saved = usd_per_hour * pass.options.payback.hours();
  if (cost <= 0 || saved > cost) return {};
  return fmt::format("moving its pods costs {:.3f} USD and saves {:.3f} USD in {}", cost, saved,
                     to_string(pass.options.payback));
}

double cheapest_worst_price(const scheduling::NewClaim& claim) {
  double cheapest = std::numeric_limits<double>::infinity();
  for (const catalog::InstanceType* type : claim.types) {
    cheapest = std::min(cheapest, worst_launch_price(*type, claim.requirements));
  }
  return cheapest;
}

// Leaves in `claim` what is a gain over the members; says why there is nothing.
std::string restrict_replacement(const Pass& pass, std::span<const size_t> members,
                                 double usd_per_hour, scheduling::NewClaim& claim) {
  const bool all_spot = std::all_of(members.begin(), members.end(), [&](size_t i) {
    return pass.nodes[i].node->capacity_type == api::kSpot;
  });
  if (all_spot && admits(claim, api::kSpot)) {
    return std::string(kNoSpotToSpot);
  }
  const double offered = cheapest_worst_price(claim);
  if (!keep_cheaper_than(claim, usd_per_hour)) {
    if (claim.types.empty()) {
      return fmt::format("no cheaper type: replacing costs {:.3f} USD/h against {:.3f}", offered,
                         usd_per_hour);
    }
    return fmt::format("minValues: only {} types are cheaper than {:.3f} USD/h", claim.types.size(),
                       usd_per_hour);
  }
  pin_capacity_type(claim);
  if (members.size() < 2) return {};
  std::vector<RemovedNode> removed;
  for (const size_t i : members) {
    removed.push_back({pass.nodes[i].node->instance_type, pass.nodes[i].usd_per_hour});
  }
  if (keep_cheaper_than_same_types(claim, removed)) return {};
  return fmt::format("the replacement would be of a type that {} nodes being removed already have",
                     members.size());
}

std::string gain_text(const Pass& pass, std::span<const size_t> members, const Command& command) {
  size_t pods = 0;
  for (const size_t i : members) pods += pass.nodes[i].pods.size();
  const std::string moved = fmt::format("{} pods of {} nodes fit", pods, members.size());
  if (!command.replacement) {
    return fmt::format("{} on the nodes that stay: saves {:.3f} USD/h", moved,
                       command.usd_per_hour_before);
  }
  return fmt::format("{} on the nodes that stay and one {}: {:.3f} USD/h instead of {:.3f}", moved,
                     command.replacement->types.front()->name, command.usd_per_hour_after,
                     command.usd_per_hour_before);
}

}  // namespace

BudgetLedger::BudgetLedger(const Pass& pass, std::string_view reason)
    : pass_(pass), reason_(reason) {
  for (const NodeView& view : pass.nodes) {
    if (view.pool == nullptr || allowed_.contains(view.node->pool)) continue;
    allowed_[view.node->pool] =
        allowed_disruptions(*view.pool->pool, reason, pass.cluster.nodes, pass.now);
  }
  left_ = allowed_;
}

int32_t BudgetLedger::left(const NodeView& view) const {
  const auto found = left_.find(view.node->pool);
  return found == left_.end() ? 0 : found->second;
}

void BudgetLedger::take(const NodeView& view) {
  const auto found = left_.find(view.node->pool);
  WL_ASSERT(found != left_.end() && found->second > 0);
  --found->second;
}

std::string BudgetLedger::refusal(const NodeView& view) const {
  const auto found = allowed_.find(view.node->pool);
  const int32_t allowed = found == allowed_.end() ? 0 : found->second;
  std::string text = budget_reason(view.node->pool, reason_, allowed, pass_.cluster.nodes);
  if (allowed > 0) text += ", all taken by nodes with more to save";
  return text;
}

Command removal(const Pass& pass, std::span<const size_t> members, Command::Method method) {
  Command command;
  command.method = method;
  for (const size_t i : members) {
    command.claims.push_back(pass.nodes[i].node->claim);
    command.usd_per_hour_before += pass.nodes[i].usd_per_hour;
  }
  std::sort(command.claims.begin(), command.claims.end());
  return command;
}

Attempt consolidate(const Pass& pass, Simulation& simulation, std::span<const size_t> members,
                    Command::Method method) {
  Simulation::Outcome outcome = simulation.without(members);
  if (!outcome.failure.empty()) return {std::nullopt, std::move(outcome.failure)};

  Command command = removal(pass, members, method);
  if (outcome.claim) {
    std::string why =
        restrict_replacement(pass, members, command.usd_per_hour_before, *outcome.claim);
    if (!why.empty()) return {std::nullopt, std::move(why)};
    command.usd_per_hour_after = outcome.claim->usd_per_hour;
    command.replacement = std::move(outcome.claim);
  }
  const double saved = command.usd_per_hour_before - command.usd_per_hour_after;
  std::string why = why_unbalanced(pass.nodes, members, saved);
  if (why.empty()) why = why_not_worth_moving(pass, members, saved);
  if (!why.empty()) return {std::nullopt, std::move(why)};
  command.why = gain_text(pass, members, command);
  return {std::move(command), {}};
}

void drop_unprofitable_moves(Pass& pass) {
  if (pass.options.move_cost_usd.empty()) return;
  for (size_t i = 0; i < pass.nodes.size(); ++i) {
    NodeView& view = pass.nodes[i];
    if (!view.open() || view.empty()) continue;
    const double cost = move_cost_usd(pass, std::span(&i, 1));
    const double at_most = view.usd_per_hour * pass.options.payback.hours();
    if (cost <= 0 || at_most > cost) continue;
    view.reason =
        fmt::format("moving its pods costs {:.3f} USD, and the node costs {:.3f} USD in {}", cost,
                    at_most, to_string(pass.options.payback));
  }
}

}  // namespace windlass::disruption

#include "disruption/drifted_nodes.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "disruption/budgets.h"
#include "scheduling/static_pool.h"

namespace windlass::disruption {
namespace {

std::string note(const NodeView& view, std::string_view why) {
  return fmt::format("drifted ({}), but {}", view.node->drifted, why);
}

// The drifted nodes of static pools, or of the others, that drifted first first. Those that may not
// be touched get their note.
std::vector<size_t> oldest_first(Pass& pass, bool of_static_pools) {
  std::vector<size_t> order;
  for (size_t i = 0; i < pass.nodes.size(); ++i) {
    NodeView& view = pass.nodes[i];
    if (view.node->drifted.empty() || view.of_static_pool() != of_static_pools) continue;
    if (view.may_drift()) {
      order.push_back(i);
    } else {
      view.drift_note = note(view, view.node_block.empty() ? view.pod_block : view.node_block);
    }
  }
  std::ranges::stable_sort(order, [&](size_t a, size_t b) {
    const Candidate& x = *pass.nodes[a].node;
    const Candidate& y = *pass.nodes[b].node;
    return std::tie(x.drifted_since, x.created) < std::tie(y.drifted_since, y.created);
  });
  return order;
}

std::optional<Command> empty_ones(Pass& pass, const std::vector<size_t>& order) {
  BudgetLedger budget(pass, kDrifted);
  std::vector<size_t> members;
  for (const size_t i : order) {
    NodeView& view = pass.nodes[i];
    if (!view.empty() || budget.left(view) == 0) continue;
    budget.take(view);
    members.push_back(i);
  }
  if (members.empty()) return std::nullopt;
  Command command = removal(pass, members, Command::Method::kDrift);
  command.why = fmt::format("{} drifted nodes are empty; first: {}", members.size(),
                            pass.nodes[members.front()].node->drifted);
  return command;
}

// A static pool may not go over its node limit even for the time of the exchange.
std::string why_no_extra_node(const scheduling::Pool& pool) {
  const api::ResourceList& limits = pool.pool->limits;
  if (!limits.has("nodes")) return {};
  const int64_t limit = limits.milli("nodes") / 1000;
  const int64_t used = pool.used.milli("nodes") / 1000;
  if (used + 1 <= limit) return {};
  return fmt::format("pool {} is at its limit of {} nodes", pool.pool->meta.name, limit);
}

}  // namespace

std::optional<Command> static_drift(Pass& pass) {
  const BudgetLedger budget(pass, kDrifted);
  for (const size_t i : oldest_first(pass, true)) {
    NodeView& view = pass.nodes[i];
    if (budget.left(view) == 0) {
      view.drift_note = note(view, budget.refusal(view));
      continue;
    }
    std::string why = why_no_extra_node(*view.pool);
    scheduling::NewClaim claim;
    if (why.empty()) claim = scheduling::static_claim(*view.pool);
    if (why.empty() && claim.types.empty()) why = "no type its pool admits is on offer";
    if (!why.empty()) {
      view.drift_note = note(view, why);
      continue;
    }
    Command command = removal(pass, std::span(&i, 1), Command::Method::kStaticDrift);
    command.usd_per_hour_after = claim.usd_per_hour;
    command.replacements.push_back(std::move(claim));
    command.why = fmt::format("{}; a new node of static pool {} takes its place",
                              view.node->drifted, view.node->pool);
    return command;
  }
  return std::nullopt;
}

std::optional<Command> drift(Pass& pass, Simulation& simulation) {
  const std::vector<size_t> order = oldest_first(pass, false);
  if (auto command = empty_ones(pass, order)) return command;
  const BudgetLedger budget(pass, kDrifted);
  for (const size_t i : order) {
    NodeView& view = pass.nodes[i];
    if (budget.left(view) == 0) {
      view.drift_note = note(view, budget.refusal(view));
      continue;
    }
    Simulation::Outcome outcome =
        simulation.without(std::span(&i, 1), kAnyNumber, pass.options.objective);
    if (!outcome.failure.empty()) {
      view.drift_note = note(view, outcome.failure);
      continue;
    }
    Command command = removal(pass, std::span(&i, 1), Command::Method::kDrift);
    for (const scheduling::NewClaim& claim : outcome.claims) {
      command.usd_per_hour_after += claim.usd_per_hour;
    }
    command.why = fmt::format("{}; {} pods move, {} new nodes", view.node->drifted,
                              view.pods.size(), outcome.claims.size());
    command.replacements = std::move(outcome.claims);
    return command;
  }
  return std::nullopt;
}

}  // namespace windlass::disruption

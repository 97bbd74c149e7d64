#include "disruption/consolidation.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "disruption/balanced.h"
#include "disruption/price_filter.h"
#include "disruption/warm_up.h"

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

bool all_spot(const Pass& pass, std::span<const size_t> members) {
  return std::ranges::all_of(
      members, [&](size_t i) { return pass.nodes[i].node->capacity_type == api::kSpot; });
}

// Leaves in `claim` what is a gain over the members; says why there is nothing.
std::string restrict_replacement(const Pass& pass, std::span<const size_t> members,
                                 double usd_per_hour, scheduling::NewClaim& claim) {
  const bool spot_again = all_spot(pass, members) && admits(claim, api::kSpot);
  if (spot_again) {
    if (!pass.options.spot_to_spot) return std::string(kNoSpotToSpot);
    pin_to_spot(claim);
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
  if (members.size() < 2) {
    if (!spot_again || cut_for_spot_to_spot(claim)) return {};
    return fmt::format("spot to spot needs {} cheaper types, and there are {}", kSpotToSpotTypes,
                       claim.types.size());
  }
  std::vector<RemovedNode> removed;
  for (const size_t i : members) {
    removed.push_back({pass.nodes[i].node->instance_type, pass.nodes[i].usd_per_hour});
  }
  if (keep_cheaper_than_same_types(claim, removed)) return {};
  return fmt::format("the replacement would be of a type that {} nodes being removed already have",
                     members.size());
}

// Several claims in the place of the members: whatever each of them is launched as, they must cost
// less together. The cheapest type of each is kept, and what they leave of the members' price is
// shared evenly among the claims for dearer ones.
std::string restrict_replacements(const Pass& pass, std::span<const size_t> members,
                                  double usd_per_hour, std::vector<scheduling::NewClaim>& claims) {
  double least = 0;
  for (scheduling::NewClaim& claim : claims) {
    if (all_spot(pass, members) && admits(claim, api::kSpot)) {
      if (!pass.options.spot_to_spot) return std::string(kNoSpotToSpot);
      pin_to_spot(claim);
    }
    pin_capacity_type(claim);
    least += cheapest_worst_price(claim);
  }
  if (!(least < usd_per_hour)) {
    return fmt::format("no cheaper set: {} new nodes cost {:.3f} USD/h against {:.3f}",
                       claims.size(), least, usd_per_hour);
  }
  const double spare = (usd_per_hour - least) / static_cast<double>(claims.size());
  for (scheduling::NewClaim& claim : claims) {
    if (!keep_cheaper_than(claim, cheapest_worst_price(claim) + spare)) {
      return fmt::format("minValues: only {} types are cheap enough", claim.types.size());
    }
  }
  return {};
}

std::string gain_text(const Pass& pass, std::span<const size_t> members, const Command& command) {
  size_t pods = 0;
  for (const size_t i : members) pods += pass.nodes[i].pods.size();
  const std::string moved = fmt::format("{} pods of {} nodes fit", pods, members.size());
  if (command.replacements.empty()) {
    return fmt::format("{} on the nodes that stay: saves {:.3f} USD/h", moved,
                       command.usd_per_hour_before);
  }
  const std::string made = command.replacements.size() == 1
                               ? "one " + command.replacements.front().types.front()->name
                               : fmt::format("{} new nodes", command.replacements.size());
  return fmt::format("{} on the nodes that stay and {}: {:.3f} USD/h instead of {:.3f}", moved,
                     made, command.usd_per_hour_after, command.usd_per_hour_before);
}

}  // namespace

Command removal(const Pass& pass, std::span<const size_t> members, Command::Method method) {
  Command command;
  command.method = method;
  command.objective = pass.options.objective;
  for (const size_t i : members) {
    const NodeView& view = pass.nodes[i];
    command.claims.push_back(view.node->claim);
    command.nodes.push_back(view.node->node);
    command.usd_per_hour_before += view.usd_per_hour;
    command.disruption_cost += view.cost;
  }
  command.move_cost_usd = move_cost_usd(pass, members);
  std::ranges::sort(command.claims);
  std::ranges::sort(command.nodes);
  return command;
}

Attempt consolidate(const Pass& pass, Simulation& simulation, std::span<const size_t> members,
                    Command::Method method, size_t most_claims, Objective solver) {
  Simulation::Outcome outcome = simulation.without(members, most_claims, solver);
  if (!outcome.failure.empty()) return {std::nullopt, std::move(outcome.failure)};

  Command command = removal(pass, members, method);
  command.objective = solver;
  std::vector<scheduling::NewClaim>& claims = outcome.claims;
  std::string why;
  if (claims.size() == 1) {
    why = restrict_replacement(pass, members, command.usd_per_hour_before, claims.front());
  } else if (!claims.empty()) {
    why = restrict_replacements(pass, members, command.usd_per_hour_before, claims);
  }
  if (!why.empty()) return {std::nullopt, std::move(why)};
  for (const scheduling::NewClaim& claim : claims) command.usd_per_hour_after += claim.usd_per_hour;
  command.replacements = std::move(claims);

  const double saved = command.usd_per_hour_before - command.usd_per_hour_after;
  why = why_unbalanced(pass.nodes, members, saved);
  if (why.empty()) why = why_not_worth_moving(pass, members, saved);
  if (!why.empty()) return {std::nullopt, std::move(why)};
  command.why = gain_text(pass, members, command);
  return {std::move(command), {}};
}

double net_usd(const Command& command, const Options& options) {
  const double saved = command.usd_per_hour_before - command.usd_per_hour_after;
  return saved * options.payback.hours() - command.move_cost_usd;
}

void drop_unprofitable_moves(Pass& pass) {
  for (size_t i = 0; i < pass.nodes.size(); ++i) {
    NodeView& view = pass.nodes[i];
    if (!view.open() || view.empty()) continue;
    if (pass.options.objective == Objective::kCost) {
      view.reason = why_warming(*view.node, pass.now);
      if (!view.open()) continue;
    }
    const double cost = move_cost_usd(pass, std::span(&i, 1));
    const double at_most = view.usd_per_hour * pass.options.payback.hours();
    if (cost <= 0 || at_most > cost) continue;
    view.reason =
        fmt::format("moving its pods costs {:.3f} USD, and the node costs {:.3f} USD in {}", cost,
                    at_most, to_string(pass.options.payback));
  }
}

}  // namespace windlass::disruption

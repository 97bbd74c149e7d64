#include "disruption/balanced.h"

#include <map>

#include <fmt/format.h>

namespace windlass::disruption {
namespace {

struct Share {
  double usd_per_hour = 0;
  double cost = 0;
};

bool balanced(const NodeView& view) {
  return view.pool != nullptr &&
         view.pool->pool->consolidation_policy == api::ConsolidationPolicy::kBalanced;
}

}  // namespace

std::string why_unbalanced(const std::vector<NodeView>& nodes, std::span<const size_t> members,
                           double usd_per_hour) {
  constexpr double kThreshold = 0.5;  // 1/k, k = 2
  std::map<std::string_view, Share> moves;
  double all_members = 0;
  for (const size_t i : members) {
    all_members += nodes[i].usd_per_hour;
    if (!balanced(nodes[i])) continue;
    Share& move = moves[nodes[i].node->pool];
    move.usd_per_hour += nodes[i].usd_per_hour;
    move.cost += nodes[i].cost;
  }
  for (const auto& [pool, move] : moves) {
    Share total;
    for (const NodeView& view : nodes) {
      if (!view.disruptable() || view.node->pool != pool || view.usd_per_hour <= 0) continue;
      total.usd_per_hour += view.usd_per_hour;
      total.cost += view.cost;
    }
    if (total.usd_per_hour <= 0) return fmt::format("pool {} is Balanced and has no cost", pool);
    const double saved = usd_per_hour * (move.usd_per_hour / all_members) / total.usd_per_hour;
    const double disturbed = move.cost / total.cost;
    if (saved > 0 && saved / disturbed >= kThreshold) continue;
    return fmt::format(
        "policy of pool {} is Balanced: saves {:.1f}% of its cost for {:.1f}% of its disruption, "
        "less than 1 to 2",
        pool, 100 * saved, 100 * disturbed);
  }
  return {};
}

}  // namespace windlass::disruption

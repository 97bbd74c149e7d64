#include "disruption/quick_look.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string_view>

#include <fmt/format.h>

namespace windlass::disruption {
namespace {

// Nodes that moved pods may not be planned onto.
struct Closed {
  std::set<std::string_view> claims;
  std::set<std::string_view> names;
};

Closed closed_nodes(const std::vector<NodeView>& nodes) {
  Closed closed;
  for (const NodeView& view : nodes) {
    if (!view.settling && !view.node->deleting) continue;
    if (!view.node->claim.empty()) closed.claims.insert(view.node->claim);
    closed.names.insert(view.node->node);
  }
  return closed;
}

bool names_capacity_type(const api::NodeSelectorTerm& term) {
  return std::any_of(term.match_expressions.begin(), term.match_expressions.end(),
                     [](const auto& spec) { return spec.key == api::kCapacityTypeLabel; });
}

bool asks_for_capacity_type(const api::Pod* pod) {
  const api::PodSpec& spec = pod->spec;
  return spec.node_selector.contains(std::string(api::kCapacityTypeLabel)) ||
         std::any_of(spec.required_node_terms.begin(), spec.required_node_terms.end(),
                     names_capacity_type) ||
         std::any_of(spec.preferred_node_terms.begin(), spec.preferred_node_terms.end(),
                     [](const auto& preferred) { return names_capacity_type(preferred.term); });
}

// Whether a pod that shares the new node might keep it from being spot.
bool others_ask_for_capacity_type(const Cluster& cluster, const std::vector<NodeView>& nodes) {
  const auto any = [](const std::vector<const api::Pod*>& pods) {
    return std::any_of(pods.begin(), pods.end(), asks_for_capacity_type);
  };
  return any(cluster.scheduling.pods) || !cluster.scheduling.claim_requirements.empty() ||
         std::any_of(nodes.begin(), nodes.end(),
                     [&](const NodeView& view) { return view.node->deleting && any(view.pods); });
}

}  // namespace

QuickLook::Size QuickLook::size_of(const api::ResourceList& list) {
  return {list.milli(api::kCpu), list.milli(api::kMemory), list.milli(api::kNvidiaGpu),
          list.milli(api::kPods)};
}

bool QuickLook::fits(const Size& pod, const Size& room) {
  for (size_t i = 0; i < pod.size(); ++i) {
    if (pod[i] > 0 && pod[i] > room[i]) return false;
  }
  return true;
}

QuickLook::QuickLook(const Cluster& cluster, const std::vector<NodeView>& nodes,
                     const Options& options)
    : nodes_(nodes), spot_to_spot_(options.spot_to_spot) {
  const Closed closed = closed_nodes(nodes);
  for (const scheduling::ExistingNode& node : cluster.scheduling.nodes) {
    if (closed.claims.contains(node.claim) || closed.names.contains(node.name)) continue;
    rooms_.push_back({&node.claim, &node.name, size_of(node.available)});
  }
  for (const scheduling::Pool& pool : cluster.scheduling.pools) {
    if (pool.pool == nullptr || pool.types == nullptr || pool.pool->replicas) continue;
    auto wanted = api::Requirements::from_specs(pool.pool->requirements);
    wanted.add(api::Requirements::from_labels(pool.pool->labels));
    if (!wanted.get(api::kCapacityTypeLabel).has(api::kSpot)) new_nodes_may_be_spot_ = false;
    for (const catalog::InstanceType& type : pool.types->types) {
      if (!wanted.intersects(type.requirements)) continue;
      if (const catalog::Offering* offering = type.cheapest(wanted)) {
        offers_.push_back({offering->usd_per_hour, size_of(type.allocatable)});
      }
    }
  }
  if (others_ask_for_capacity_type(cluster, nodes)) new_nodes_may_be_spot_ = false;
  std::stable_sort(offers_.begin(), offers_.end(),
                   [](const Offer& a, const Offer& b) { return a.usd_per_hour < b.usd_per_hour; });
}

double QuickLook::least_price(size_t node) const {
  const Candidate& leaving = *nodes_[node].node;
  double least = 0;
  for (const api::Pod* pod : nodes_[node].pods) {
    const Size size = size_of(api::pod_requests(pod->spec));
    const bool has_room = std::any_of(rooms_.begin(), rooms_.end(), [&](const Room& room) {
      return fits(size, room.free) && *room.name != leaving.node && *room.claim != leaving.claim;
    });
    if (has_room) continue;
    const auto offer = std::find_if(offers_.begin(), offers_.end(),
                                    [&](const Offer& o) { return fits(size, o.size); });
    if (offer == offers_.end()) return std::numeric_limits<double>::infinity();
    least = std::max(least, offer->usd_per_hour);
  }
  return least;
}

std::string QuickLook::why_hopeless(size_t node) const {
  const NodeView& view = nodes_[node];
  const double least = least_price(node);
  // Where no type is large enough the scheduler says it better.
  if (least == 0 || std::isinf(least)) return {};
  const bool spot_again = !spot_to_spot_ && view.node->capacity_type == api::kSpot &&
                          new_nodes_may_be_spot_ &&
                          std::none_of(view.pods.begin(), view.pods.end(), asks_for_capacity_type);
  if (spot_again) return std::string(kNoSpotToSpot);
  if (least < view.usd_per_hour) return {};
  return fmt::format("no cheaper type: replacing costs at least {:.3f} USD/h against {:.3f}", least,
                     view.usd_per_hour);
}

}  // namespace windlass::disruption

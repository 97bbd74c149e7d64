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

Size size_of(const api::ResourceList& list) {
  return {list.milli(api::kCpu), list.milli(api::kMemory), list.milli(api::kNvidiaGpu),
          list.milli(api::kPods)};
}

Size size_of(const api::Pod& pod) {
  return pod.digest.labels != 0 ? pod.digest.size : size_of(api::pod_requests(pod.spec));
}

std::vector<const scheduling::ExistingNode*> open_nodes(const Cluster& cluster,
                                                        const std::vector<NodeView>& nodes) {
  const Closed closed = closed_nodes(nodes);
  std::vector<const scheduling::ExistingNode*> open;
  for (const scheduling::ExistingNode& node : cluster.scheduling.nodes) {
    const bool taken = closed.claims.contains(node.claim) || closed.names.contains(node.name);
    if (!taken) open.push_back(&node);
  }
  return open;
}

std::vector<Size> free_sizes(const std::vector<const scheduling::ExistingNode*>& nodes) {
  std::vector<Size> sizes;
  sizes.reserve(nodes.size());
  for (const scheduling::ExistingNode* node : nodes) sizes.push_back(size_of(node->available));
  return sizes;
}

}  // namespace

QuickLook::QuickLook(const Cluster& cluster, const std::vector<NodeView>& nodes,
                     const Options& options)
    : nodes_(nodes),
      spot_to_spot_(options.spot_to_spot),
      one_new_node_(options.objective == Objective::kStock),
      free_({}) {
  // A pod that is planned onto a node which is not initialized spoils the attempt.
  std::vector<const scheduling::ExistingNode*> open = open_nodes(cluster, nodes);
  const auto rest = std::ranges::stable_partition(
      open, [](const scheduling::ExistingNode* node) { return node->initialized; });
  for (const scheduling::ExistingNode* node : rest) {
    uninitialized_.emplace_back(size_of(node->available), &node->name);
  }
  std::ranges::sort(uninitialized_, {},
                    [](const auto& room) -> const std::string& { return *room.second; });
  open.erase(rest.begin(), rest.end());
  free_ = RoomTree(free_sizes(open));
  for (const scheduling::ExistingNode* node : open) rooms_.push_back({&node->claim, &node->name});
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
  std::ranges::stable_sort(offers_, {}, &Offer::usd_per_hour);
  unit_usd_.fill(std::numeric_limits<double>::infinity());
  for (const Offer& offer : offers_) {
    for (size_t i = 0; i < unit_usd_.size(); ++i) {
      if (offer.size[i] <= 0) continue;
      unit_usd_[i] =
          std::min(unit_usd_[i], offer.usd_per_hour / static_cast<double>(offer.size[i]));
    }
  }
}

template <typename Leaves>
bool QuickLook::has_room(const Size& pod, Leaves leaves) const {
  for (size_t at = free_.first_fit(pod, 0); at != RoomTree::kNone;
       at = free_.first_fit(pod, at + 1)) {
    if (!leaves(rooms_[at])) return true;
  }
  return false;
}

double QuickLook::cheapest_for(const Size& size) const {
  const auto offer =
      std::ranges::find_if(offers_, [&](const Offer& o) { return fits(size, o.size); });
  return offer == offers_.end() ? std::numeric_limits<double>::infinity() : offer->usd_per_hour;
}

bool QuickLook::has_room_beside(const Size& pod, const Candidate& leaving) const {
  return has_room(pod, [&](const Room& room) {
    return *room.name == leaving.node || *room.claim == leaving.claim;
  });
}

double QuickLook::least_price(size_t node) const {
  Size sum{};
  double dearest = 0;  // of the pods one by one
  for (const api::Pod* pod : nodes_[node].pods) {
    const Size size = size_of(*pod);
    if (has_room_beside(size, *nodes_[node].node)) continue;
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += size[i];
    if (!one_new_node_) dearest = std::max(dearest, cheapest_for(size));
  }
  if (sum == Size{}) return 0;
  if (one_new_node_) return cheapest_for(sum);
  double least = dearest;
  for (size_t i = 0; i < sum.size(); ++i) {
    if (sum[i] > 0) least = std::max(least, unit_usd_[i] * static_cast<double>(sum[i]));
  }
  // A hair below, for what sums of fractions may be off by.
  return std::isinf(dearest) ? dearest : least * (1 - 1e-12);
}

bool QuickLook::hopeless_together(std::span<const size_t> nodes) const {
  if (!one_new_node_) return false;
  std::set<std::string_view> names;
  std::set<std::string_view> claims;
  double usd_per_hour = 0;
  for (const size_t i : nodes) {
    names.insert(nodes_[i].node->node);
    claims.insert(nodes_[i].node->claim);
    usd_per_hour += nodes_[i].usd_per_hour;
  }
  const auto leaves = [&](const Room& room) {
    return names.contains(*room.name) || claims.contains(*room.claim);
  };
  Size sum{};
  for (const size_t i : nodes) {
    for (const api::Pod* pod : nodes_[i].pods) {
      const Size size = size_of(*pod);
      if (has_room(size, leaves)) continue;
      for (size_t r = 0; r < sum.size(); ++r) sum[r] += size[r];
    }
    // Even what is left out of sight so far would only make it dearer.
    if (sum != Size{} && cheapest_for(sum) >= usd_per_hour) return true;
  }
  return false;
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
  for (const api::Pod* pod : view.pods) {
    const Size size = size_of(*pod);
    const auto there = std::ranges::find_if(
        uninitialized_, [&](const auto& room) { return fits(size, room.first); });
    if (there == uninitialized_.end() || has_room_beside(size, *view.node)) continue;
    return fmt::format("pod {} would need node {}, which is not initialized yet", pod->meta.key(),
                       *there->second);
  }
  return fmt::format("no cheaper type: replacing costs at least {:.3f} USD/h against {:.3f}", least,
                     view.usd_per_hour);
}

}  // namespace windlass::disruption

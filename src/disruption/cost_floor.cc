#include "disruption/cost_floor.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>

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

}  // namespace

CostFloor::Size CostFloor::size_of(const api::ResourceList& list) {
  return {list.milli(api::kCpu), list.milli(api::kMemory), list.milli(api::kNvidiaGpu),
          list.milli(api::kPods)};
}

bool CostFloor::fits(const Size& pod, const Size& room) {
  for (size_t i = 0; i < pod.size(); ++i) {
    if (pod[i] > 0 && pod[i] > room[i]) return false;
  }
  return true;
}

CostFloor::CostFloor(const Cluster& cluster, const std::vector<NodeView>& nodes) : nodes_(nodes) {
  const Closed closed = closed_nodes(nodes);
  for (const scheduling::ExistingNode& node : cluster.scheduling.nodes) {
    if (closed.claims.contains(node.claim) || closed.names.contains(node.name)) continue;
    rooms_.push_back({&node.claim, &node.name, size_of(node.available)});
  }
  for (const scheduling::Pool& pool : cluster.scheduling.pools) {
    if (pool.pool == nullptr || pool.types == nullptr) continue;
    const auto wanted = api::Requirements::from_specs(pool.pool->requirements);
    for (const catalog::InstanceType& type : pool.types->types) {
      if (!wanted.intersects(type.requirements)) continue;
      if (const catalog::Offering* offering = type.cheapest(wanted)) {
        offers_.push_back({offering->usd_per_hour, size_of(type.allocatable)});
      }
    }
  }
  std::stable_sort(offers_.begin(), offers_.end(),
                   [](const Offer& a, const Offer& b) { return a.usd_per_hour < b.usd_per_hour; });
}

double CostFloor::of(size_t node) const {
  const Candidate& leaving = *nodes_[node].node;
  double floor = 0;
  for (const api::Pod* pod : nodes_[node].pods) {
    const Size size = size_of(api::pod_requests(pod->spec));
    const bool has_room = std::any_of(rooms_.begin(), rooms_.end(), [&](const Room& room) {
      return fits(size, room.free) && *room.name != leaving.node && *room.claim != leaving.claim;
    });
    if (has_room) continue;
    const auto offer = std::find_if(offers_.begin(), offers_.end(),
                                    [&](const Offer& o) { return fits(size, o.size); });
    if (offer == offers_.end()) return std::numeric_limits<double>::infinity();
    floor = std::max(floor, offer->usd_per_hour);
  }
  return floor;
}

}  // namespace windlass::disruption

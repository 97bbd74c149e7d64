#include "disruption/candidates.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "disruption/costs.h"

namespace windlass::disruption {
namespace {

using PoolsByName = std::map<std::string_view, const scheduling::Pool*>;

// What rules out touching the node, whatever runs on it.
std::string why_node_blocks(const NodeView& view) {
  const Candidate& node = *view.node;
  if (node.claim.empty()) return "no NodeClaim made this node";
  if (node.deleting) return "already being deleted or disrupted";
  if (!node.initialized) return "not initialized yet";
  if (node.nominated) return "nominated: a pending pod was promised to it";
  if (node.do_not_disrupt) return fmt::format("the node has {}", api::kDoNotDisrupt);
  if (node.pool.empty()) return "belongs to no pool";
  if (view.pool == nullptr) return fmt::format("pool {} is unknown or not ready", node.pool);
  return {};
}

// The first by key that something blocks; the order of input must not show.
template <typename Why>
std::string why_first_blocks(const std::vector<const api::Pod*>& pods, Why why_of) {
  const api::Pod* first = nullptr;
  std::string said;
  for (const api::Pod* pod : pods) {
    std::string why = why_of(*pod);
    if (why.empty() || (first != nullptr && first->meta.key() < pod->meta.key())) continue;
    first = pod;
    said = std::move(why);
  }
  return said;
}

std::string why_pods_block(const NodeView& view, const EvictionLimits& limits, Instant now) {
  const std::vector<const api::Pod*>& pods = view.node->pods;
  std::string why =
      why_first_blocks(pods, [&](const auto& pod) { return do_not_disrupt(pod, now); });
  if (!why.empty()) return why;
  return why_first_blocks(pods, [&](const auto& pod) { return limits.why_blocked(pod); });
}

// What the pool's settings, or not knowing the node's price, rule out beyond that.
std::string why_not_consolidatable(const NodeView& view, Instant now) {
  const Candidate& node = *view.node;
  const api::NodePool& pool = *view.pool->pool;
  if (pool.replicas) {
    return fmt::format("pool {} is static ({} replicas)", pool.meta.name, *pool.replicas);
  }
  const std::optional<Instant> at = consolidatable_at(node, pool);
  if (!at) return fmt::format("consolidateAfter of pool {} is Never", pool.meta.name);
  if (!view.empty()) {
    if (view.type == nullptr) {
      return fmt::format("instance type \"{}\" is unknown to pool {}", node.instance_type,
                         pool.meta.name);
    }
    if (node.capacity_type.empty()) return "the node's capacity type is unknown";
    if (node.zone.empty()) return "the node's zone is unknown";
    if (pool.consolidation_policy == api::ConsolidationPolicy::kWhenEmpty) {
      return fmt::format("policy of pool {} is WhenEmpty and {} pods run here", pool.meta.name,
                         view.pods.size());
    }
  }
  if (now < *at) {
    return fmt::format("not consolidatable for another {} of consolidateAfter {}",
                       remaining_text(*at, now), to_string(*pool.consolidate_after));
  }
  return {};
}

NodeView view_of(const Candidate& node, const PoolsByName& pools) {
  NodeView view;
  view.node = &node;
  if (const auto pool = pools.find(node.pool); pool != pools.end()) view.pool = pool->second;
  if (view.pool != nullptr && view.pool->types != nullptr) {
    view.type = view.pool->types->find(node.instance_type);
  }
  // A price that is no number would make the order of candidates undefined.
  if (std::isfinite(node.usd_per_hour)) view.usd_per_hour = std::max(0.0, node.usd_per_hour);
  for (const api::Pod* pod : node.pods) {
    if (reschedulable(*pod)) view.pods.push_back(pod);
  }
  std::sort(view.pods.begin(), view.pods.end(), [](const api::Pod* a, const api::Pod* b) {
    return std::tie(a->meta.namespace_name, a->meta.name) <
           std::tie(b->meta.namespace_name, b->meta.name);
  });
  view.cost = reschedule_cost(view.pods);
  return view;
}

}  // namespace

std::optional<Instant> consolidatable_at(const Candidate& node, const api::NodePool& pool) {
  if (!pool.consolidate_after || !node.initialized) return std::nullopt;
  const Instant since = std::max(node.initialized_at, node.last_pod_event.value_or(Instant{}));
  const Duration wait = std::max(*pool.consolidate_after, Duration{});
  if (since.ns > std::numeric_limits<int64_t>::max() - wait.ns) return kNever;
  return since + wait;
}

bool consolidatable(const Candidate& node, const api::NodePool& pool, Instant now) {
  const std::optional<Instant> at = consolidatable_at(node, pool);
  return at && *at <= now;
}

std::vector<NodeView> examine(const Cluster& cluster, const EvictionLimits& limits, Instant now) {
  PoolsByName pools;
  for (const scheduling::Pool& pool : cluster.scheduling.pools) {
    if (pool.pool != nullptr) pools.emplace(pool.pool->meta.name, &pool);
  }
  std::vector<NodeView> views;
  views.reserve(cluster.nodes.size());
  for (const Candidate& node : cluster.nodes) {
    NodeView view = view_of(node, pools);
    view.node_block = why_node_blocks(view);
    if (view.node_block.empty()) view.pod_block = why_pods_block(view, limits, now);
    view.reason = view.node_block.empty() ? view.pod_block : view.node_block;
    if (view.open()) view.reason = why_not_consolidatable(view, now);
    if (view.pool != nullptr && node.initialized) {
      const std::optional<Instant> at = consolidatable_at(node, *view.pool->pool);
      view.settling = at && now < *at;  // a node of a pool with Never does take pods
    }
    views.push_back(std::move(view));
  }
  std::sort(views.begin(), views.end(), [](const NodeView& a, const NodeView& b) {
    return std::tie(a.node->node, a.node->claim) < std::tie(b.node->node, b.node->claim);
  });
  return views;
}

std::vector<size_t> in_order_of_gain(const std::vector<NodeView>& nodes, bool empty) {
  std::vector<size_t> order;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].open() && nodes[i].empty() == empty) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return nodes[a].usd_per_hour / nodes[a].cost > nodes[b].usd_per_hour / nodes[b].cost;
  });
  return order;
}

std::string remaining_text(Instant until, Instant now) {
  constexpr int64_t kSecond = 1'000'000'000;
  return to_string(seconds(((until - now).ns + kSecond - 1) / kSecond));
}

}  // namespace windlass::disruption

// A small cluster made by hand, for this room's tests: four instance types whose price is 0.05
// USD/h a vCPU on demand and 40 % of that as spot, pools, nodes, pods. Things are changed through
// the references the makers return; nothing is copied before propose().
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "disruption/propose.h"

namespace windlass::disruption {

inline constexpr Instant kNow{1'772'323'200'000'000'000};  // 2026-03-01T00:00:00Z, a Sunday

inline catalog::InstanceType small_type(const std::string& name, int cpus) {
  catalog::InstanceType type;
  type.name = name;
  const auto in = [&](std::string_view key, const std::vector<std::string>& values) {
    type.requirements.add(key, api::Requirement(api::Operator::kIn, values));
  };
  in(api::kInstanceTypeLabel, {name});
  in(api::kArchLabel, {"amd64"});
  in(api::kOsLabel, {"linux"});
  in(api::kZoneLabel, {"a", "b"});
  in(api::kCapacityTypeLabel, {"on-demand", "spot"});
  const int64_t gib = int64_t{1} << 30;
  type.capacity = {
      {api::kCpu, cpus * 1000}, {api::kMemory, cpus * 4 * gib * 1000}, {api::kPods, 110'000}};
  type.allocatable = type.capacity;
  for (const std::string zone : {"a", "b"}) {
    type.offerings.push_back({zone, "on-demand", 0.05 * cpus, true});
    type.offerings.push_back({zone, "spot", 0.02 * cpus, true});
  }
  return type;
}

// Types t-02, t-04, t-08, t-16: as many vCPUs as their name says.
inline catalog::Catalog small_catalog() {
  return {{small_type("t-02", 2), small_type("t-04", 4), small_type("t-08", 8),
           small_type("t-16", 16)}};
}

class SmallCluster {
 public:
  catalog::Catalog types = small_catalog();

  // On-demand only, consolidateAfter 0, budget 100 %.
  api::NodePool& pool(const std::string& name) {
    api::NodePool& made = pools_.emplace_back();
    made.meta.name = name;
    made.requirements.push_back(
        {std::string(api::kCapacityTypeLabel), api::Operator::kIn, {"on-demand"}, {}});
    made.budgets = {api::Budget{{100, true}, {}, "", {}}};
    return made;
  }
  // The pool may launch spot too.
  static void allow_spot(api::NodePool& pool) {
    pool.requirements.front().values = {"on-demand", "spot"};
  }

  // Initialized an hour ago in zone a; its claim is "c-" + name.
  Candidate& node(const std::string& name, const std::string& pool, const std::string& type,
                  const std::string& capacity_type = "on-demand") {
    Candidate& made = nodes_.emplace_back();
    made.node = name;
    made.claim = "c-" + name;
    made.pool = pool;
    made.instance_type = type;
    made.capacity_type = capacity_type;
    made.zone = "a";
    if (const catalog::InstanceType* known = types.find(type)) {
      for (const catalog::Offering& o : known->offerings) {
        if (o.zone == "a" && o.capacity_type == capacity_type) made.usd_per_hour = o.usd_per_hour;
      }
    }
    made.initialized = true;
    made.initialized_at = kNow - hours(1);
    return made;
  }

  // Bound to the node ("" for a pending one), running and ready.
  api::Pod& pod(const std::string& name, const std::string& node, int64_t cpu_milli) {
    api::Pod& made = pods_.emplace_back();
    made.meta.name = name;
    made.meta.namespace_name = "ns";
    made.meta.uid = name;
    made.meta.owners.push_back({"apps/v1", "ReplicaSet", "rs", "rs", true});
    made.spec.node_name = node;
    made.spec.containers.emplace_back();
    made.spec.containers.back().requests = {{api::kCpu, cpu_milli}};
    made.phase = node.empty() ? api::PodPhase::kPending : api::PodPhase::kRunning;
    made.ready = !node.empty();
    return made;
  }

  api::PodDisruptionBudget& budget(const std::string& name) {
    api::PodDisruptionBudget& made = budgets_.emplace_back();
    made.meta.name = name;
    made.meta.namespace_name = "ns";
    return made;
  }

  api::DaemonSet& daemon_set(const std::string& name) {
    api::DaemonSet& made = daemon_sets_.emplace_back();
    made.meta.name = name;
    made.meta.namespace_name = "ns";
    return made;
  }

  // Deleting nodes are left out of the scheduler's nodes, as the caller does.
  [[nodiscard]] Cluster build() const {
    Cluster cluster;
    for (const api::Pod& pod : pods_) {
      cluster.all_pods.push_back(&pod);
      if (pod.spec.node_name.empty()) cluster.scheduling.pods.push_back(&pod);
    }
    std::map<std::string, api::ResourceList> used;
    for (const Candidate& node : nodes_) {
      cluster.nodes.push_back(node);
      const catalog::InstanceType* type = types.find(node.instance_type);
      api::ResourceList free = type == nullptr ? api::ResourceList{} : type->allocatable;
      if (type != nullptr) used[node.pool] += type->capacity;
      used[node.pool] += api::ResourceList{{"nodes", 1000}};
      for (const api::Pod& pod : pods_) {
        if (pod.spec.node_name != node.node || pod.terminal()) continue;
        cluster.nodes.back().pods.push_back(&pod);
        free -= api::pod_requests(pod.spec);
      }
      if (!node.deleting) cluster.scheduling.nodes.push_back(existing(node, free));
    }
    for (const api::NodePool& pool : pools_) {
      cluster.scheduling.pools.push_back({&pool, &types, used[pool.meta.name]});
    }
    for (const api::DaemonSet& set : daemon_sets_) cluster.scheduling.daemon_sets.push_back(&set);
    for (const api::PodDisruptionBudget& b : budgets_) cluster.budgets.push_back(&b);
    return cluster;
  }

  [[nodiscard]] Proposal propose(const Options& options = {}) const {
    return disruption::propose(build(), kNow, options);
  }

 private:
  [[nodiscard]] static scheduling::ExistingNode existing(const Candidate& node,
                                                         const api::ResourceList& free) {
    scheduling::ExistingNode made;
    made.name = node.node;
    made.claim = node.claim;
    made.pool = node.pool;
    made.initialized = node.initialized;
    made.available = free;
    const auto label = [&](std::string_view key, const std::string& value) {
      made.labels.own().emplace(key, value);
    };
    label(api::kNodePoolLabel, node.pool);
    label(api::kInstanceTypeLabel, node.instance_type);
    label(api::kCapacityTypeLabel, node.capacity_type);
    label(api::kZoneLabel, node.zone);
    label(api::kHostnameLabel, node.node);
    label(api::kArchLabel, "amd64");
    label(api::kOsLabel, "linux");
    return made;
  }

  std::deque<api::NodePool> pools_;
  std::deque<Candidate> nodes_;
  std::deque<api::Pod> pods_;
  std::deque<api::PodDisruptionBudget> budgets_;
  std::deque<api::DaemonSet> daemon_sets_;
};

// The reason a node was left with; "(in a command)" if it was not.
inline std::string reason_of(const Proposal& proposal, std::string_view node) {
  for (const Left& left : proposal.left) {
    if (left.node == node) return left.reason;
  }
  return "(in a command)";
}

// "emptiness c-a c-b", "single_node_consolidation c-a -> t-02 t-04", or "nothing".
inline std::string summary(const Proposal& proposal) {
  std::string text;
  for (const Command& command : proposal.commands) {
    text += to_string(command.method);
    for (const std::string& claim : command.claims) text += " " + claim;
    for (const scheduling::NewClaim& claim : command.replacements) {
      text += " ->";
      for (const catalog::InstanceType* type : claim.types) text += " " + type->name;
    }
  }
  return text.empty() ? "nothing" : text;
}

}  // namespace windlass::disruption

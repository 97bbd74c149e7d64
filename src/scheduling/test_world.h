// For this room's tests: small catalogues, pools, nodes and pods made by hand, and an owner for
// them, since a Problem only points at things.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "scheduling/solve.h"

namespace windlass::scheduling::test {

inline constexpr int64_t kGibMilli = int64_t{1024} * 1024 * 1024 * 1000;
inline constexpr const char* kGpuCount = "karpenter.k8s.aws/instance-gpu-count";

// cpu in whole cores, memory in GiB.
inline api::ResourceList resources(int64_t cpu, int64_t memory_gib, int64_t gpus = 0) {
  api::ResourceList list{{"cpu", cpu * 1000}, {"memory", memory_gib * kGibMilli}};
  if (gpus > 0) list.set(api::kNvidiaGpu, gpus * 1000);
  return list;
}

inline catalog::InstanceType instance_type(const std::string& name, int64_t cpu, int64_t gpus,
                                           std::vector<catalog::Offering> offerings) {
  catalog::InstanceType type;
  type.name = name;
  type.capacity = resources(cpu, 2 * cpu, gpus);
  type.capacity.set(api::kPods, 110 * 1000);
  type.allocatable = type.capacity;
  type.gpu_count = static_cast<int>(gpus);
  std::vector<std::string> zones;
  std::vector<std::string> capacity_types;
  for (const auto& offering : offerings) {
    zones.push_back(offering.zone);
    capacity_types.push_back(offering.capacity_type);
  }
  using api::Operator;
  type.requirements.add(api::kInstanceTypeLabel, {Operator::kIn, {name}});
  type.requirements.add(api::kArchLabel, {Operator::kIn, {"amd64"}});
  type.requirements.add(api::kZoneLabel, {Operator::kIn, zones});
  type.requirements.add(api::kCapacityTypeLabel, {Operator::kIn, capacity_types});
  type.requirements.add(kGpuCount, gpus > 0
                                       ? api::Requirement(Operator::kIn, {std::to_string(gpus)})
                                       : api::Requirement(Operator::kDoesNotExist, {}));
  type.offerings = std::move(offerings);
  return type;
}

// On-demand and spot (at 0.4 of the price) in zones a and b.
inline std::vector<catalog::Offering> everywhere(double usd_per_hour) {
  std::vector<catalog::Offering> offerings;
  for (const char* zone : {"a", "b"}) {
    offerings.push_back({zone, "on-demand", usd_per_hour, true});
    offerings.push_back({zone, "spot", usd_per_hour * 0.4, true});
  }
  return offerings;
}

// cpu-2, cpu-8, gpu-1 (8 cores), gpu-4 (32 cores), gpu-8 (96 cores).
inline catalog::Catalog small_catalog() {
  return {{instance_type("cpu-2", 2, 0, everywhere(0.1)),
           instance_type("cpu-8", 8, 0, everywhere(0.4)),
           instance_type("gpu-1", 8, 1, everywhere(1.0)),
           instance_type("gpu-4", 32, 4, everywhere(5.0)),
           instance_type("gpu-8", 96, 8, everywhere(20.0))}};
}

inline api::NodePool node_pool(const std::string& name) {
  api::NodePool pool;
  pool.meta.name = name;
  pool.node_class = {"karpenter.k8s.aws", "EC2NodeClass", "default"};
  return pool;
}

inline api::Pod pod(const std::string& name, api::ResourceList requests) {
  api::Pod out;
  out.meta.namespace_name = "default";
  out.meta.name = name;
  out.meta.uid = "uid-" + name;
  api::Container container;
  container.requests = std::move(requests);
  out.spec.containers.push_back(std::move(container));
  return out;
}

inline api::Toleration tolerate(const std::string& key) {
  return {key, "Exists", "", "", std::nullopt};
}

inline ExistingNode node(const std::string& name, api::ResourceList available) {
  ExistingNode out;
  out.name = name;
  out.initialized = true;
  out.available = std::move(available);
  out.available.set(api::kPods, 110 * 1000);
  out.labels = {{std::string(api::kHostnameLabel), name}, {std::string(api::kArchLabel), "amd64"}};
  return out;
}

class World {
 public:
  World() { catalogs_.push_back(small_catalog()); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  catalog::Catalog& catalog() { return catalogs_.front(); }
  api::NodePool& add(api::NodePool pool) {
    pools_.push_back(std::move(pool));
    problem.pools.push_back({&pools_.back(), &catalogs_.front(), {}});
    return pools_.back();
  }
  api::Pod& add(api::Pod pod) {
    pods_.push_back(std::move(pod));
    problem.pods.push_back(&pods_.back());
    return pods_.back();
  }
  ExistingNode& add(ExistingNode node) {
    problem.nodes.push_back(std::move(node));
    return problem.nodes.back();
  }
  api::PodSpec& add_daemon(const std::string& name, api::ResourceList requests) {
    api::DaemonSet daemon_set;
    daemon_set.meta.name = name;
    api::Container container;
    container.requests = std::move(requests);
    daemon_set.pod_template.spec.containers.push_back(std::move(container));
    daemon_sets_.push_back(std::move(daemon_set));
    problem.daemon_sets.push_back(&daemon_sets_.back());
    return daemon_sets_.back().pod_template.spec;
  }

  std::deque<api::Pod>& pods() { return pods_; }
  // A pod that is not to be placed: on a node already.
  const api::Pod& keep(api::Pod pod) {
    running_.push_back(std::move(pod));
    return running_.back();
  }
  void add_namespace(const std::string& name, api::StringMap labels) {
    api::Namespace& made = namespaces_.emplace_back();
    made.meta.name = name;
    made.meta.labels = std::move(labels);
    problem.surroundings.namespaces.push_back(&made);
  }
  api::StorageClass& add_class(const std::string& name,
                               std::vector<api::NodeSelectorTerm> allowed) {
    api::StorageClass& made = classes_.emplace_back();
    made.meta.name = name;
    made.provisioner = "ebs.csi.aws.com";
    made.wait_for_first_consumer = true;
    made.allowed_terms = std::move(allowed);
    problem.surroundings.classes.push_back(&made);
    return made;
  }
  api::PersistentVolume& add_volume(const std::string& name,
                                    std::vector<api::NodeSelectorTerm> terms) {
    api::PersistentVolume& made = volumes_.emplace_back();
    made.meta.name = name;
    made.node_terms = std::move(terms);
    made.csi_driver = "ebs.csi.aws.com";
    problem.surroundings.volumes.push_back(&made);
    return made;
  }
  void add_claim(const std::string& space, const std::string& name,
                 const std::string& storage_class, const std::string& volume) {
    api::PersistentVolumeClaim& made = claims_.emplace_back();
    made.meta.namespace_name = space;
    made.meta.name = name;
    made.storage_class = storage_class;
    made.volume = volume;
    problem.surroundings.claims.push_back(&made);
  }

  Problem problem;

 private:
  std::deque<catalog::Catalog> catalogs_;
  std::deque<api::NodePool> pools_;
  std::deque<api::Pod> pods_;
  std::deque<api::DaemonSet> daemon_sets_;
  std::deque<api::Pod> running_;
  std::deque<api::Namespace> namespaces_;
  std::deque<api::PersistentVolumeClaim> claims_;
  std::deque<api::PersistentVolume> volumes_;
  std::deque<api::StorageClass> classes_;
};

inline std::vector<std::string> names(const NewClaim& claim) {
  std::vector<std::string> out;
  for (const auto* type : claim.types) out.push_back(type->name);
  return out;
}

// Everything a plan says, for comparisons and failures.
inline std::string text(const Plan& plan) {
  std::string out;
  for (const auto& claim : plan.claims) {
    out += "claim of " + claim.pool + " {" + claim.requirements.to_string() + "} types";
    for (const auto& name : names(claim)) out += " " + name;
    out += " pods";
    for (const auto& key : claim.pods) out += " " + key;
    out += " requests " + api::to_string(claim.requests) + " at " +
           std::to_string(claim.usd_per_hour) + "\n";
  }
  for (const auto& placement : plan.placements) {
    out += placement.pod + " on " + placement.node + "\n";
  }
  for (const auto& left : plan.unschedulable) {
    out += left.pod + " nowhere\n";
    for (const auto& reason : left.reasons) out += "  " + reason + "\n";
  }
  return out;
}

}  // namespace windlass::scheduling::test

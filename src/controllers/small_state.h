// Small worlds for the controllers' tests: a pool of one GPU type, pods and nodes made by hand.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "cluster/state.h"
#include "controllers/action.h"

namespace windlass::controllers {

inline catalog::Catalog one_type() {
  catalog::InstanceType type;
  type.name = "gpu.small";
  type.gpu_name = "t4";
  type.gpu_count = 1;
  const auto pin = [&](std::string_view key, std::vector<std::string> values) {
    type.requirements.add(key, api::Requirement(api::Operator::kIn, values));
  };
  pin(api::kInstanceTypeLabel, {"gpu.small"});
  pin(api::kZoneLabel, {"a", "b"});
  pin(api::kCapacityTypeLabel, {"spot", "on-demand"});
  pin(api::kArchLabel, {"amd64"});
  pin(api::kOsLabel, {"linux"});
  type.capacity = {{api::kCpu, 4000}, {api::kNvidiaGpu, 1000}, {api::kPods, 20'000}};
  type.allocatable = type.capacity;
  type.offerings = {
      {"a", "on-demand", 1.0, true}, {"a", "spot", 0.4, true}, {"b", "spot", 0.5, true}};
  return {{type}};
}

inline api::NodePool pool(const std::string& name = "gpu") {
  api::NodePool made;
  made.meta.name = name;
  made.meta.uid = "pool-" + name;
  made.node_class = {"karpenter.k8s.aws", "EC2NodeClass", "default"};
  made.consolidate_after = minutes(5);
  return made;
}

inline api::Pod pending_pod(const std::string& name, Instant since) {
  api::Pod made;
  made.meta.name = name;
  made.meta.namespace_name = "ns";
  made.meta.uid = "uid-" + name;
  made.meta.created = since;
  made.meta.owners.push_back({"apps/v1", "ReplicaSet", "web", "owner", true});
  made.unschedulable_since = since;
  api::Container container;
  container.requests = {{api::kCpu, 1000}, {api::kNvidiaGpu, 1000}};
  made.spec.containers.push_back(container);
  return made;
}

// The actions of one type, in order.
template <typename T>
std::vector<T> all_of(const Outcome& outcome) {
  std::vector<T> found;
  for (const Action& action : outcome.actions) {
    if (const T* one = std::get_if<T>(&action)) found.push_back(*one);
  }
  return found;
}

// The object of one kind that the outcome puts last; the test fails on none through .value().
template <typename T>
std::optional<T> last_put(const Outcome& outcome) {
  std::optional<T> found;
  for (const PutObject& put : all_of<PutObject>(outcome)) {
    if (const T* one = std::get_if<T>(&put.object)) found = *one;
  }
  return found;
}

}  // namespace windlass::controllers

// The objects of a large cluster, as a cluster's own programs leave them: sizes and fields of what
// kubelet, scheduler, kube-controller-manager and Karpenter write (a pod some 3.5 KB, a node some
// 6 KB). Every node is full, so that there is nothing to consolidate, however long it is looked
// for.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace windlass::bench {

using nlohmann::json;

inline constexpr int kPodsPerNode = 10;
inline constexpr int kPodsPerSet = 100;
inline constexpr int kPools = 10;

std::string node_name(int node);
std::string pod_name(int pod);  // without its namespace
std::string pod_namespace(int pod);
std::string claim_name(int node);

json node(int node);
json node_claim(int node);
json node_pool(int pool);
json node_class();
json pod(int pod);          // on node pod / kPodsPerNode
json replica_set(int set);  // of the pods from set * kPodsPerSet
json deployment(int set);
json budget(int set);         // of deployment `set`
json scaled_object(int set);  // of deployment `set`, by the time of day

}  // namespace windlass::bench

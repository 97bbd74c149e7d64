// Why kube-scheduler leaves a pod pending, in the form of its own message:
// "0/3 nodes are available: 1 Insufficient nvidia.com/gpu, 2 node(s) had untolerated taint {k: v}."
#pragma once

#include <string>

#include "cluster/state.h"
#include "sim/pod_neighbours.h"

namespace windlass::sim {

// The node selector and any of the required affinity terms.
bool affinity_admits(const api::Pod& pod, const api::StringMap& labels);

// The first filter that refuses each node, counted over all nodes; and whether preemption could
// have helped there. `neighbours`: of a pass in which the pod waits; null: nobody has such a rule.
std::string why_unschedulable(const cluster::State& state, const api::Pod& pod,
                              const api::ResourceList& requests,
                              const PodNeighbours* neighbours = nullptr);

}  // namespace windlass::sim

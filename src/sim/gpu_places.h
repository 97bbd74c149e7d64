// Which pod holds which GPU of a node. Nothing in Kubernetes says so; the device plugin hands GPUs
// out, and here they go to pods in order of their names.
#pragma once

#include <vector>

#include "cluster/state.h"

namespace windlass::sim {

// One entry a GPU of the node, by index; nullptr: free. Valid until the state changes.
std::vector<const api::Pod*> gpu_holders(const cluster::State& state, const api::Node& node);

}  // namespace windlass::sim

#include "sim/gpu_places.h"

namespace windlass::sim {

std::vector<const api::Pod*> gpu_holders(const cluster::State& state, const api::Node& node) {
  const int64_t gpus = api::whole_units(node.allocatable.milli(api::kNvidiaGpu));
  std::vector<const api::Pod*> holders(static_cast<size_t>(gpus), nullptr);
  size_t next = 0;
  for (const std::string& key : state.pods_on(node.meta.name)) {
    const api::Pod& pod = state.pods().at(key);
    if (pod.terminal()) continue;
    const int64_t held = api::whole_units(api::pod_requests(pod.spec).milli(api::kNvidiaGpu));
    for (int64_t i = 0; i < held && next < holders.size(); ++i) holders[next++] = &pod;
  }
  return holders;
}

}  // namespace windlass::sim

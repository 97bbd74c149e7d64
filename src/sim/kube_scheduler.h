// kube-scheduler, as far as GPU pods feel it: queue by priority, filter by taints, selectors,
// affinity, resources and neighbours, score by least allocation, preemption of pods of lower
// priority (for room alone: nobody is driven out for a port or an anti-affinity).
#pragma once

#include <string>
#include <vector>

#include "sim/api_server.h"
#include "sim/context.h"
#include "sim/pod_neighbours.h"

namespace windlass::sim {

class KubeScheduler {
 public:
  KubeScheduler(Context& context, ApiServer& api) : context_(context), api_(api) {}

  // Something changed that may let a pod be placed: a pass follows after the scheduler's latency.
  void wake();
  // One pass over the unbound pods, now.
  void pass();

 private:
  // The unbound pods in the order they are looked at.
  [[nodiscard]] std::vector<std::string> queue() const;
  [[nodiscard]] bool victims_leave(const api::Pod& pod) const;
  // Evicts the victims on the best node and nominates it; false if no node would do.
  bool preempt(const api::Pod& pod, const api::ResourceList& requests,
               const PodNeighbours& neighbours);
  void bind(const api::Pod& pod, const std::string& node);
  // The pod stays unbound; its condition says why.
  void mark(const api::Pod& pod, const std::string& why);

  Context& context_;
  ApiServer& api_;
  bool awake_ = false;
};

}  // namespace windlass::sim

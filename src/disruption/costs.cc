#include "disruption/costs.h"

#include <algorithm>

#include "base/text.h"

namespace windlass::disruption {

double eviction_cost(const api::Pod& pod) {
  constexpr double kDeletionCostUnit = 134217728.0;  // 2^27
  constexpr double kPriorityUnit = 33554432.0;       // 2^25
  double cost = 1;
  const auto found = pod.meta.annotations.find("controller.kubernetes.io/pod-deletion-cost");
  if (found != pod.meta.annotations.end()) {
    if (const Result<double> deletion = parse_double(found->second)) {
      cost += *deletion / kDeletionCostUnit;
    }
  }
  if (pod.spec.priority) cost += static_cast<double>(*pod.spec.priority) / kPriorityUnit;
  return std::clamp(cost, -10.0, 10.0);
}

double reschedule_cost(const std::vector<const api::Pod*>& reschedulable) {
  double cost = 1;
  for (const api::Pod* pod : reschedulable) cost += std::max(0.0, eviction_cost(*pod));
  return cost;
}

}  // namespace windlass::disruption

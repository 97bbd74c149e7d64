// Which pods hold a node back, and which have to find a new place (karpenter.md 2.1, 4.2).
//
// Worth knowing: a do-not-disrupt value that is neither "true" nor a duration is ignored, as
// Karpenter does; a duration counts from the pod's start and holds while the start is unknown. Pods
// that nobody evicts (mirror pods, pods on their way out, pods that tolerate the disrupted taint)
// are not held by a PodDisruptionBudget. A budget with neither bound allows nothing, as in
// Kubernetes' controller.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/core.h"
#include "disruption/propose.h"

namespace windlass::disruption {

// Has to find a new place when its node goes: running its own life (no daemon, no mirror pod), and
// not on its way out, unless a StatefulSet will bring it back under the same name.
bool reschedulable(const api::Pod& pod);

// Why the pod's own annotation forbids disrupting it now; empty if it does not.
std::string do_not_disrupt(const api::Pod& pod, Instant now);

// The PodDisruptionBudgets with what they still allow, counted once a pass.
class EvictionLimits {
 public:
  // The pods must outlive it.
  EvictionLimits(const std::vector<const api::PodDisruptionBudget*>& budgets,
                 const std::vector<const api::Pod*>& all_pods);
  EvictionLimits(const EvictionLimits&) = delete;
  EvictionLimits& operator=(const EvictionLimits&) = delete;

  // Why the pod may not be evicted now: "PDB ns/name of pod ns/p allows 0 disruptions", or more
  // than one budget on it. Empty: it may.
  [[nodiscard]] std::string why_blocked(const api::Pod& pod) const;
  // Behind a budget that never allows an eviction (maxUnavailable 0, minAvailable 100%).
  [[nodiscard]] bool never_evictable(const api::Pod& pod) const;

 private:
  struct Limit {
    const api::PodDisruptionBudget* budget;
    int32_t allowed;
  };
  // Pods of a namespace with the same labels are behind the same budgets. There are hundreds of
  // budgets and tens of thousands of pods, but few sets of labels.
  struct Alike {
    int64_t expected = 0;
    int64_t healthy = 0;
    std::vector<const Limit*> limits;
  };
  struct ByContent {
    bool operator()(const api::StringMap* a, const api::StringMap* b) const { return *a < *b; }
  };
  struct Place {
    std::vector<Limit> limits;  // by name
    std::map<const api::StringMap*, Alike, ByContent> alike;
    bool blocks = false;  // one of them allows nothing, or some pods are behind two
    // Pods that were not counted may be behind any.
    [[nodiscard]] bool may_block() const { return blocks || alike.empty(); }
  };
  static void count(Place& place);
  [[nodiscard]] std::vector<const Limit*> limits_of(const api::Pod& pod) const;
  std::map<std::string, Place> by_namespace_;  // with budgets
};

}  // namespace windlass::disruption

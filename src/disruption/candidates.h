// Every managed node as the methods see it: what it costs, which pods would move, and why it is no
// candidate if it is none (karpenter.md 4.2). Built once a pass and in name order, so that nothing
// after it can depend on the order of the input.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "disruption/pod_disruption.h"
#include "disruption/propose.h"

namespace windlass::disruption {

inline constexpr std::string_view kNoSpotToSpot =
    "a spot node is not replaced by a spot node (SpotToSpotConsolidation is off)";

struct NodeView {
  const Candidate* node = nullptr;
  const scheduling::Pool* pool = nullptr;       // nullptr: unknown
  const catalog::InstanceType* type = nullptr;  // nullptr: unknown to the pool's catalogue
  std::vector<const api::Pod*> pods;            // that would have to move, by key
  double usd_per_hour = 0;
  double cost = 1;  // reschedule_cost of `pods`
  // Why node or pods may not be touched at all; both empty: they may. Nothing of consolidation yet.
  std::string node_block;
  std::string pod_block;
  bool settling = false;   // inside its consolidateAfter: no place to move pods to
  std::string reason;      // why it is not consolidated; empty: still a candidate
  std::string drift_note;  // drifted, and why that is not acted on

  [[nodiscard]] bool empty() const { return cost <= 1; }
  [[nodiscard]] bool open() const { return reason.empty(); }
  [[nodiscard]] bool disruptable() const { return node_block.empty() && pod_block.empty(); }
  // A termination grace period ends what pods hold back, so drift does not wait for them (4.2).
  [[nodiscard]] bool may_drift() const {
    return node_block.empty() && (pod_block.empty() || node->termination_grace);
  }
  [[nodiscard]] bool of_static_pool() const { return pool != nullptr && pool->pool->replicas; }
};

// By node name. `reason` is set where 4.2 or the pool's settings rule the node out.
std::vector<NodeView> examine(const Cluster& cluster, const EvictionLimits& limits, Instant now);

// The open nodes that are empty, or those that are not, as Karpenter tries them: dollars an hour
// per disruption cost, highest first (ties: name). Positions in `nodes`.
std::vector<size_t> in_order_of_gain(const std::vector<NodeView>& nodes, bool empty);

// What is left of the pool's consolidateAfter, whole seconds up; for reasons.
std::string remaining_text(Instant until, Instant now);

}  // namespace windlass::disruption

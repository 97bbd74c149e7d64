// What disrupting costs, in Karpenter's unit-less measure (karpenter.md 4.3): a plain pod costs 1,
// so does a node. Not dollars; those are Options.move_cost_usd.
#pragma once

#include <vector>

#include "api/core.h"

namespace windlass::disruption {

// 1 + pod-deletion-cost / 2^27 + priority / 2^25, within [-10, 10]. An annotation that is not a
// number counts as absent.
double eviction_cost(const api::Pod& pod);

// 1 + the positive eviction costs. A node at 1 is empty: nothing on it is worth keeping, even where
// pods of very low priority or deletion cost still run (quirk 3).
double reschedule_cost(const std::vector<const api::Pod*>& reschedulable);

}  // namespace windlass::disruption

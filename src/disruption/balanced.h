// The Balanced policy (karpenter.md 4.4): a move must save at least half as large a share of the
// pool's cost as the share of the pool's disruption it causes.
//
// Worth knowing: a pool's totals count the nodes that may be touched at all and have a price;
// savings of a command over several pools are split by what its nodes cost.
#pragma once

#include <span>
#include <string>

#include "disruption/candidates.h"

namespace windlass::disruption {

// Why removing `members` (positions in `nodes`) to save `usd_per_hour` is not worth it to one of
// the Balanced pools they belong to; empty if it is.
std::string why_unbalanced(const std::vector<NodeView>& nodes, std::span<const size_t> members,
                           double usd_per_hour);

}  // namespace windlass::disruption

// The cheapest way to split some pods among new claims, exactly: by dynamic programming over all
// sub-multisets of them. A dozen pods that differ, or some hundred of two or three kinds.
#pragma once

#include <cstdint>
#include <vector>

#include "scheduling/cost_market.h"

namespace windlass::scheduling {

struct Split {
  std::vector<Filling> fillings;
  double usd_per_hour = 0;
};

// How many (part, whole) pairs the split of these pods takes; saturates at INT64_MAX.
int64_t work_of_split(const Filling& pods);

// Infinity and no fillings if some pod goes into no bin.
Split cheapest_split(Search& search, const Market& market, const Filling& pods);

}  // namespace windlass::scheduling

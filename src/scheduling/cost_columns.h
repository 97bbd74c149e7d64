// The linear relaxation of packing demands into bins, by column generation (Gilmore and Gomory
// 1961): columns are fillings of a bin, priced in by knapsacks. Its values say what one more pod of
// a demand costs at the margin; they steer the search and prove the lower bound.
#pragma once

#include <vector>

#include "scheduling/cost_market.h"

namespace windlass::scheduling {

struct Column {
  Filling filling;
  size_t bin = 0;  // in Market::bins
  double usd_per_hour = 0;
};

struct Covering {
  std::vector<Column> columns;
  std::vector<double> amounts;  // by column: how many, not whole
  std::vector<double> values;   // by demand, USD per hour and pod, >= 0
};

// Covers `wanted` pods by demand. Demands that no bin of endless supply takes are left out, with
// a value of 0. `known` columns are tried first. Deterministic; stops after a fixed number of
// rounds, with columns that cover and values that are near the best.
Covering cover(const Market& market, const std::vector<int32_t>& wanted,
               const std::vector<Column>& known = {});

}  // namespace windlass::scheduling

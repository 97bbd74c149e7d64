// The filling of one bin that is worth most, demands having values: the question column generation
// asks of every bin (a bounded knapsack with one row a resource). Depth first with a bound, so
// exact; after a fixed number of steps it stops and says how much better an answer could be.
#pragma once

#include <vector>

#include "scheduling/cost_market.h"

namespace windlass::scheduling {

struct BestFilling {
  Filling filling;   // empty if none is worth more than was asked
  double value = 0;  // of it
  double upper = 0;  // no filling is worth more, whether found or not
};

// `values` and `at_most` by demand; a demand with a value or a limit of 0 takes no part. Only
// fillings worth more than `worth_more_than` are looked for.
BestFilling best_filling(const Market& market, const Bin& bin, const std::vector<double>& values,
                         const std::vector<int32_t>& at_most, double worth_more_than);

}  // namespace windlass::scheduling

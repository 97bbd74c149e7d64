// The objective `cost`: node sets, not one node at a time. The cheapest of several plans that hold
// every rule solve() holds, stock's own plan among them, so it never costs more and never places
// fewer pods. Pure and deterministic; docs/designs/cost-objective.md says how and why.
#pragma once

#include <string>

#include "scheduling/solve.h"

namespace windlass::scheduling {

struct CostPlan {
  Plan plan;
  double usd_per_hour = 0;              // expected (cost_price.h), as are the other two
  double lower_bound_usd_per_hour = 0;  // of any plan that places the same pods (lower_bound.h)
  double stock_usd_per_hour = 0;        // what solve() as it is would pay
  std::string why;                      // in one sentence, for people
};

// Problem::claim_groups is this function's own means and is not read.
CostPlan solve_for_cost(const Problem& problem);

}  // namespace windlass::scheduling

// What no plan can undercut. Linear programming duality: give each pod a value so that no filling
// of a bin that can be bought is worth more than the bin costs; then every plan pays at least what
// its pods are worth, less what free room (nodes that exist, reservations) can take of it. Any
// values do, once scaled (Farley 1990); those of the relaxation make the bound sharp.
#pragma once

#include <vector>

#include "scheduling/cost_columns.h"
#include "scheduling/solve.h"

namespace windlass::scheduling {

// USD per hour of the cheapest way to pack all pods of the market is at least this. `values` by
// demand, any that are >= 0. Holds whether or not knapsacks were solved to the end.
double lower_bound(const Market& market, const std::vector<double>& values);

// No plan that places the pods which `plan` places costs less, in USD per hour, at the price of the
// cheapest offerings (so in expected price as well). Counts sizes, requirements, taints, host
// names' own limits and the room of existing nodes; ignores the other limits and topology. Less
// sharp where pods are of more than kMaxDemands kinds (cost_demands.h), and 0 where they differ in
// too much else.
double lower_bound(const Problem& problem, const Plan& plan);

}  // namespace windlass::scheduling

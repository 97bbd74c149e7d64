// Looks for the cheapest fillings that hold all pods of a market: rounds the linear relaxation,
// splits what is left exactly, then takes a few claims at a time apart and splits their pods
// exactly again ("several small nodes against one large") until nothing gets cheaper.
#pragma once

#include <cstdint>
#include <vector>

#include "scheduling/cost_columns.h"

namespace windlass::scheduling {

struct Fillings {
  std::vector<Filling> fillings;
  double usd_per_hour = 0;
  bool exact = false;  // nothing cheaper exists in this market
};

// Whether find_fillings() would be exact: a dozen pods, or more if they are of few demands.
bool is_small(const Market& market);

// `relaxation`: cover() of all the market's pods. `starts`: fillings to improve on as well, each
// holding all pods. Pods that no bin of endless supply takes are left out. Deterministic; work is
// bounded by counts.
Fillings find_fillings(Search& search, const Market& market, const Covering& relaxation,
                       const std::vector<std::vector<Filling>>& starts);

}  // namespace windlass::scheduling

// What a plan is expected to cost. A claim is launched as the cheapest of its offerings that can be
// had; each may fail, with the odds that Offering::odds states. So the price of a claim is
//   E(1) with E(i) = odds_i * price_i + (1 - odds_i) * E(i + 1), E(last) = price_last
// over its available offerings, cheapest first: what it costs on average once something was got.
// Where the cheapest is certain (odds 1), as it is as long as nothing is known, that is its price.
#pragma once

#include <utility>
#include <vector>

#include "scheduling/solve.h"

namespace windlass::scheduling {

// (USD per hour, odds), at least one, in any order.
double expected_price(std::vector<std::pair<double, double>> offers);

// Whether the offering can be had and its zone and capacity type are allowed.
bool allows(const api::Requirements& requirements, const catalog::Offering& offering);

// USD per hour, expected.
double expected_price(const NewClaim& claim);
double expected_price(const Plan& plan);

}  // namespace windlass::scheduling

#include "scheduling/cost_price.h"

#include <algorithm>
#include <limits>

#include "base/assert.h"

namespace windlass::scheduling {

double expected_price(std::vector<std::pair<double, double>> offers) {
  WL_ASSERT(!offers.empty());
  // Of equal prices the surer first; the result is the same, the chain ends sooner.
  std::ranges::sort(offers, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second > b.second;
  });
  double price = 0;
  double chance = 1;  // that all so far have failed
  for (size_t i = 0; i < offers.size(); ++i) {
    const double odds = i + 1 == offers.size() ? 1 : std::clamp(offers[i].second, 0.0, 1.0);
    price += chance * odds * offers[i].first;
    chance *= 1 - odds;
    if (chance <= 0) break;
  }
  return price;
}

bool allows(const api::Requirements& requirements, const catalog::Offering& offering) {
  return offering.available && requirements.get(api::kZoneLabel).has(offering.zone) &&
         requirements.get(api::kCapacityTypeLabel).has(offering.capacity_type);
}

double expected_price(const NewClaim& claim) {
  std::vector<std::pair<double, double>> offers;
  double certain = std::numeric_limits<double>::infinity();  // the cheapest with odds 1
  for (const catalog::InstanceType* type : claim.types) {
    double cheapest = std::numeric_limits<double>::infinity();
    for (const catalog::Offering& offering : type->offerings) {
      if (!allows(claim.requirements, offering)) continue;
      cheapest = std::min(cheapest, offering.usd_per_hour);
      if (offering.usd_per_hour > certain) continue;
      offers.emplace_back(offering.usd_per_hour, offering.odds);
      if (offering.odds >= 1) certain = offering.usd_per_hour;
    }
    // Types come cheapest first: what follows is never reached.
    if (cheapest > certain) break;
  }
  return offers.empty() ? claim.usd_per_hour : expected_price(std::move(offers));
}

double expected_price(const Plan& plan) {
  double sum = 0;
  for (const NewClaim& claim : plan.claims) sum += expected_price(claim);
  return sum;
}

}  // namespace windlass::scheduling

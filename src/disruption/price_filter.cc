#include "disruption/price_filter.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <tuple>

namespace windlass::disruption {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool meets_min_values(const scheduling::NewClaim& claim) {
  for (const auto& [key, requirement] : claim.requirements) {
    if (!requirement.min_values()) continue;
    std::set<std::string> values;
    for (const catalog::InstanceType* type : claim.types) {
      const auto& offered = type->requirements.get(key).values();
      values.insert(offered.begin(), offered.end());
    }
    if (static_cast<int64_t>(values.size()) < *requirement.min_values()) return false;
  }
  return true;
}

void order_by_price(scheduling::NewClaim& claim) {
  std::vector<std::tuple<double, std::string_view, const catalog::InstanceType*>> priced;
  for (const catalog::InstanceType* type : claim.types) {
    const catalog::Offering* offering = type->cheapest(claim.requirements);
    if (offering != nullptr) priced.emplace_back(offering->usd_per_hour, type->name, type);
  }
  std::sort(priced.begin(), priced.end());
  claim.types.clear();
  for (const auto& [price, name, type] : priced) claim.types.push_back(type);
  claim.usd_per_hour = priced.empty() ? 0 : std::get<0>(priced.front());
}

api::Requirements with_capacity_type(const api::Requirements& requirements,
                                     std::string_view capacity_type) {
  api::Requirements pinned = requirements;
  pinned.add(api::kCapacityTypeLabel,
             api::Requirement(api::Operator::kIn, {std::string(capacity_type)}));
  return pinned;
}

}  // namespace

double worst_launch_price(const catalog::InstanceType& type,
                          const api::Requirements& requirements) {
  const api::Requirement& capacity_types = requirements.get(api::kCapacityTypeLabel);
  const api::Requirement& zones = requirements.get(api::kZoneLabel);
  for (const std::string_view wanted : {api::kReserved, api::kSpot, api::kOnDemand}) {
    if (!capacity_types.has(wanted)) continue;
    double worst = -kInfinity;
    for (const catalog::Offering& offering : type.offerings) {
      if (!offering.available || offering.capacity_type != wanted) continue;
      if (zones.has(offering.zone)) worst = std::max(worst, offering.usd_per_hour);
    }
    if (worst > -kInfinity) return worst;
  }
  return kInfinity;
}

bool keep_cheaper_than(scheduling::NewClaim& claim, double usd_per_hour) {
  std::erase_if(claim.types, [&](const catalog::InstanceType* type) {
    return !(worst_launch_price(*type, claim.requirements) < usd_per_hour);
  });
  order_by_price(claim);
  return !claim.types.empty() && meets_min_values(claim);
}

bool keep_cheaper_than_same_types(scheduling::NewClaim& claim,
                                  const std::vector<RemovedNode>& removed) {
  double limit = kInfinity;
  for (const catalog::InstanceType* type : claim.types) {
    for (const RemovedNode& node : removed) {
      if (node.type == type->name) limit = std::min(limit, node.usd_per_hour);
    }
  }
  return keep_cheaper_than(claim, limit);
}

bool admits(const scheduling::NewClaim& claim, std::string_view capacity_type) {
  return claim.requirements.get(api::kCapacityTypeLabel).has(capacity_type);
}

void pin_to_spot(scheduling::NewClaim& claim) {
  claim.requirements = with_capacity_type(claim.requirements, api::kSpot);
  order_by_price(claim);
}

bool cut_for_spot_to_spot(scheduling::NewClaim& claim) {
  if (claim.types.size() < kSpotToSpotTypes) return false;
  scheduling::NewClaim cut = claim;
  for (size_t keep = kSpotToSpotTypes; keep < claim.types.size(); ++keep) {
    cut.types.assign(claim.types.begin(), claim.types.begin() + static_cast<ptrdiff_t>(keep));
    if (!meets_min_values(cut)) continue;
    claim = std::move(cut);
    break;
  }
  return true;
}

void pin_capacity_type(scheduling::NewClaim& claim) {
  if (!admits(claim, api::kSpot) || !admits(claim, api::kOnDemand)) return;
  for (const std::string_view wanted : {api::kSpot, api::kOnDemand}) {
    scheduling::NewClaim pinned = claim;
    pinned.requirements = with_capacity_type(claim.requirements, wanted);
    order_by_price(pinned);
    if (pinned.types.empty()) continue;
    claim = std::move(pinned);
    return;
  }
}

}  // namespace windlass::disruption

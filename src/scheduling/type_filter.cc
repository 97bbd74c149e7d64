#include "scheduling/type_filter.h"

#include <algorithm>
#include <tuple>

#include "api/karpenter.h"
#include "scheduling/amounts.h"

namespace windlass::scheduling {
namespace {

template <typename Keep>
void keep_if(TypeSet& types, Keep keep) {
  for (size_t i = types.next(0); i != TypeSet::kNone; i = types.next(i + 1)) {
    if (!keep(i)) types.remove(i);
  }
}

}  // namespace

TypeSet usable_types(const catalog::Catalog& catalog) {
  TypeSet types(catalog.types.size(), true);
  keep_if(types, [&](size_t i) { return !overdrawn(catalog.types[i].allocatable); });
  return types;
}

void keep_matching(const catalog::Catalog& catalog, const std::string& key,
                   const api::Requirement& requirement, TypeSet& types) {
  api::Requirements alone;
  alone.add(key, requirement);
  keep_if(types, [&](size_t i) { return catalog.types[i].requirements.intersects(alone); });
}

void keep_matching(const catalog::Catalog& catalog, const api::Requirements& requirements,
                   TypeSet& types) {
  for (const auto& [key, requirement] : requirements) {
    keep_matching(catalog, key, requirement, types);
  }
}

OfferingFilter::OfferingFilter(const api::Requirements& requirements)
    : zone_(&requirements.get(api::kZoneLabel)),
      capacity_type_(&requirements.get(api::kCapacityTypeLabel)) {
  const auto asked = [&](std::string_view key) {
    return requirements.has(key) ? &requirements.get(key) : nullptr;
  };
  reservation_id_ = asked(api::kReservationIdLabel);
  reservation_type_ = asked(api::kReservationTypeLabel);
}

bool OfferingFilter::admits(const catalog::Offering& offering) const {
  if (!offering.available || !zone_->has(offering.zone)) return false;
  if (!capacity_type_->has(offering.capacity_type)) return false;
  const bool reserved = offering.capacity_type == api::kReserved;
  if (reserved && offering.reservation_left <= 0) return false;
  const auto meets = [&](const api::Requirement* asked, const std::string& value) {
    if (asked == nullptr) return true;
    if (reserved) return asked->has(value);
    // Other offerings do not have the label.
    return asked->op() == api::Operator::kNotIn || asked->op() == api::Operator::kDoesNotExist;
  };
  return meets(reservation_id_, offering.reservation_id) &&
         meets(reservation_type_, offering.reservation_type);
}

const catalog::Offering* OfferingFilter::cheapest(const catalog::InstanceType& type) const {
  const auto rank = [](const catalog::Offering& offering) {
    return std::tie(offering.usd_per_hour, offering.zone, offering.capacity_type);
  };
  const catalog::Offering* best = nullptr;
  for (const catalog::Offering& offering : type.offerings) {
    if (!admits(offering)) continue;
    if (best == nullptr || rank(offering) < rank(*best)) best = &offering;
  }
  return best;
}

void keep_offered(const catalog::Catalog& catalog, const api::Requirements& requirements,
                  TypeSet& types) {
  const OfferingFilter filter(requirements);
  keep_if(types, [&](size_t i) {
    return std::ranges::any_of(catalog.types[i].offerings, [&](const catalog::Offering& offering) {
      return filter.admits(offering);
    });
  });
}

}  // namespace windlass::scheduling

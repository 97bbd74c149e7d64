#include "scheduling/type_filter.h"

#include <algorithm>

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

void keep_offered(const catalog::Catalog& catalog, const api::Requirements& requirements,
                  TypeSet& types) {
  const api::Requirement& zone = requirements.get(api::kZoneLabel);
  const api::Requirement& capacity_type = requirements.get(api::kCapacityTypeLabel);
  keep_if(types, [&](size_t i) {
    return std::ranges::any_of(catalog.types[i].offerings, [&](const catalog::Offering& offering) {
      return offering.available && zone.has(offering.zone) &&
             capacity_type.has(offering.capacity_type);
    });
  });
}

}  // namespace windlass::scheduling

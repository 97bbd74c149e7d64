#include "scheduling/type_table.h"

#include "api/karpenter.h"

namespace windlass::scheduling {

TypeTable::TypeTable(const catalog::Catalog& catalog, const ResourceColumns& columns)
    : catalog_(&catalog), columns_(columns.size()), usable_(catalog.types.size(), true) {
  allocatable_.reserve(size() * columns_);
  for (size_t i = 0; i < size(); ++i) {
    const Amounts row = columns.row(type(i).allocatable);
    allocatable_.insert(allocatable_.end(), row.begin(), row.end());
    if (overdrawn(type(i).allocatable)) usable_.remove(i);
    for (const catalog::Offering& offering : type(i).offerings) {
      if (!offering.available) continue;
      const auto [at, unused] =
          offerings_.try_emplace({offering.zone, offering.capacity_type}, size(), false);
      at->second.add(i);
    }
  }
}

const TypeSet& TypeTable::matching(const std::string& key, const api::Requirement& requirement) {
  auto& answers = known_[key];
  for (const auto& [asked, types] : answers) {
    if (asked == requirement) return types;
  }
  api::Requirements alone;
  alone.add(key, requirement);
  TypeSet types(size(), false);
  for (size_t i = 0; i < size(); ++i) {
    if (type(i).requirements.intersects(alone)) types.add(i);
  }
  return answers.emplace_back(requirement, std::move(types)).second;
}

TypeSet TypeTable::matching(const api::Requirements& requirements) {
  TypeSet types = usable_;
  for (const auto& [key, requirement] : requirements) types &= matching(key, requirement);
  return types;
}

TypeSet TypeTable::offered(const api::Requirements& requirements) const {
  const api::Requirement& zone = requirements.get(api::kZoneLabel);
  const api::Requirement& capacity_type = requirements.get(api::kCapacityTypeLabel);
  TypeSet types(size(), false);
  for (const auto& [offering, having] : offerings_) {
    if (zone.has(offering.first) && capacity_type.has(offering.second)) types |= having;
  }
  return types;
}

}  // namespace windlass::scheduling

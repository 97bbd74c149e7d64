// Which types of a catalogue can be what requirements ask for. Filters narrow a set that is given:
// after a pool's first requirement a few dozen of 1,370 types are left, and only those are looked
// at again.
#pragma once

#include <string>

#include "api/requirements.h"
#include "catalog/catalog.h"
#include "scheduling/type_set.h"

namespace windlass::scheduling {

// Every type that anything could run on: a negative allocatable fits nothing.
TypeSet usable_types(const catalog::Catalog& catalog);
// Keeps the types whose own requirement on the key, if any, intersects this one.
void keep_matching(const catalog::Catalog& catalog, const std::string& key,
                   const api::Requirement& requirement, TypeSet& types);
void keep_matching(const catalog::Catalog& catalog, const api::Requirements& requirements,
                   TypeSet& types);
// Which offerings of a type requirements admit: available, in an allowed zone, of an allowed
// capacity type and, if reserved, of an allowed reservation with instances left.
class OfferingFilter {
 public:
  // The requirements must outlive it.
  explicit OfferingFilter(const api::Requirements& requirements);
  [[nodiscard]] bool admits(const catalog::Offering& offering) const;
  // The cheapest it admits, or null. Ties: zone, then capacity type.
  [[nodiscard]] const catalog::Offering* cheapest(const catalog::InstanceType& type) const;

 private:
  const api::Requirement* zone_;
  const api::Requirement* capacity_type_;
  const api::Requirement* reservation_id_;    // null: not asked for
  const api::Requirement* reservation_type_;  // likewise
};

// Keeps the types with an offering that the requirements admit.
void keep_offered(const catalog::Catalog& catalog, const api::Requirements& requirements,
                  TypeSet& types);

}  // namespace windlass::scheduling

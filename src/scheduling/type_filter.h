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
// Keeps the types with an available offering in an allowed zone and of an allowed capacity type.
void keep_offered(const catalog::Catalog& catalog, const api::Requirements& requirements,
                  TypeSet& types);

}  // namespace windlass::scheduling

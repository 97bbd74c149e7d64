// A catalogue from a file: any cloud's instance types, or a test's, in place of the built-in table.
// The same four things a cloud provider tells Karpenter: what a type has, what the system takes of
// it, its labels, and where it is sold for how much.
#pragma once

#include <string_view>

#include "base/result.h"
#include "catalog/catalog.h"

namespace windlass::catalog {

// JSON or YAML, an array of
//   {name, capacity{}, overhead{}, requirements{key: [values]}, offerings[{zone, capacity_type,
//    price, available, odds, reservation_id, reservation_left}]}
// Quantities as Kubernetes writes them, prices in USD per hour. Only name, capacity and offerings
// must be given. A requirement without values says that the type does not have the label; the
// instance type, zone and capacity type labels are added where they are absent. `file` opens every
// place in the error, which lists all that is wrong.
Result<Catalog> read_catalog(std::string_view text, std::string_view file);

}  // namespace windlass::catalog

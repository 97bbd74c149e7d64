// The formats of strings and numbers in CRDs' schemas that are enforced.
#pragma once

#include <string_view>

#include "base/json.h"

namespace windlass::server::schema {

// Whether the value fits the format. True for formats that nobody checks ("password") or that are
// not known, as in Kubernetes.
bool fits_format(std::string_view format, const Json& value);

}  // namespace windlass::server::schema

// The order of a list that a strategic merge patch changed. Two orders meet there: the one the
// patch asks for (its own, or $setElementOrder's) and the one of the live list for everything else.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace windlass::server::patch {

// What tells elements of a list apart: the value under `merge_key`, or the element itself when
// `merge_key` is empty. The positions are those of each identity's first element.
struct Identities {
  std::map<std::string, size_t> position;
  [[nodiscard]] bool has(const std::string& identity) const { return position.contains(identity); }
};

// Error: an element that is no object, or that lacks the merge key.
Result<std::string> identity_of(const Json& element, const std::string& merge_key);
Result<Identities> identities_of(const Json& list, const std::string& merge_key);

// `items` in the order Kubernetes leaves them in: those named by `wanted` in its order; the rest in
// the order of `live`; a rest item goes before the first wanted one that it preceded in `live`,
// else to the end.
Result<Json> ordered(Json items, const Json& wanted, const Json& live,
                     const std::string& merge_key);

}  // namespace windlass::server::patch

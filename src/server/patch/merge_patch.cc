// RFC 7386: objects merge member by member, null deletes, everything else replaces.
#include <nlohmann/json.hpp>

#include "server/patch/patch.h"

namespace windlass::server::patch {

Json merge_patch(Json object, const Json& patch) {
  if (!patch.is_object()) return patch;
  if (!object.is_object()) object = Json::object();
  for (const auto& [key, value] : patch.items()) {
    if (value.is_null()) {
      object.erase(key);
      continue;
    }
    // A new object is merged too, not copied: its nulls say "not there", on every level.
    Json& member = object[key];
    member = merge_patch(std::move(member), value);
  }
  return object;
}

}  // namespace windlass::server::patch

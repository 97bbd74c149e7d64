// Between the version a request names and the one a document is stored in. Internal to this room.
#pragma once

#include "server/rest/core.h"

namespace windlass::server::rest {

// The stored object in the target's version.
Json from_storage(const Target& target, Json object);
// An object (or an apply configuration) of the target's version as it is stored. Fault: the hook
// of ApiOptions refused it.
Outcome<Json> to_storage(const Core& core, const Target& target, Json object);

}  // namespace windlass::server::rest

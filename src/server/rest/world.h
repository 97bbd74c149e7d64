// Writes beside the API. Internal to this room.
#pragma once

#include <string_view>

#include "server/rest/core.h"

namespace windlass::server::rest {

void write_from_world(Core& core, const cluster::ObjectKey& key, Json object,
                      std::string_view manager);

}  // namespace windlass::server::rest

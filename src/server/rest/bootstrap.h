// What a new cluster has from the start. Internal to this room.
#pragma once

#include "server/rest/core.h"

namespace windlass::server::rest {

void create_initial_objects(Core& core);

}  // namespace windlass::server::rest

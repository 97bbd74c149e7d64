// Events live an hour after their last write. Internal to this room.
#pragma once

#include "server/rest/core.h"

namespace windlass::server::rest {

void see_event(Core& core, const cluster::StoreEvent& event);
// Removes what has outlived the hour; costs nothing while nothing has.
void expire_events(Core& core);

}  // namespace windlass::server::rest

// What the server adds to an object on its way in: what Kubernetes' registry allocates and its
// admission plugins fill in. Internal to this room.
#pragma once

#include "server/rest/core.h"

namespace windlass::server::rest {

// Namespaces' phase and label, Secrets' stringData, Services' addresses, Jobs' selectors, Pods'
// phase and priority, claims' storage class, CRDs' status.
void prepare_create(Core& core, const Target& target, Json& object);
void prepare_update(Core& core, const Target& target, const Json& live, Json& object);

// What follows a creation: a namespace's service account.
void after_create(Core& core, const Target& target);

}  // namespace windlass::server::rest

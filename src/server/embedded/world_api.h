// How a world and the API in front of it fit together: what the API asks of a write that the world
// will see, and the objects each begins with.
#pragma once

#include <vector>

#include "api/object.h"
#include "cluster/object_store.h"
#include "server/rest/kube_api.h"

namespace windlass::server::embedded {

// Sets `admit`, `convert` and `ends_gracefully`: what Windlass can't read is refused, old versions
// are converted, and a pod on a node is ended by its kubelet.
void set_world_rules(rest::ApiOptions& options);

// Every object of the store that the world knows.
std::vector<api::Object> objects_of(const cluster::ObjectStore& store);

// A scenario's objects as the API would have admitted them: without its defaults the first write of
// a client would change every template, and roll it out.
std::vector<api::Object> admitted(const std::vector<api::Object>& objects);

}  // namespace windlass::server::embedded

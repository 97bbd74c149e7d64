// What is there: /version, /healthz, /api and /apis in both forms, OpenAPI. Documents are made once
// and kept until a CRD changes the registry. Internal to this room.
#pragma once

#include <optional>

#include "server/rest/core.h"

namespace windlass::server::rest {

// Answers outside the resource API; nullopt: not one of these paths.
std::optional<Outcome<Response>> answer_root(Core& core, const Request& request);
// The documents of /api, /apis, a group and a group-version.
Outcome<Response> discover(Core& core, const RequestPath& path, const Request& request);
// /openapi/v2, /openapi/v3 and below.
Outcome<Response> open_api(Core& core, const Request& request);

}  // namespace windlass::server::rest

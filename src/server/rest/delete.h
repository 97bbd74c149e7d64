// Deletion: grace, finalizers, preconditions, propagation, collections. Internal to this room.
#pragma once

#include <optional>
#include <string>

#include "server/rest/core.h"
#include "server/rest/json_access.h"

namespace windlass::server::rest {

enum class Propagation { kBackground, kForeground, kOrphan };

struct DeleteOptions {
  std::optional<int64_t> grace_seconds;
  std::optional<Propagation> propagation;
  std::string uid;  // preconditions; empty: none
  std::string resource_version;
  bool dry_run = false;
};
Outcome<DeleteOptions> delete_options_of(const Request& request);
// From an object with their fields (null: none), and from the query.
std::optional<Fault> read_delete_options(const Json& body, DeleteOptions& options);
std::optional<Fault> read_dry_run_of(const Request& request, DeleteOptions& options);

struct Removal {
  Json object;        // as it was, or as it waits to go
  bool gone = false;  // not waiting for a finalizer, a kubelet or its dependents
};
Outcome<Removal> delete_object(Core& core, const Resource& resource, const cluster::ObjectKey& key,
                               const DeleteOptions& options);

Outcome<Response> remove(Core& core, const Target& target, const Request& request);
Outcome<Response> remove_collection(Core& core, const Target& target, const Request& request);

}  // namespace windlass::server::rest

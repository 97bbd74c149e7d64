// What follows a deletion: dependents whose owners are gone, owners that waited for dependents,
// namespaces and CRDs that empty. Runs to its end at once, in a queue, never by recursion. Internal
// to this room.
#pragma once

#include <string>
#include <string_view>

#include "server/rest/core.h"

namespace windlass::server::rest {

inline constexpr std::string_view kForegroundFinalizer = "foregroundDeletion";

// Looks at everything that was deleted since the last call.
void collect_garbage(Core& core);

[[nodiscard]] bool has_blocking_dependents(const Core& core, const std::string& uid);
// Takes the owner out of its dependents, which live on.
void orphan_dependents(Core& core, const std::string& uid);

// Deletes all that is in the namespace, or of the CRD's kind; it goes when all of it has gone.
void begin_emptying(Core& core, const Resource& resource, const cluster::ObjectKey& key);

// After a restart: what was emptying goes on.
void resume_emptying(Core& core);

}  // namespace windlass::server::rest

// CustomResourceDefinitions: what is checked of them, the status their controller would give, and
// what they do to the registry. Internal to this room.
#pragma once

#include <string_view>
#include <vector>

#include "server/rest/core.h"

namespace windlass::server::rest {

inline constexpr std::string_view kCrdResource = "customresourcedefinitions.apiextensions.k8s.io";
inline constexpr std::string_view kCrdFinalizer = "customresourcecleanup.apiextensions.k8s.io";

// Faults of a CRD beyond its kind's own rules: its schemas, and what is served already. Nothing for
// other resources.
std::vector<schema::FieldFault> crd_faults(const Core& core, const Resource& resource,
                                           const Json& object, const Json* live);
// Defaults and status: names accepted, established, stored versions.
void settle_crd(const Core& core, Json& crd);

// Serves what the store's CRD says, or no longer.
void see_crd(Core& core, const cluster::StoreEvent& event);
// After a restart: every CRD of the store.
void load_crds(Core& core);

}  // namespace windlass::server::rest

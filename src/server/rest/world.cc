#include "server/rest/world.h"

#include <nlohmann/json.hpp>

#include "server/patch/patch.h"
#include "server/rest/json_access.h"
#include "server/rest/write.h"

namespace windlass::server::rest {
namespace {

void settle_identity(const Core& core, const cluster::ObjectKey& key, const Json& live,
                     Json& metadata) {
  const Json& before = at(live, "metadata");
  metadata["name"] = key.name;
  if (key.namespace_name.empty()) {
    metadata.erase("namespace");
  } else {
    metadata["namespace"] = key.namespace_name;
  }
  const auto keep = [&](const char* field) {
    if (!at(before, field).is_null()) metadata[field] = before.at(field);
  };
  // What the API has said of an object stays true of it.
  for (const char* field : {"uid", "creationTimestamp", "resourceVersion", "deletionTimestamp",
                            "deletionGracePeriodSeconds"}) {
    keep(field);
  }
  // The world's copy may be older than the last write that was tracked.
  metadata.erase("managedFields");
  keep("managedFields");
  if (live.is_null()) metadata.erase("resourceVersion");
  if (text_at(metadata, "uid").empty()) metadata["uid"] = new_uid(core, key);
  if (text_at(metadata, "creationTimestamp").empty()) {
    metadata["creationTimestamp"] = timestamp(core.now());
  }
}

// The last finalizer of an object that goes went with this write. Objects that the world ends
// itself are taken away by it.
bool is_finished(const Json& live, const Json& metadata) {
  return !at(metadata, "deletionTimestamp").is_null() && at(metadata, "finalizers").empty() &&
         !at(live, "metadata", "finalizers").empty() &&
         integer_at(metadata, "deletionGracePeriodSeconds").value_or(0) == 0;
}

}  // namespace

void write_from_world(Core& core, const cluster::ObjectKey& key, Json object,
                      std::string_view manager) {
  if (!object.is_object()) return;
  const auto document = core.store.find(key);
  const Json live = document == nullptr ? Json() : json_of(*document);
  Json& metadata = make_object(object, "metadata");
  settle_identity(core, key, live, metadata);
  const ResourcePtr resource = core.registry.by_store_name(key.resource);
  // The world counts its own changes of a spec; a controller's note beside it counts for nobody, or
  // the controller would have to observe what it has just said.
  const auto counted = integer_at(at(live, "metadata"), "generation");
  if (counted && integer_at(metadata, "generation").value_or(0) < *counted) {
    metadata["generation"] = *counted;
  }
  const Version* storage = resource == nullptr ? nullptr : resource->storage();
  const bool shaped = storage != nullptr && storage->shape != nullptr;
  // A custom resource keeps what its CRD knows, whoever writes it.
  if (shaped && storage->shape->written != nullptr) schema::prune(*storage->shape, object);
  if (object == live) return;
  // Owners of fields are worth their bytes only where somebody applies.
  if (shaped && !at(metadata, "managedFields").empty()) {
    patch::Manager who;
    who.name = manager;
    who.api_version = resource->storage_api_version;
    who.now = core.now();
    patch::track_update(live, object, *storage->shape, who);
  }
  if (is_finished(live, metadata) && key.resource != "namespaces") {
    core.store.remove(key);
    return;
  }
  core.store.put(key, std::move(object));
}

}  // namespace windlass::server::rest

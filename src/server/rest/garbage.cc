#include "server/rest/garbage.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "server/rest/crd.h"
#include "server/rest/delete.h"
#include "server/rest/json_access.h"

namespace windlass::server::rest {
namespace {

const Json& owners_of(const Json& object) { return at(object, "metadata", "ownerReferences"); }

bool owns(const Json& reference, const std::string& uid) {
  return text_at(reference, "uid") == uid;
}

// Whether another owner still lives.
bool has_other_owner(const Core& core, const Json& object, const std::string& uid) {
  for (const Json& reference : owners_of(object)) {
    if (!owns(reference, uid) && core.ownership.object_of(text_at(reference, "uid"))) return true;
  }
  return false;
}

void drop_owner(Core& core, const cluster::ObjectKey& key, Json object, const std::string& uid) {
  Json& metadata = object["metadata"];
  Json kept = Json::array();
  for (const Json& reference : owners_of(object)) {
    if (!owns(reference, uid)) kept.push_back(reference);
  }
  if (kept.empty()) {
    metadata.erase("ownerReferences");
  } else {
    metadata["ownerReferences"] = std::move(kept);
  }
  core.store.put(key, std::move(object));
}

bool names_owner(const Json& object, const std::string& uid) {
  const Json& owners = owners_of(object);
  return std::any_of(owners.begin(), owners.end(),
                     [&](const Json& reference) { return owns(reference, uid); });
}

void delete_quietly(Core& core, const cluster::ObjectKey& key, Propagation propagation) {
  const ResourcePtr resource = core.registry.by_store_name(key.resource);
  if (resource == nullptr) return;
  DeleteOptions options;
  options.propagation = propagation;
  // It may be gone by now, which is as good.
  (void)delete_object(core, *resource, key, options);
}

// Those whose only living owner it is.
void delete_dependents(Core& core, const std::string& uid) {
  for (const auto& key : core.ownership.dependents(uid)) {
    const auto document = core.store.find(key);
    if (document == nullptr) continue;
    const Json object = json_of(*document);
    if (!names_owner(object, uid) || has_other_owner(core, object, uid)) continue;
    const bool is_going = !at(object, "metadata", "deletionTimestamp").is_null();
    // Chains of owners are short in practice and a cycle ends here: what goes already is left.
    if (!is_going) delete_quietly(core, key, Propagation::kForeground);
  }
}

// Removes a finalizer; without any left the object goes.
void drop_finalizer(Core& core, const cluster::ObjectKey& key, std::string_view name) {
  const auto document = core.store.find(key);
  if (document == nullptr) return;
  Json object = json_of(*document);
  Json& metadata = object["metadata"];
  if (at(metadata, "deletionTimestamp").is_null()) return;
  Json kept = Json::array();
  for (const Json& finalizer : at(metadata, "finalizers")) {
    if (finalizer != name) kept.push_back(finalizer);
  }
  if (kept.size() == at(metadata, "finalizers").size() && !kept.empty()) return;
  const bool is_held = integer_at(metadata, "deletionGracePeriodSeconds").value_or(0) > 0;
  if (kept.empty() && !is_held) {
    core.store.remove(key);
    return;
  }
  metadata["finalizers"] = std::move(kept);
  core.store.put(key, std::move(object));
}

// Owners under foreground deletion that waited for this dependent.
void release_owners(Core& core, const cluster::Document& gone) {
  for (const auto& uid : owner_uids(gone.json)) {
    const auto owner = core.ownership.object_of(uid);
    if (!owner || has_blocking_dependents(core, uid)) continue;
    const auto document = core.store.find(*owner);
    if (document == nullptr || document->json.find(kForegroundFinalizer) == std::string::npos) {
      continue;
    }
    drop_finalizer(core, *owner, kForegroundFinalizer);
  }
}

bool is_empty(const Core& core, const std::string& name) {
  for (const auto& [key, resource] : core.registry.all()) {
    if (!resource->namespaced || resource->virtual_only) continue;
    if (!core.store.list(resource->store_name, name, {}, 1).empty()) return false;
  }
  return true;
}

// The namespace itself, once nothing is in it: its own finalizer goes, then it.
void finish_namespace(Core& core, const std::string& name) {
  if (!core.terminating.contains(name) || !is_empty(core, name)) return;
  const cluster::ObjectKey key{"namespaces", "", name};
  const auto document = core.store.find(key);
  if (document == nullptr) {
    core.terminating.erase(name);
    return;
  }
  Json object = json_of(*document);
  Json kept = Json::array();
  for (const Json& finalizer : at(object, "spec", "finalizers")) {
    if (finalizer != "kubernetes") kept.push_back(finalizer);
  }
  if (kept.empty() && at(object, "metadata", "finalizers").empty()) {
    core.terminating.erase(name);
    core.store.remove(key);
  } else if (kept.size() != at(object, "spec", "finalizers").size()) {
    make_object(object, "spec")["finalizers"] = std::move(kept);
    core.store.put(key, std::move(object));
  }
}

void finish_crd(Core& core, const std::string& store_name) {
  if (!core.terminating_crds.contains(store_name) || core.store.count(store_name) > 0) return;
  core.terminating_crds.erase(store_name);
  drop_finalizer(core, {std::string(kCrdResource), "", store_name}, kCrdFinalizer);
}

void look_at(Core& core, const cluster::StoreEvent& event) {
  const cluster::Document& gone = *event.object;
  for (const auto& key : core.ownership.dependents(gone.uid)) {
    const auto document = core.store.find(key);
    if (document == nullptr) continue;
    Json object = json_of(*document);
    if (!names_owner(object, gone.uid)) continue;
    if (has_other_owner(core, object, gone.uid)) {
      drop_owner(core, key, std::move(object), gone.uid);
    } else {
      delete_quietly(core, key, Propagation::kBackground);
    }
  }
  release_owners(core, gone);
  if (gone.key.resource == "namespaces") core.terminating.erase(gone.key.name);
  finish_namespace(core, gone.key.namespace_name);
  finish_crd(core, gone.key.resource);
}

}  // namespace

void collect_garbage(Core& core) {
  // A listener of the store may come back here while a deletion is under way: the outer call goes
  // on with what it adds.
  if (core.collecting) return;
  core.collecting = true;
  while (true) {
    if (!core.deleted.empty()) {
      const cluster::StoreEvent event = std::move(core.deleted.front());
      core.deleted.pop_front();
      look_at(core, event);
    } else if (!core.foreground.empty()) {
      const std::string uid = std::move(core.foreground.front());
      core.foreground.pop_front();
      delete_dependents(core, uid);
    } else if (!core.changed_terminating.empty()) {
      const auto name = core.changed_terminating.extract(core.changed_terminating.begin());
      finish_namespace(core, name.value());
    } else {
      break;
    }
  }
  core.collecting = false;
}

bool has_blocking_dependents(const Core& core, const std::string& uid) {
  for (const auto& key : core.ownership.dependents(uid)) {
    const auto document = core.store.find(key);
    if (document == nullptr) continue;
    const Json object = json_of(*document);
    for (const Json& reference : owners_of(object)) {
      if (owns(reference, uid) && flag_at(reference, "blockOwnerDeletion")) return true;
    }
  }
  return false;
}

void orphan_dependents(Core& core, const std::string& uid) {
  for (const auto& key : core.ownership.dependents(uid)) {
    const auto document = core.store.find(key);
    if (document == nullptr) continue;
    Json object = json_of(*document);
    if (names_owner(object, uid)) drop_owner(core, key, std::move(object), uid);
  }
}

void begin_emptying(Core& core, const Resource& resource, const cluster::ObjectKey& key) {
  if (resource.store_name == kCrdResource) {
    const ResourcePtr kind = core.registry.by_store_name(key.name);
    core.terminating_crds.insert(key.name);
    if (kind != nullptr && kind->custom) {
      for (const auto& document : core.store.list(key.name)) {
        delete_quietly(core, document->key, Propagation::kBackground);
      }
    }
    finish_crd(core, key.name);
    return;
  }
  core.terminating.insert(key.name);
  const auto resources = core.registry.all();  // a copy: a CRD may go meanwhile
  for (const auto& [names, each] : resources) {
    if (!each->namespaced || each->virtual_only) continue;
    for (const auto& document : core.store.list(each->store_name, key.name)) {
      delete_quietly(core, document->key, Propagation::kBackground);
    }
  }
  finish_namespace(core, key.name);
}

void resume_emptying(Core& core) {
  const auto resume = [&](std::string_view store_name) {
    const ResourcePtr resource = core.registry.by_store_name(store_name);
    for (const auto& document : core.store.list(store_name)) {
      if (document->json.find("\"deletionTimestamp\":") == std::string::npos) continue;
      if (at(json_of(*document), "metadata", "deletionTimestamp").is_null()) continue;
      begin_emptying(core, *resource, document->key);
    }
  };
  resume("namespaces");
  resume(kCrdResource);
}

}  // namespace windlass::server::rest

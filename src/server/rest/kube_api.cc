#include "server/rest/kube_api.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "server/rest/bootstrap.h"
#include "server/rest/core.h"
#include "server/rest/crd.h"
#include "server/rest/delete.h"
#include "server/rest/discovery.h"
#include "server/rest/event_ttl.h"
#include "server/rest/garbage.h"
#include "server/rest/json_access.h"
#include "server/rest/read.h"
#include "server/rest/subresources.h"
#include "server/rest/watch.h"
#include "server/rest/world.h"
#include "server/rest/write.h"

namespace windlass::server::rest {
namespace {

// The resource that a path is about; a Fault for what is not served.
Outcome<Target> target_of(const Core& core, const RequestPath& path) {
  Target target;
  target.resource = core.registry.find(path.group, path.plural);
  if (target.resource == nullptr) return unknown_path();
  target.version = target.resource->version(path.version);
  if (target.version == nullptr) return unknown_path();
  if (!path.namespace_name.empty() && !target.resource->namespaced) return unknown_path();
  target.namespace_name = path.namespace_name;
  target.name = path.name;
  target.subresource = path.subresource;
  if (!path.subresource.empty() && !target.resource->has_subresource(path.subresource)) {
    return unknown_path();
  }
  // An object of a namespaced kind is found in its namespace only.
  if (!path.name.empty() && target.resource->namespaced && path.namespace_name.empty()) {
    return unknown_path();
  }
  return target;
}

bool asks_watch(const Request& request) { return request.flag("watch"); }

Outcome<Response> on_object(Core& core, const Target& target, const Request& request) {
  const bool is_own = target.subresource.empty() || target.subresource == "status";
  if (!is_own) return subresource(core, target, request);
  if (request.method == "GET" || request.method == "HEAD") return get(core, target, request);
  if (request.method == "PUT") return update(core, target, request);
  if (request.method == "PATCH") return patch(core, target, request);
  if (request.method == "DELETE" && target.subresource.empty()) {
    return remove(core, target, request);
  }
  return method_not_allowed();
}

Outcome<Response> on_collection(Core& core, const Target& target, const Request& request) {
  if (target.resource->virtual_only) return review(core, target, request);
  if (request.method == "GET" || request.method == "HEAD") return list(core, target, request);
  const bool has_place = !target.resource->namespaced || !target.namespace_name.empty();
  if (request.method == "POST" && has_place) return create(core, target, request);
  if (request.method == "DELETE" && has_place && target.resource->store_name != "namespaces") {
    return remove_collection(core, target, request);
  }
  return method_not_allowed();
}

Outcome<Response> respond(Core& core, const Request& request, const RequestPath& path) {
  if (path.plural.empty()) return discover(core, path, request);
  const auto target = target_of(core, path);
  if (!target) return target.fault();
  if (!target->name.empty() && target->resource->virtual_only) return unknown_path();
  return target->name.empty() ? on_collection(core, *target, request)
                              : on_object(core, *target, request);
}

void see(Core& core, const cluster::StoreEvent& event) {
  core.pending.push_back(event);
  core.ownership.see(event);
  see_crd(core, event);
  see_event(core, event);
  if (event.type == cluster::EventType::kDeleted) core.deleted.push_back(event);
  if (event.object->key.resource == "namespaces" &&
      core.terminating.contains(event.object->key.name)) {
    core.changed_terminating.insert(event.object->key.name);
  }
}

std::vector<std::pair<std::string, std::string>> fields_of(const Core& core,
                                                           std::string_view resource,
                                                           const Json& object) {
  auto fields = kinds::selectable_fields(resource, object);
  const ResourcePtr known = core.registry.by_store_name(resource);
  if (known == nullptr) return fields;
  for (const auto& [field, path] : known->selectable) {
    const Json& value = at_path(object, path);
    if (value.is_null()) continue;
    fields.emplace_back(field, value.is_string() ? value.get<std::string>() : text_of(value));
  }
  return fields;
}

// What was in the store before the API came to it.
void load(Core& core) {
  for (const auto& [key, resource] : core.registry.all()) {
    if (resource->virtual_only || resource->storage() == nullptr) continue;
    for (const auto& document : core.store.list(resource->store_name)) {
      const cluster::StoreEvent event{cluster::EventType::kAdded, document, nullptr,
                                      document->resource_version};
      core.ownership.see(event);
      see_event(core, event);
    }
  }
}

}  // namespace

struct KubeApi::Impl {
  Impl(cluster::ObjectStore& store, ApiOptions options)
      : held(std::make_shared<Core>(store, std::move(options))), core(*held) {}
  std::shared_ptr<Core> held;  // the store's listeners see through a weak pointer that it is gone
  Core& core;
};

KubeApi::KubeApi(cluster::ObjectStore& store, ApiOptions options)
    : impl_(std::make_unique<Impl>(store, std::move(options))) {
  const std::weak_ptr<Core> weak = impl_->held;
  store.fields_of = [weak](std::string_view resource, const Json& object) {
    const auto core = weak.lock();
    return core ? fields_of(*core, resource, object) : kinds::selectable_fields(resource, object);
  };
  store.on_change.emplace_back([weak](const cluster::StoreEvent& event) {
    if (const auto core = weak.lock()) see(*core, event);
  });
}

KubeApi::~KubeApi() {
  for (auto& [resource, watchers] : impl_->core.watchers) {
    for (const auto& watcher : watchers) {
      watcher->gone = true;
      watcher->stream->close();
    }
  }
}

void KubeApi::bootstrap() {
  Core& core = impl_->core;
  load_crds(core);
  load(core);
  create_initial_objects(core);
  resume_emptying(core);
  collect_garbage(core);
}

void KubeApi::handle(const Request& request, const std::shared_ptr<Exchange>& exchange) {
  Core& core = impl_->core;
  const auto reply = [&](Outcome<Response> outcome) {
    core.answer([exchange, response = outcome.ok() ? std::move(*outcome)
                                                   : response_of(outcome.fault())]() mutable {
      exchange->reply(std::move(response));
    });
  };
  if (auto root = answer_root(core, request)) return reply(std::move(*root));
  if (request.identity.user.empty()) return reply(unauthorized());
  if (request.path.starts_with("/openapi/")) return reply(open_api(core, request));
  const auto path = parse_path(request.path);
  if (!path) return reply(unknown_path());
  if (request.method == "GET" && !path->plural.empty() && path->subresource.empty() &&
      asks_watch(request)) {
    const auto target = target_of(core, *path);
    if (!target) return reply(target.fault());
    if (target->resource->virtual_only) return reply(method_not_allowed());
    core.answer([&core, target = *target, request, exchange] {
      if (auto fault = start_watch(core, target, request, exchange)) {
        exchange->reply(response_of(*fault));
      }
    });
    return;
  }
  auto outcome = respond(core, request, *path);
  collect_garbage(core);
  reply(std::move(outcome));
}

void KubeApi::put_from_world(const cluster::ObjectKey& key, Json object, std::string_view manager) {
  write_from_world(impl_->core, key, std::move(object), manager);
  collect_garbage(impl_->core);
}

void KubeApi::remove_from_world(const cluster::ObjectKey& key) {
  impl_->core.store.remove(key);
  collect_garbage(impl_->core);
}

std::optional<std::string> KubeApi::resource_of(std::string_view group,
                                                std::string_view kind) const {
  const ResourcePtr resource = impl_->core.registry.by_kind(group, kind);
  if (resource == nullptr || resource->virtual_only) return std::nullopt;
  return resource->store_name;
}

void KubeApi::flush() {
  Core& core = impl_->core;
  std::vector<cluster::StoreEvent> events;
  events.swap(core.pending);
  // A listener of the store that writes in turn makes later versions come here first.
  std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) {
    return a.resource_version < b.resource_version;
  });
  deliver(core, events);
  std::vector<std::function<void()>> answers;
  answers.swap(core.deferred);
  for (auto& answer : answers) answer();
  expire_events(core);
}

size_t KubeApi::watchers() const { return impl_->core.watcher_count; }

}  // namespace windlass::server::rest

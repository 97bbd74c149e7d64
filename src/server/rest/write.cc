#include "server/rest/write.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "server/rest/admission.h"
#include "server/rest/convert.h"
#include "server/rest/crd.h"
#include "server/rest/json_access.h"
#include "server/rest/view.h"

namespace windlass::server::rest {
namespace {

// The suffix of a generated name: no vowels (no words), nothing that looks like something else.
std::string generated_suffix(Core& core, const std::string& base) {
  constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  Hash64 hash;
  hash.add(core.options.seed);
  hash.add(core.store.resource_version());
  hash.add(core.names_made++);
  hash.add(base);
  uint64_t bits = hash.value();
  std::string suffix;
  for (int i = 0; i < 5; ++i) {
    suffix += kAlphabet[bits % kAlphabet.size()];
    bits /= kAlphabet.size();
  }
  return suffix;
}

std::optional<Fault> check_namespace(const Core& core, const Target& target) {
  if (target.namespace_name.empty()) return std::nullopt;
  const auto document = core.store.find({"namespaces", "", target.namespace_name});
  if (document == nullptr) return not_found({"", "namespaces", target.namespace_name});
  if (!core.terminating.contains(target.namespace_name)) return std::nullopt;
  Fault fault = forbidden(target.subject(),
                          fmt::format("unable to create new content in namespace {} because it is "
                                      "being terminated",
                                      target.namespace_name));
  fault.causes.push_back({"NamespaceTerminating",
                          fmt::format("namespace {} is being terminated", target.namespace_name),
                          "metadata.namespace"});
  return fault;
}

// The name and namespace of an object to be created, from the body and the path.
std::optional<Fault> settle_name(Core& core, Target& target, Json& object) {
  Json& metadata = make_object(object, "metadata");
  std::string name = text_at(metadata, "name");
  if (const std::string base = text_at(metadata, "generateName"); name.empty() && !base.empty()) {
    constexpr size_t kLongest = 58;  // so that a label's 63 hold the whole name
    for (int attempt = 0; attempt < 8; ++attempt) {
      name = base.substr(0, kLongest) + generated_suffix(core, base);
      if (core.store.find({target.resource->store_name, target.namespace_name, name}) == nullptr) {
        break;
      }
    }
  }
  const std::string in_body = text_at(metadata, "namespace");
  if (target.resource->namespaced && !in_body.empty() && in_body != target.namespace_name) {
    return bad_request(
        "the namespace of the provided object does not match the namespace sent on "
        "the request");
  }
  if (target.resource->namespaced) {
    metadata["namespace"] = target.namespace_name;
  } else {
    metadata.erase("namespace");
  }
  metadata["name"] = name;
  target.name = name;
  const Resource& resource = *target.resource;
  if (name.empty()) {
    return invalid(resource.group, resource.kind, "",
                   {{"FieldValueRequired", "metadata.name",
                     "Required value: name or generateName is required"}});
  }
  if (const std::string fault = kinds::name_fault(resource.store_name, name); !fault.empty()) {
    return invalid(resource.group, resource.kind, name,
                   {{"FieldValueInvalid", "metadata.name",
                     fmt::format("Invalid value: {}: {}", text_of(Json(name)), fault)}});
  }
  return std::nullopt;
}

// A kind counts generations if a changed spec does.
bool has_generation(const Resource& resource) {
  const Json before = {{"spec", {{"replicas", 1}}}};
  const Json after = {{"spec", {{"replicas", 2}}}};
  return kinds::counts_generation(resource.group, resource.kind, before, after);
}

std::vector<schema::FieldFault> faults_of(const Core& core, const Target& target,
                                          const Json& object, const Json* live) {
  const Resource& resource = *target.resource;
  std::vector<schema::FieldFault> faults =
      kinds::validate(resource.group, resource.kind, object, live);
  const auto add = [&](std::vector<schema::FieldFault> more) {
    faults.insert(faults.end(), more.begin(), more.end());
  };
  const Version* storage = resource.storage();
  if (resource.custom && storage != nullptr && storage->shape != nullptr) {
    add(schema::validate(*storage->shape, object, live));
  }
  add(crd_faults(core, resource, object, live));
  // The world is asked only about what is right otherwise.
  if (faults.empty() && core.options.admit) add(core.options.admit(object));
  return faults;
}

void default_object(const Resource& resource, Json& object) {
  if (!resource.custom) {
    kinds::set_defaults(resource.group, resource.kind, object);
  } else if (const Version* storage = resource.storage();
             storage != nullptr && storage->shape != nullptr) {
    schema::apply_defaults(*storage->shape, object);
  }
}

// Puts back what a write through this path may not change.
void keep_other_parts(const Target& target, const Json& live, Json& after) {
  const auto keep = [&](const char* part) {
    if (at(live, part).is_null()) {
      after.erase(part);
    } else {
      after[part] = live.at(part);
    }
  };
  if (target.subresource == "status") {
    Json status = at(after, "status");
    Json managed = at(after, "metadata", "managedFields");
    after = live;
    if (status.is_null()) {
      after.erase("status");
    } else {
      after["status"] = std::move(status);
    }
    if (!managed.is_null()) after["metadata"]["managedFields"] = std::move(managed);
  } else if (target.subresource.empty() && target.resource->status) {
    keep("status");
  }
}

// An object is written where it says it is.
std::optional<Fault> check_place(const Target& target, const Json& metadata) {
  const std::string name = text_at(metadata, "name");
  if (!name.empty() && name != target.name) {
    return bad_request(fmt::format(
        "the name of the object ({}) does not match the name on the URL ({})", name, target.name));
  }
  const std::string in_namespace = text_at(metadata, "namespace");
  if (!in_namespace.empty() && in_namespace != target.namespace_name) {
    return bad_request(
        fmt::format("the namespace of the object ({}) does not match the namespace "
                    "on the URL ({})",
                    in_namespace, target.namespace_name));
  }
  return std::nullopt;
}

// metadata that only the server sets.
std::optional<Fault> keep_metadata(const Target& target, const Json& live, Json& after) {
  const Json& before = at(live, "metadata");
  Json& metadata = make_object(after, "metadata");
  const std::string version = text_at(metadata, "resourceVersion");
  if (!version.empty() && version != text_at(before, "resourceVersion")) {
    return modified_meanwhile(target.subject());
  }
  const std::string uid = text_at(metadata, "uid");
  if (!uid.empty() && uid != text_at(before, "uid")) {
    return conflict(target.subject(),
                    fmt::format("Precondition failed: UID in precondition: {}, UID in object meta: "
                                "{}",
                                uid, text_at(before, "uid")));
  }
  if (auto fault = check_place(target, metadata)) return fault;
  for (const char* field :
       {"name", "namespace", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp",
        "deletionGracePeriodSeconds", "generation", "generateName"}) {
    if (at(before, field).is_null()) {
      metadata.erase(field);
    } else {
      metadata[field] = before.at(field);
    }
  }
  metadata.erase("selfLink");
  return std::nullopt;
}

// An object under deletion leaves with its last finalizer, unless somebody has yet to end it.
bool is_finished(const Json& object) {
  const Json& metadata = at(object, "metadata");
  if (at(metadata, "deletionTimestamp").is_null()) return false;
  // A namespace has finalizers of its own beside metadata's.
  const bool is_namespace = at(object, "kind") == "Namespace" && at(object, "apiVersion") == "v1";
  if (is_namespace && !at(object, "spec", "finalizers").empty()) return false;
  return at(metadata, "finalizers").empty() &&
         integer_at(metadata, "deletionGracePeriodSeconds").value_or(0) == 0;
}

}  // namespace

const schema::Shape& shape_of(const Resource& resource) {
  static const schema::Shape any;
  const Version* storage = resource.storage();
  return storage == nullptr || storage->shape == nullptr ? any : *storage->shape;
}

std::string timestamp(Instant at) {
  constexpr int64_t kSecond = 1'000'000'000;
  int64_t whole = at.ns / kSecond;
  if (at.ns % kSecond < 0) --whole;
  return to_rfc3339({whole * kSecond});
}

std::string new_uid(const Core& core, const cluster::ObjectKey& key) {
  // The store's version counts up for ever, over restarts, so no two writes give the same.
  const auto word = [&](std::string_view half) {
    Hash64 hash;
    hash.add(core.options.seed);
    hash.add(core.store.resource_version());
    hash.add(key.resource);
    hash.add(key.namespace_name);
    hash.add(key.name);
    hash.add(half);
    return hash.value();
  };
  const uint64_t high = word("high");
  const uint64_t low = word("low");
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff,
                     high & 0xfff, (low >> 48 & 0x3fff) | 0x8000, low & 0xffffffffffff);
}

Outcome<Written> create_object(Core& core, const Target& asked, Json object,
                               WriteOptions& options) {
  Target target = asked;
  if (auto fault = settle_name(core, target, object)) return *fault;
  if (auto fault = check_namespace(core, target)) return *fault;
  const Resource& resource = *target.resource;
  if (core.store.find(target.key()) != nullptr) return already_exists(target.subject());
  Json& metadata = object["metadata"];
  if (!text_at(metadata, "resourceVersion").empty()) {
    return bad_request("resourceVersion should not be set on objects to be created");
  }
  for (const char* field : {"resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds",
                            "selfLink", "generation"}) {
    metadata.erase(field);
  }
  metadata["uid"] = new_uid(core, target.key());
  metadata["creationTimestamp"] = timestamp(core.now());
  if (has_generation(resource)) metadata["generation"] = 1;
  // A Node is described by whoever brings it; every other status is the controllers'.
  if (resource.status && resource.store_name != "nodes") object.erase("status");
  default_object(resource, object);
  prepare_create(core, target, object);
  if (!options.tracked) {
    patch::track_update(Json(), object, shape_of(resource), options.manager);
  }
  if (const auto faults = faults_of(core, target, object, nullptr); !faults.empty()) {
    return invalid(resource.group, resource.kind, target.name, faults);
  }
  Written written;
  written.created = true;
  if (options.dry_run) {
    written.object = std::move(object);
    return written;
  }
  written.document = core.store.put(target.key(), std::move(object));
  after_create(core, target);
  return written;
}

Outcome<Written> finish_update(Core& core, const Target& target, const Json& live, Json after,
                               WriteOptions& options) {
  const Resource& resource = *target.resource;
  if (!after.is_object()) return bad_request("the result is no object");
  if (auto fault = keep_metadata(target, live, after)) return *fault;
  keep_other_parts(target, live, after);
  default_object(resource, after);
  prepare_update(core, target, live, after);
  // Most writes of controllers that resync change nothing: they cost a comparison.
  if (after == live && !options.dry_run) {
    Written unchanged;
    unchanged.document = core.store.find(target.key());
    return unchanged;
  }
  if (kinds::counts_generation(resource.group, resource.kind, live, after)) {
    after["metadata"]["generation"] = integer_at(live.at("metadata"), "generation").value_or(0) + 1;
  }
  if (!options.tracked) patch::track_update(live, after, shape_of(resource), options.manager);
  const auto faults =
      options.checked ? faults_of(core, target, after, &live) : std::vector<schema::FieldFault>{};
  if (!faults.empty()) {
    return invalid(resource.group, resource.kind, target.name, faults);
  }
  Written written;
  if (options.dry_run) {
    written.object = std::move(after);
    return written;
  }
  if (after == live) {
    written.document = core.store.find(target.key());
  } else if (is_finished(after)) {
    written.object = std::move(after);
    core.store.remove(target.key());
  } else {
    written.document = core.store.put(target.key(), std::move(after));
  }
  return written;
}

Outcome<Response> written_response(const Core& core, const Target& target, const Request& request,
                                   Written written, const WriteOptions& options) {
  auto view = view_of(request);
  if (!view) view = View{};
  Response response;
  response.status = written.created ? 201 : 200;
  add_warnings(options.warnings, response);
  response.parts.push_back(written.document != nullptr
                               ? render(core, target, *view, written.document)
                               : render(core, target, *view, std::move(written.object)));
  return response;
}

Outcome<Response> create(Core& core, const Target& target, const Request& request) {
  auto options = write_options_of(core, target, request);
  if (!options) return options.fault();
  auto object = decode_object(target, request, *options);
  if (!object) return object.fault();
  auto stored = to_storage(core, target, std::move(*object));
  if (!stored) return stored.fault();
  auto written = create_object(core, target, std::move(*stored), *options);
  if (!written) return written.fault();
  return written_response(core, target, request, std::move(*written), *options);
}

Outcome<Response> update(Core& core, const Target& target, const Request& request) {
  auto options = write_options_of(core, target, request);
  if (!options) return options.fault();
  auto object = decode_object(target, request, *options);
  if (!object) return object.fault();
  if (auto fault = check_place(target, at(*object, "metadata"))) return *fault;
  const auto document = core.store.find(target.key());
  if (document == nullptr) return not_found(target.subject());
  if (target.resource->custom && text_at((*object)["metadata"], "resourceVersion").empty()) {
    return invalid(target.resource->group, target.resource->kind, target.name,
                   {{"FieldValueInvalid", "metadata.resourceVersion",
                     "Invalid value: 0: must be specified for an update"}});
  }
  auto stored = to_storage(core, target, std::move(*object));
  if (!stored) return stored.fault();
  auto written = finish_update(core, target, json_of(*document), std::move(*stored), *options);
  if (!written) return written.fault();
  return written_response(core, target, request, std::move(*written), *options);
}

}  // namespace windlass::server::rest

#include "server/rest/crd.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "server/rest/json_access.h"
#include "server/rest/watch.h"
#include "server/rest/write.h"

namespace windlass::server::rest {
namespace {

std::string lower_kind(const Json& names) {
  std::string kind = text_at(names, "kind");
  for (char& c : kind) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return kind;
}

Json condition(const Core& core, const char* type, const char* status, const char* reason,
               const std::string& message) {
  return {{"type", type},
          {"status", status},
          {"reason", reason},
          {"message", message},
          {"lastTransitionTime", timestamp(core.now())}};
}

// Replaces the condition of its type; the time stays where the status does.
void set_condition(Json& conditions, Json to) {
  for (Json& each : conditions) {
    if (at(each, "type") != to["type"]) continue;
    if (at(each, "status") == to["status"]) {
      to["lastTransitionTime"] = at(each, "lastTransitionTime");
    }
    each = std::move(to);
    return;
  }
  conditions.push_back(std::move(to));
}

// Another resource of the group that has one of the names, or empty.
std::string taken_name(const Core& core, const Json& spec) {
  const std::string group = text_at(spec, "group");
  const Json& names = at(spec, "names");
  const std::string plural = text_at(names, "plural");
  for (const auto& [key, other] : core.registry.all()) {
    if (key.first != group || key.second == plural) continue;
    if (other->kind == text_at(names, "kind")) return other->kind;
    for (const Json& name : at(names, "shortNames")) {
      const auto& theirs = other->short_names;
      if (name.is_string() &&
          std::find(theirs.begin(), theirs.end(), name.get<std::string>()) != theirs.end()) {
        return name.get<std::string>();
      }
    }
  }
  return {};
}

void close_watches(Core& core, const std::string& store_name) {
  const auto found = core.watchers.find(store_name);
  if (found == core.watchers.end()) return;
  for (const auto& watcher : found->second) {
    watcher->gone = true;
    watcher->stream->close();
  }
}

void serve(Core& core, const cluster::Document& document) {
  const Json crd = json_of(document);
  for (const Json& each : at(crd, "status", "conditions")) {
    if (text_at(each, "type") == "Established" && text_at(each, "status") == "False") return;
  }
  if (const Status set = core.registry.set_crd(crd); !set.ok()) {
    log::warning(fmt::format("CRD {} is not served: {}", document.key.name, set.error().message()));
  }
}

}  // namespace

std::vector<schema::FieldFault> crd_faults(const Core& core, const Resource& resource,
                                           const Json& object, const Json* live) {
  std::vector<schema::FieldFault> faults;
  if (resource.store_name != kCrdResource) return faults;
  const Json& spec = at(object, "spec");
  if (live != nullptr && at(*live, "spec", "scope") != at(spec, "scope")) {
    faults.push_back({"FieldValueInvalid", "spec.scope", "Invalid value: field is immutable"});
  }
  const ResourcePtr other =
      core.registry.find(text_at(spec, "group"), text_at(at(spec, "names"), "plural"));
  if (other != nullptr && !other->custom) {
    faults.push_back(
        {"FieldValueInvalid", "spec.group", "Invalid value: the resource is built in"});
  }
  size_t index = 0;
  for (const Json& version : at(spec, "versions")) {
    const std::string field = fmt::format("spec.versions[{}].schema.openAPIV3Schema", index++);
    const Json& written = at(version, "schema", "openAPIV3Schema");
    if (!written.is_object()) continue;  // said by the kind's own rules
    if (const auto read = schema::read_crd_schema(written); !read.ok()) {
      faults.push_back({"FieldValueInvalid", field, "Invalid value: " + read.error().message()});
    }
  }
  return faults;
}

void settle_crd(const Core& core, Json& crd) {
  if (!at(crd, "spec", "names").is_object()) return;
  Json& spec = crd["spec"];
  Json& names = spec["names"];
  if (text_at(names, "singular").empty()) names["singular"] = lower_kind(names);
  if (text_at(names, "listKind").empty()) names["listKind"] = text_at(names, "kind") + "List";
  if (at(spec, "conversion").is_null()) spec["conversion"] = {{"strategy", "None"}};
  Json& status = make_object(crd, "status");
  status["acceptedNames"] = names;
  Json& conditions = status["conditions"];
  if (!conditions.is_array()) conditions = Json::array();
  const std::string taken = taken_name(core, spec);
  if (taken.empty()) {
    set_condition(conditions,
                  condition(core, "NamesAccepted", "True", "NoConflicts", "no conflicts found"));
    set_condition(conditions, condition(core, "Established", "True", "InitialNamesAccepted",
                                        "the initial names have been accepted"));
  } else {
    set_condition(conditions, condition(core, "NamesAccepted", "False", "NameConflict",
                                        fmt::format("\"{}\" is already in use", taken)));
    set_condition(conditions, condition(core, "Established", "False", "NotAccepted",
                                        "not all names are accepted"));
  }
  Json& stored = status["storedVersions"];
  if (!stored.is_array()) stored = Json::array();
  for (const Json& version : at(spec, "versions")) {
    if (!flag_at(version, "storage")) continue;
    const Json& name = at(version, "name");
    if (std::find(stored.begin(), stored.end(), name) == stored.end()) stored.push_back(name);
  }
}

void see_crd(Core& core, const cluster::StoreEvent& event) {
  if (event.object->key.resource != kCrdResource) return;
  const std::string& name = event.object->key.name;
  if (event.type != cluster::EventType::kDeleted) {
    serve(core, *event.object);
    return;
  }
  const ResourcePtr resource = core.registry.by_store_name(name);
  if (resource == nullptr || !resource->custom) return;
  close_watches(core, name);
  core.registry.remove_crd(resource->group, resource->plural);
}

void load_crds(Core& core) {
  for (const auto& document : core.store.list(kCrdResource)) serve(core, *document);
}

}  // namespace windlass::server::rest

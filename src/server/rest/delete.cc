#include "server/rest/delete.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "server/rest/body.h"
#include "server/rest/crd.h"
#include "server/rest/garbage.h"
#include "server/rest/json_access.h"
#include "server/rest/read.h"
#include "server/rest/view.h"
#include "server/rest/write.h"

namespace windlass::server::rest {
namespace {

std::optional<Fault> read_propagation(const std::string& text, DeleteOptions& options) {
  if (text == "Background") {
    options.propagation = Propagation::kBackground;
  } else if (text == "Foreground") {
    options.propagation = Propagation::kForeground;
  } else if (text == "Orphan") {
    options.propagation = Propagation::kOrphan;
  } else if (!text.empty()) {
    return invalid("meta.k8s.io", "DeleteOptions", "",
                   {{"FieldValueNotSupported", "propagationPolicy",
                     fmt::format("Unsupported value: {}: supported values: \"Background\", "
                                 "\"Foreground\", \"Orphan\"",
                                 text_of(Json(text)))}});
  }
  return std::nullopt;
}

// A condition, a grace or a trial that can't be read must not end in a deletion without it.
std::optional<Fault> check_types(const Json& body) {
  using Type = Json::value_t;
  const std::string kind = text_at(body, "kind");
  if (!kind.empty() && kind != "DeleteOptions") {
    return bad_request(fmt::format("{} cannot be handled as DeleteOptions", printable(kind, 64)));
  }
  const Json& conditions = at(body, "preconditions");
  const std::tuple<const Json&, const char*, Type> fields[] = {
      {body, "gracePeriodSeconds", Type::number_integer},
      {body, "propagationPolicy", Type::string},
      {body, "orphanDependents", Type::boolean},
      {body, "preconditions", Type::object},
      {body, "dryRun", Type::array},
      {conditions, "uid", Type::string},
      {conditions, "resourceVersion", Type::string},
  };
  for (const auto& [object, name, type] : fields) {
    const Json& value = at(object, name);
    const bool integer = type == Type::number_integer && value.is_number_integer();
    if (value.is_null() || value.type() == type || integer) continue;
    return bad_request(
        fmt::format("DeleteOptions: {} must be of another type than {}", name, value.type_name()));
  }
  return std::nullopt;
}

std::optional<Fault> read_dry_run(const Json& value, DeleteOptions& options) {
  if (value != "All") {
    return invalid("meta.k8s.io", "DeleteOptions", "",
                   {{"FieldValueNotSupported", "dryRun",
                     fmt::format("Unsupported value: {}: supported values: \"All\"",
                                 printable(text_of(value), 64))}});
  }
  options.dry_run = true;
  return std::nullopt;
}

std::optional<Fault> read_body(const Request& request, DeleteOptions& options) {
  auto body = parse_body(request);
  if (!body) return body.fault();
  return read_delete_options(*body, options);
}

std::optional<Fault> check_preconditions(const Subject& subject, const Json& metadata,
                                         const DeleteOptions& options) {
  const auto differs = [&](const std::string& wanted, const char* field) {
    return !wanted.empty() && wanted != text_at(metadata, field);
  };
  if (differs(options.uid, "uid")) {
    return conflict(subject,
                    fmt::format("Precondition failed: UID in precondition: {}, UID in object meta: "
                                "{}",
                                options.uid, text_at(metadata, "uid")));
  }
  if (differs(options.resource_version, "resourceVersion")) {
    return conflict(subject,
                    fmt::format("Precondition failed: ResourceVersion in precondition: {}, "
                                "ResourceVersion in object meta: {}",
                                options.resource_version, text_at(metadata, "resourceVersion")));
  }
  return std::nullopt;
}

void add_finalizer(Json& metadata, std::string_view name) {
  Json& finalizers = metadata["finalizers"];
  if (!finalizers.is_array()) finalizers = Json::array();
  if (std::find(finalizers.begin(), finalizers.end(), name) == finalizers.end()) {
    finalizers.push_back(name);
  }
}

int64_t grace_of(const Json& object, const DeleteOptions& options) {
  constexpr int64_t kDefault = 30;
  if (options.grace_seconds) return std::max<int64_t>(*options.grace_seconds, 0);
  return integer_at(at(object, "spec"), "terminationGracePeriodSeconds").value_or(kDefault);
}

// Marks the object as going; a second deletion may only shorten the grace.
void mark(const Core& core, Json& object, int64_t grace) {
  Json& metadata = object["metadata"];
  const auto before = integer_at(metadata, "deletionGracePeriodSeconds");
  if (!at(metadata, "deletionTimestamp").is_null() && before && *before <= grace) return;
  metadata["deletionTimestamp"] =
      timestamp(core.now() + seconds(std::min<int64_t>(grace, 1 << 30)));
  metadata["deletionGracePeriodSeconds"] = grace;
  if (before == std::nullopt) {
    if (const auto generation = integer_at(metadata, "generation")) {
      metadata["generation"] = *generation + 1;
    }
  }
}

std::optional<Fault> refuse_namespace(const Core& core, const Subject& subject) {
  const std::string& name = subject.name;
  if (name == "default" || name == "kube-system" || name == "kube-public") {
    return forbidden(subject, "this namespace may not be deleted");
  }
  if (core.terminating.contains(name)) {
    return conflict(subject,
                    "The system is ensuring all content is removed from this namespace.  Upon "
                    "completion, this namespace will automatically be purged by the system.");
  }
  return std::nullopt;
}

// What keeps a marked object for now.
struct Hold {
  bool by_kubelet = false;
  bool by_contents = false;  // a namespace's or CRD's
};

Hold hold_of(const Core& core, const Resource& resource, const cluster::ObjectKey& key,
             const Json& object, int64_t grace) {
  Hold hold;
  const bool pod = resource.store_name == "pods";
  hold.by_kubelet =
      pod && grace > 0 && core.options.ends_gracefully && core.options.ends_gracefully(key, object);
  hold.by_contents = resource.store_name == "namespaces" || resource.store_name == kCrdResource;
  return hold;
}

Response reply_with(const Core& core, const Target& target, const Request& request,
                    Removal removal) {
  Response response;
  if (removal.gone) {
    response.body =
        text_of(success_status(target.subject(), text_at(at(removal.object, "metadata"), "uid"))) +
        "\n";
    return response;
  }
  auto view = view_of(request);
  if (!view) view = View{};
  response.parts.push_back(render(core, target, *view, std::move(removal.object)));
  return response;
}

}  // namespace

std::optional<Fault> read_delete_options(const Json& body, DeleteOptions& options) {
  if (body.is_null()) return std::nullopt;
  if (!body.is_object()) return bad_request("DeleteOptions must be an object");
  if (auto fault = check_types(body)) return fault;
  if (const auto grace = integer_at(body, "gracePeriodSeconds")) options.grace_seconds = grace;
  if (auto fault = read_propagation(text_at(body, "propagationPolicy"), options)) return fault;
  // The older field with the same meaning.
  if (const Json& orphan = at(body, "orphanDependents"); orphan.is_boolean()) {
    options.propagation = orphan.get<bool>() ? Propagation::kOrphan : Propagation::kBackground;
  }
  options.uid = text_at(at(body, "preconditions"), "uid");
  options.resource_version = text_at(at(body, "preconditions"), "resourceVersion");
  for (const Json& each : at(body, "dryRun")) {
    if (auto fault = read_dry_run(each, options)) return fault;
  }
  return std::nullopt;
}

std::optional<Fault> read_dry_run_of(const Request& request, DeleteOptions& options) {
  for (const auto& [key, value] : request.query) {
    if (key != "dryRun" || value.empty()) continue;
    if (auto fault = read_dry_run(Json(value), options)) return fault;
  }
  return std::nullopt;
}

Outcome<DeleteOptions> delete_options_of(const Request& request) {
  DeleteOptions options;
  if (auto fault = read_body(request, options)) return *fault;
  const auto grace = number_parameter(request, "gracePeriodSeconds");
  if (!grace) return grace.fault();
  if (*grace) options.grace_seconds = static_cast<int64_t>(std::min<uint64_t>(**grace, 1 << 30));
  if (auto fault = read_propagation(request.parameter("propagationPolicy").value_or(""), options)) {
    return *fault;
  }
  if (auto fault = read_dry_run_of(request, options)) return *fault;
  return options;
}

Outcome<Removal> delete_object(Core& core, const Resource& resource, const cluster::ObjectKey& key,
                               const DeleteOptions& options) {
  const Subject subject{resource.group, resource.plural, key.name};
  const auto document = core.store.find(key);
  if (document == nullptr) return not_found(subject);
  const Json live = json_of(*document);
  if (auto fault = check_preconditions(subject, at(live, "metadata"), options)) return *fault;
  if (resource.store_name == "namespaces") {
    if (auto fault = refuse_namespace(core, subject)) return *fault;
  }
  const bool pod = resource.store_name == "pods";
  const int64_t asked = pod ? grace_of(live, options) : 0;
  const Hold hold = hold_of(core, resource, key, live, asked);
  Removal removal{live, false};
  Json& metadata = removal.object["metadata"];
  mark(core, removal.object, hold.by_kubelet ? asked : 0);
  const auto policy = options.propagation.value_or(Propagation::kBackground);
  if (policy == Propagation::kForeground && has_blocking_dependents(core, document->uid)) {
    add_finalizer(metadata, kForegroundFinalizer);
  }
  if (resource.store_name == "namespaces") removal.object["status"]["phase"] = "Terminating";
  if (resource.store_name == kCrdResource && core.store.count(key.name) > 0) {
    add_finalizer(metadata, kCrdFinalizer);
  }
  removal.gone =
      !hold.by_kubelet && at(metadata, "finalizers").empty() && resource.store_name != "namespaces";
  if (options.dry_run) return removal;
  if (policy == Propagation::kOrphan) orphan_dependents(core, document->uid);
  if (removal.gone) {
    core.store.remove(key);
    removal.object = live;
    return removal;
  }
  if (removal.object != live) {
    removal.object = json_of(*core.store.put(key, removal.object));
  }
  if (hold.by_contents) begin_emptying(core, resource, key);
  if (policy == Propagation::kForeground) core.foreground.push_back(document->uid);
  return removal;
}

Outcome<Response> remove(Core& core, const Target& target, const Request& request) {
  const auto options = delete_options_of(request);
  if (!options) return options.fault();
  auto removal = delete_object(core, *target.resource, target.key(), *options);
  if (!removal) return removal.fault();
  return reply_with(core, target, request, std::move(*removal));
}

Outcome<Response> remove_collection(Core& core, const Target& target, const Request& request) {
  const auto options = delete_options_of(request);
  if (!options) return options.fault();
  const auto selector = selector_of(request, *target.resource);
  if (!selector) return selector.fault();
  const auto view = view_of(request);
  if (!view) return view.fault();
  const auto documents = matching(core, target, *selector);
  for (const auto& document : documents) {
    const auto removal = delete_object(core, *target.resource, document->key, *options);
    if (!removal && removal.fault().code != 404) return removal.fault();
  }
  Response response;
  render_list(core, target, *view, documents,
              {{"resourceVersion", std::to_string(core.store.resource_version())}}, response);
  return response;
}

}  // namespace windlass::server::rest

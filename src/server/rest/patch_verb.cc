// Patches of four kinds: three change the live object's value, server-side apply merges by owners.
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "server/rest/convert.h"
#include "server/rest/json_access.h"
#include "server/rest/view.h"
#include "server/rest/write.h"

namespace windlass::server::rest {
namespace {

// The configuration of an apply names no more than its path may change.
void narrow_configuration(const Target& target, Json& config) {
  if (target.subresource == "status") {
    for (auto member = config.begin(); member != config.end();) {
      const std::string& key = member.key();
      const bool stays =
          key == "apiVersion" || key == "kind" || key == "metadata" || key == "status";
      member = stays ? std::next(member) : config.erase(member);
    }
  } else if (target.resource->status) {
    config.erase("status");
  }
}

Fault apply_conflict(const Target& target, const std::vector<patch::ApplyConflict>& conflicts) {
  Fault fault{409, "Conflict", ""};
  fault.name = target.name;
  fault.group = target.resource->group;
  fault.kind = target.resource->plural;
  std::map<std::string, std::vector<std::string>> by_manager;
  for (const auto& each : conflicts) {
    std::string who = fmt::format("\"{}\"", each.manager);
    if (!each.subresource.empty()) {
      who += fmt::format(" with subresource \"{}\"", each.subresource);
    }
    if (!each.apply) who += " using " + each.api_version;
    fault.causes.push_back({"FieldManagerConflict", "conflict with " + who, each.field});
    by_manager[who].push_back(each.field);
  }
  if (conflicts.size() == 1) {
    fault.message = fmt::format("Apply failed with 1 conflict: {}: {}", fault.causes[0].message,
                                fault.causes[0].field);
    return fault;
  }
  std::vector<std::string> lines;
  for (const auto& [who, fields] : by_manager) {
    lines.push_back(fmt::format("conflicts with {}:", who));
    for (const auto& field : fields) lines.push_back("- " + field);
  }
  fault.message =
      fmt::format("Apply failed with {} conflicts: {}", conflicts.size(), fmt::join(lines, "\n"));
  return fault;
}

// Server-side apply. `live` null: creates.
Outcome<Written> apply(Core& core, const Target& target, const Json& live, const Request& request,
                       WriteOptions& options) {
  if (request.parameter("fieldManager").value_or("").empty()) {
    return invalid(
        "meta.k8s.io", "PatchOptions", "",
        {{"FieldValueRequired", "fieldManager", "Required value: is required for apply patch"}});
  }
  auto config = decode_object(target, request, options);
  if (!config) return config.fault();
  const std::string name = text_at(at(*config, "metadata"), "name");
  if (!name.empty() && name != target.name) {
    return bad_request(fmt::format(
        "the name of the object ({}) does not match the name on the URL ({})", name, target.name));
  }
  (*config)["metadata"]["name"] = target.name;
  if (!text_at((*config)["metadata"], "uid").empty() && live.is_null()) {
    return conflict(target.subject(),
                    "uid mismatch: the provided object specified a uid, and no "
                    "existing object was found");
  }
  auto stored = to_storage(core, target, std::move(*config));
  if (!stored) return stored.fault();
  narrow_configuration(target, *stored);
  if (target.resource->namespaced) (*stored)["metadata"]["namespace"] = target.namespace_name;
  auto applied = patch::apply(live, *stored, shape_of(*target.resource), options.manager,
                              request.flag("force"));
  if (!applied.ok()) return bad_request(applied.error().message());
  if (!applied->conflicts.empty()) return apply_conflict(target, applied->conflicts);
  options.tracked = true;
  if (live.is_null()) return create_object(core, target, std::move(applied->object), options);
  return finish_update(core, target, live, std::move(applied->object), options);
}

// The live object after the patch, in the target's version.
Outcome<Json> patched(const Target& target, const Json& live, const std::string& type,
                      const Request& request) {
  auto patch = parse_body(request);
  if (!patch) return patch.fault();
  Json before = from_storage(target, live);
  if (type == "application/json-patch+json") {
    auto after = patch::json_patch(before, *patch);
    if (after.ok()) return std::move(*after);
    return Fault{422, "Invalid",
                 "the server rejected our request due to an error in our request: " +
                     after.error().message()};
  }
  if (!patch->is_object()) return bad_request("the patch is no object");
  if (type == "application/merge-patch+json") return patch::merge_patch(std::move(before), *patch);
  const schema::Shape* shape = target.version->shape;
  if (shape == nullptr) return bad_request("no strategic merge for this kind");
  auto after = patch::strategic_merge_patch(std::move(before), *patch, *shape);
  if (!after.ok()) return bad_request(after.error().message());
  return std::move(*after);
}

}  // namespace

Outcome<Response> patch(Core& core, const Target& target, const Request& request) {
  const std::string type = content_type_of(request);
  const bool is_apply = type == "application/apply-patch+yaml";
  const bool is_strategic = type == "application/strategic-merge-patch+json";
  const bool is_known = is_apply || is_strategic || type == "application/json-patch+json" ||
                        type == "application/merge-patch+json";
  if (!is_known || (is_strategic && target.resource->custom)) {
    return unsupported_media_type(
        type,
        fmt::format("application/json-patch+json, application/merge-patch+json, {}"
                    "application/apply-patch+yaml",
                    target.resource->custom ? "" : "application/strategic-merge-patch+json, "));
  }
  auto options = write_options_of(core, target, request);
  if (!options) return options.fault();
  const auto document = core.store.find(target.key());
  if (document == nullptr && (!is_apply || !target.subresource.empty())) {
    return not_found(target.subject());
  }
  const Json live = document == nullptr ? Json() : json_of(*document);
  Outcome<Written> written = Written{};
  if (is_apply) {
    written = apply(core, target, live, request, *options);
  } else {
    auto after = patched(target, live, type, request);
    if (!after) return after.fault();
    if (!after->is_object()) return bad_request("the patched object is no object");
    if (auto fault = check_object(target, *after, request.body, *options)) return *fault;
    auto stored = to_storage(core, target, std::move(*after));
    if (!stored) return stored.fault();
    written = finish_update(core, target, live, std::move(*stored), *options);
  }
  if (!written) return written.fault();
  return written_response(core, target, request, std::move(*written), *options);
}

}  // namespace windlass::server::rest

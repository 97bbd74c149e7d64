// The scale subresource: three fields of any kind as one autoscaling/v1 Scale.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "server/rest/body.h"
#include "server/rest/json_access.h"
#include "server/rest/subresources.h"
#include "server/rest/write.h"

namespace windlass::server::rest {
namespace {

Json scale_of(const Resource& resource, const Json& object) {
  const ScalePaths& paths = *resource.scale;
  const Json& metadata = at(object, "metadata");
  Json scale = {{"apiVersion", "autoscaling/v1"}, {"kind", "Scale"}};
  for (const char* field : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
    if (!at(metadata, field).is_null()) scale["metadata"][field] = metadata.at(field);
  }
  const auto number = [&](const std::string& path) {
    const Json& value = at_path(object, path);
    return value.is_number_integer() ? value : Json(0);
  };
  scale["spec"] = {{"replicas", number(paths.spec_replicas)}};
  scale["status"] = {{"replicas", number(paths.status_replicas)}};
  const Json& selector = paths.selector.empty() ? null_json() : at_path(object, paths.selector);
  const std::string text =
      selector.is_string() ? selector.get<std::string>() : selector_text(selector);
  if (!text.empty()) scale["status"]["selector"] = text;
  return scale;
}

Response reply(const Json& scale) {
  Response response;
  response.body = text_of(scale) + "\n";
  return response;
}

// The Scale after a PUT's or PATCH's body.
Outcome<Json> wanted_scale(const Json& current, const Request& request) {
  auto body = parse_body(request);
  if (!body) return body.fault();
  if (request.method == "PUT") return std::move(*body);
  if (content_type_of(request) == "application/json-patch+json") {
    auto after = patch::json_patch(current, *body);
    if (after.ok()) return std::move(*after);
    return Fault{422, "Invalid", after.error().message()};
  }
  // A Scale has no lists: strategic merge and apply come to the same as a merge.
  if (!body->is_object()) return bad_request("the patch is no object");
  return patch::merge_patch(current, *body);
}

}  // namespace

std::string selector_text(const Json& selector) {
  if (!selector.is_object()) return {};
  std::vector<std::string> terms;
  const bool is_plain = !selector.contains("matchLabels") && !selector.contains("matchExpressions");
  const Json& labels = is_plain ? selector : at(selector, "matchLabels");
  if (labels.is_object()) {
    for (const auto& [key, value] : labels.items()) {
      if (value.is_string()) terms.push_back(key + "=" + value.get<std::string>());
    }
  }
  for (const Json& each : at(selector, "matchExpressions")) {
    const std::string key = text_at(each, "key");
    const std::string op = text_at(each, "operator");
    std::vector<std::string> values;
    for (const Json& value : at(each, "values")) {
      if (value.is_string()) values.push_back(value.get<std::string>());
    }
    if (op == "Exists") terms.push_back(key);
    if (op == "DoesNotExist") terms.push_back("!" + key);
    if (op == "In") terms.push_back(fmt::format("{} in ({})", key, fmt::join(values, ",")));
    if (op == "NotIn") terms.push_back(fmt::format("{} notin ({})", key, fmt::join(values, ",")));
  }
  return fmt::format("{}", fmt::join(terms, ","));
}

Outcome<Response> scale(Core& core, const Target& target, const Request& request) {
  const auto document = core.store.find(target.key());
  if (document == nullptr) return not_found(target.subject());
  const Json live = json_of(*document);
  const Resource& resource = *target.resource;
  const Json current = scale_of(resource, live);
  if (request.method == "GET") return reply(current);
  if (request.method != "PUT" && request.method != "PATCH") return method_not_allowed();
  auto options = write_options_of(core, target, request);
  if (!options) return options.fault();
  auto wanted = wanted_scale(current, request);
  if (!wanted) return wanted.fault();
  const auto replicas = integer_at(at(*wanted, "spec"), "replicas");
  const bool is_absent = at(*wanted, "spec", "replicas").is_null();
  if (!is_absent && !replicas) return bad_request("Scale: spec.replicas must be a whole number");
  const int64_t count = replicas.value_or(0);
  if (count < 0 || count > INT32_MAX) {
    return invalid("autoscaling", "Scale", target.name,
                   {{"FieldValueInvalid", "spec.replicas",
                     fmt::format("Invalid value: {}: must be greater than or equal to 0", count)}});
  }
  Json after = live;
  set_path(after, resource.scale->spec_replicas, count);
  // A stale Scale is refused as a stale object is.
  for (const char* field : {"resourceVersion", "uid", "name"}) {
    const std::string value = text_at(at(*wanted, "metadata"), field);
    if (!value.empty()) after["metadata"][field] = value;
  }
  Target whole = target;  // spec is written, and status kept
  whole.subresource.clear();
  auto written = finish_update(core, whole, live, std::move(after), *options);
  if (!written) return written.fault();
  const Json result =
      written->document != nullptr ? json_of(*written->document) : std::move(written->object);
  return reply(scale_of(resource, result));
}

}  // namespace windlass::server::rest

#include "server/rest/body.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "server/rest/json_access.h"
#include "server/rest/view.h"

namespace windlass::server::rest {
namespace {

constexpr size_t kMaxBody = 3 << 20;
constexpr size_t kMaxManager = 128;
constexpr std::string_view kAcceptedBodies =
    "application/json, application/yaml, application/vnd.kubernetes.protobuf";

std::string manager_of(const Request& request) {
  if (auto named = request.parameter("fieldManager"); named && !named->empty()) return *named;
  const std::string_view agent = request.header("user-agent");
  const std::string name(agent.substr(0, std::min(agent.find('/'), agent.size())));
  return name.empty() ? "unknown" : printable(name, kMaxManager);
}

std::string header_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    // A header is one line.
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + "\"";
}

std::optional<Fault> check_type_meta(const Target& target, Json& object) {
  const std::string wanted = target.api_version();
  const std::string version = text_at(object, "apiVersion");
  const std::string kind = text_at(object, "kind");
  if (!version.empty() && version != wanted) {
    return bad_request(
        fmt::format("the API version in the data ({}) does not match the expected "
                    "API version ({})",
                    version, wanted));
  }
  if (!kind.empty() && kind != target.resource->kind) {
    return bad_request(fmt::format("{} in version \"{}\" cannot be handled as a {}", kind,
                                   target.version->name, target.resource->kind));
  }
  object["apiVersion"] = wanted;
  object["kind"] = target.resource->kind;
  return std::nullopt;
}

}  // namespace

Outcome<WriteOptions> write_options_of(const Core& core, const Target& target,
                                       const Request& request) {
  WriteOptions options;
  for (const auto& [key, value] : request.query) {
    if (key != "dryRun") continue;
    if (value != "All" && !value.empty()) {
      return bad_request(fmt::format("dryRun: Unsupported value: \"{}\": supported values: \"All\"",
                                     printable(value, 64)));
    }
    options.dry_run = options.dry_run || value == "All";
  }
  const std::string validation = request.parameter("fieldValidation").value_or("");
  if (validation == "Ignore") {
    options.validation = FieldValidation::kIgnore;
  } else if (validation == "Strict") {
    options.validation = FieldValidation::kStrict;
  } else if (!validation.empty() && validation != "Warn") {
    return bad_request(
        fmt::format("fieldValidation: Unsupported value: \"{}\": supported values: "
                    "\"Ignore\", \"Strict\", \"Warn\"",
                    printable(validation, 64)));
  }
  options.manager.name = manager_of(request);
  if (options.manager.name.size() > kMaxManager ||
      printable(options.manager.name, kMaxManager) != options.manager.name) {
    return bad_request("fieldManager: Invalid value: up to 128 printable characters");
  }
  options.manager.api_version = target.resource->storage_api_version;
  options.manager.subresource = target.subresource;
  options.manager.now = core.now();
  options.checked = target.subresource != "resize" && target.subresource != "ephemeralcontainers";
  return options;
}

std::string content_type_of(const Request& request) {
  const auto types = parse_accept(request.header("content-type"));
  return types.empty() ? std::string() : types.front().type;
}

Outcome<Json> parse_body(const Request& request) {
  if (request.body.size() > kMaxBody) return too_large();
  if (request.body.empty()) return Json();
  const std::string type = content_type_of(request);
  if (type == "application/vnd.kubernetes.protobuf") {
    auto decoded = schema::decode_protobuf(request.body);
    if (!decoded.ok()) return bad_request(decoded.error().message());
    return std::move(*decoded);
  }
  if (type == "application/yaml" || type == "text/yaml" || type == "application/x-yaml" ||
      type == "application/apply-patch+yaml") {
    auto documents = parse_yaml(request.body);
    if (!documents.ok()) return bad_request("error decoding YAML: " + documents.error().message());
    if (documents->size() != 1) return bad_request("expected one YAML document");
    return Json(*documents->front().value);
  }
  const bool json = type.empty() || type == "application/json" || type.ends_with("+json") ||
                    type == "*/*" || type == "application/octet-stream";
  if (!json) return unsupported_media_type(type, kAcceptedBodies);
  auto parsed = parse_json(request.body);
  if (!parsed.ok()) {
    return bad_request("the object provided is unrecognized: couldn't parse the body as JSON: " +
                       parsed.error().message());
  }
  return std::move(*parsed);
}

std::optional<Fault> check_object(const Target& target, Json& object, std::string_view text,
                                  WriteOptions& options) {
  if (auto fault = check_type_meta(target, object)) return fault;
  const schema::Shape* shape = target.version->shape;
  if (shape == nullptr) return std::nullopt;
  const std::string handled =
      fmt::format("{} in version \"{}\" cannot be handled as a {}: ", target.resource->kind,
                  target.version->name, target.resource->kind);
  // A custom object's types are its schema's business (422).
  if (!target.resource->custom) {
    if (const std::string fault = schema::type_fault(*shape, object); !fault.empty()) {
      return bad_request(handled + fault);
    }
  }
  if (options.validation != FieldValidation::kIgnore) {
    std::vector<std::string> found;
    for (const auto& field : schema::duplicate_fields(text)) {
      found.push_back(fmt::format("duplicate field \"{}\"", field));
    }
    for (const auto& field : schema::unknown_fields(*shape, object)) {
      found.push_back(fmt::format("unknown field \"{}\"", field));
    }
    if (!found.empty() && options.validation == FieldValidation::kStrict) {
      return bad_request((target.resource->custom ? "" : handled) +
                         "strict decoding error: " + fmt::format("{}", fmt::join(found, ", ")));
    }
    for (auto& each : found) options.warnings.push_back(std::move(each));
  }
  schema::prune(*shape, object);
  return std::nullopt;
}

Outcome<Json> decode_object(const Target& target, const Request& request, WriteOptions& options) {
  auto object = parse_body(request);
  if (!object) return object.fault();
  if (!object->is_object()) return bad_request("the body is no object");
  const bool is_text = content_type_of(request) != "application/vnd.kubernetes.protobuf";
  const std::string_view text = is_text ? std::string_view(request.body) : std::string_view();
  if (auto fault = check_object(target, *object, text, options)) return *fault;
  if (!at(*object, "metadata").is_object()) (*object)["metadata"] = Json::object();
  return object;
}

void add_warnings(const std::vector<std::string>& warnings, Response& response) {
  constexpr size_t kMostWarnings = 64;  // headers have a bound, too
  for (size_t i = 0; i < warnings.size() && i < kMostWarnings; ++i) {
    response.headers.emplace_back("Warning",
                                  "299 - " + header_quoted(printable(warnings[i], 1024)));
  }
}

}  // namespace windlass::server::rest

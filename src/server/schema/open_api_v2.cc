// The OpenAPI v2 document as gnostic's protobuf (openapi.v2.Document; field numbers from
// OpenAPIv2.proto of github.com/google/gnostic-models): what kubectl reads that finds no v3. Holds
// the definitions and each kind's PATCH with its parameters; nothing else of it is ever looked at.
#include <cstring>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "server/schema/open_api_schemas.h"

namespace windlass::server::schema {
namespace {

// A message while it is written.
class Message {
 public:
  Message& text(uint32_t field, std::string_view value) {
    varint(uint64_t{field} << 3 | 2);
    varint(value.size());
    bytes_.append(value);
    return *this;
  }
  Message& put(uint32_t field, const Message& inner) { return text(field, inner.bytes_); }
  Message& number(uint32_t field, uint64_t value) {
    varint(uint64_t{field} << 3);
    varint(value);
    return *this;
  }
  Message& real(uint32_t field, double value) {
    varint(uint64_t{field} << 3 | 1);
    uint64_t bits = 0;
    static_assert(sizeof bits == sizeof value);
    std::memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 8; ++i) bytes_ += static_cast<char>(bits >> (8 * i) & 0xFF);
    return *this;
  }
  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  std::string bytes_;
};

// Any: the value as YAML text, of which JSON is a part.
Message any(const Json& value) { return Message().text(2, value.dump()); }

void put_extensions(Message& message, uint32_t field, const Json& object) {
  for (const auto& [name, value] : object.items()) {
    if (name.starts_with("x-")) message.put(field, Message().text(1, name).put(2, any(value)));
  }
}

// Where a keyword of a schema goes.
struct Keyword {
  std::string_view name;
  uint32_t field;
};
constexpr Keyword kTexts[] = {
    {"$ref", 1}, {"format", 2}, {"title", 3}, {"description", 4}, {"pattern", 13}};
constexpr Keyword kReals[] = {{"multipleOf", 6}, {"maximum", 7}, {"minimum", 9}};
constexpr Keyword kCounts[] = {{"maxLength", 11}, {"minLength", 12},     {"maxItems", 14},
                               {"minItems", 15},  {"maxProperties", 17}, {"minProperties", 18}};
constexpr Keyword kFlags[] = {
    {"exclusiveMaximum", 8}, {"exclusiveMinimum", 10}, {"uniqueItems", 16}};

const Json* member(const Json& object, std::string_view name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

void put_scalars(Message& message, const Json& schema) {
  for (const auto& [name, field] : kTexts) {
    const Json* value = member(schema, name);
    if (value != nullptr && value->is_string()) message.text(field, value->get<std::string>());
  }
  for (const auto& [name, field] : kReals) {
    const Json* value = member(schema, name);
    if (value != nullptr && value->is_number()) message.real(field, value->get<double>());
  }
  for (const auto& [name, field] : kCounts) {
    const Json* value = member(schema, name);
    if (value != nullptr && value->is_number_unsigned())
      message.number(field, value->get<uint64_t>());
  }
  for (const auto& [name, field] : kFlags) {
    const Json* value = member(schema, name);
    if (value != nullptr && *value == true) message.number(field, 1);
  }
}

// Schemas nest as deep as the JSON they were read from: 256 at most.
Message schema_message(const Json& schema) {
  Message message;
  if (!schema.is_object()) return message;
  put_scalars(message, schema);
  if (const Json* value = member(schema, "default")) message.put(5, any(*value));
  if (const Json* names = member(schema, "required"); names != nullptr && names->is_array()) {
    for (const Json& name : *names) {
      if (name.is_string()) message.text(19, name.get<std::string>());
    }
  }
  if (const Json* values = member(schema, "enum"); values != nullptr && values->is_array()) {
    for (const Json& value : *values) message.put(20, any(value));
  }
  if (const Json* inner = member(schema, "additionalProperties")) {
    Message item;
    if (inner->is_object()) {
      item.put(1, schema_message(*inner));
    } else {
      item.number(2, *inner == true ? 1 : 0);
    }
    message.put(21, item);
  }
  if (const Json* type = member(schema, "type"); type != nullptr && type->is_string()) {
    message.put(22, Message().text(1, type->get<std::string>()));
  }
  if (const Json* items = member(schema, "items"); items != nullptr && items->is_object()) {
    message.put(23, Message().put(1, schema_message(*items)));
  }
  if (const Json* parts = member(schema, "allOf"); parts != nullptr && parts->is_array()) {
    for (const Json& part : *parts) message.put(24, schema_message(part));
  }
  if (const Json* properties = member(schema, "properties");
      properties && properties->is_object()) {
    Message all;
    for (const auto& [name, property] : properties->items()) {
      all.put(1, Message().text(1, name).put(2, schema_message(property)));
    }
    message.put(25, all);
  }
  put_extensions(message, 31, schema);
  return message;
}

Message query_parameter(const char* name) {
  const Message query = Message().text(2, "query").text(4, name).text(6, "string");
  // ParametersItem.parameter.non_body_parameter.query_parameter_sub_schema
  return Message().put(1, Message().put(2, Message().put(3, query)));
}

// A PATCH that says for which kind it is and that it validates fields.
Message patch_path(std::string_view group, std::string_view version, const PublishedKind& kind) {
  Message patch;
  patch.text(5, fmt::format("patch{}{}{}", group, version, kind.kind));
  for (const char* name : {"dryRun", "fieldManager", "fieldValidation", "force"}) {
    patch.put(8, query_parameter(name));
  }
  const Message fine = Message().put(1, Message().text(1, "OK"));
  patch.put(9, Message().put(1, Message().text(1, "200").put(2, fine)));
  const Json extensions = {
      {"x-kubernetes-action", "patch"},
      {"x-kubernetes-group-version-kind", group_version_kind(group, version, kind.kind)}};
  put_extensions(patch, 13, extensions);
  return Message().put(8, patch);
}

}  // namespace

std::string open_api_v2_protobuf(
    const std::vector<std::pair<std::string, std::vector<PublishedKind>>>& group_versions) {
  SchemaCollector schemas(SchemaCollector::Dialect::kV2);
  schemas.add_named(*built_in("", "v1", "Status"));
  schemas.add_named(*built_in("meta.k8s.io", "v1", "DeleteOptions"));
  Message paths;
  for (const auto& [group_version, kinds] : group_versions) {
    const size_t slash = group_version.find('/');
    const bool core = slash == std::string::npos;
    const std::string group = core ? "" : group_version.substr(0, slash);
    const std::string version = core ? group_version : group_version.substr(slash + 1);
    for (const PublishedKind& kind : kinds) {
      schemas.add_kind(group, version, kind);
      const std::string where =
          fmt::format("{}{}{}/{}/{{name}}", core ? "/api/" : "/apis/", group_version,
                      kind.namespaced ? "/namespaces/{namespace}" : "", kind.plural);
      paths.put(2, Message().text(1, where).put(2, patch_path(group, version, kind)));
    }
  }
  Message definitions;
  for (const auto& [name, schema] : schemas.definitions()) {
    definitions.put(1, Message().text(1, name).put(2, schema_message(schema)));
  }
  return Message()
      .text(1, "2.0")
      .put(2, Message().text(1, "Kubernetes").text(2, "v1"))
      .put(8, paths)
      .put(9, definitions)
      .take();
}

}  // namespace windlass::server::schema

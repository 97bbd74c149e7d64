#include "server/schema/open_api_schemas.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace windlass::server::schema {
namespace {

const char* const kGroupVersionKind = "x-kubernetes-group-version-kind";

// Built-in kinds by their shape: which group, version and kind a definition stands for.
const std::map<std::string, Json>& built_in_definitions() {
  static const std::map<std::string, Json> kKinds = [] {
    std::map<std::string, Json> kinds;
    for (const BuiltInKind& kind : built_in_kinds()) {
      const std::string_view group =
          kind.group == "meta.k8s.io" ? "" : std::string_view(kind.group);
      kinds[kind.shape->name].push_back(group_version_kind(group, kind.version, kind.kind));
    }
    return kinds;
  }();
  return kKinds;
}

// Named shapes that are no objects; what protobuf has inside them is nobody's business here.
Json scalar_definition(const Shape& shape, SchemaCollector::Dialect dialect) {
  const bool v3 = dialect == SchemaCollector::Dialect::kV3;
  switch (shape.kind) {
    case Kind::kTime:
    case Kind::kMicroTime:
      return {{"type", "string"}, {"format", "date-time"}};
    case Kind::kQuantity:
      if (v3) return {{"oneOf", {{{"type", "string"}}, {{"type", "number"}}}}};
      return {{"type", "string"}};
    case Kind::kIntOrString:
      if (v3) {
        return {{"format", "int-or-string"},
                {"oneOf", {{{"type", "integer"}}, {{"type", "string"}}}}};
      }
      return {{"type", "string"}, {"format", "int-or-string"}};
    default:
      break;
  }
  const bool object = shape.name.ends_with(".RawExtension") || shape.name.ends_with(".FieldsV1") ||
                      shape.name.ends_with(".Patch");
  return object ? Json{{"type", "object"}} : Json::object();
}

Json plain_schema(const Shape& shape) {
  switch (shape.kind) {
    case Kind::kBoolean:
      return {{"type", "boolean"}};
    case Kind::kInteger:
      return {{"type", "integer"}, {"format", shape.format}};
    case Kind::kNumber:
      return {{"type", "number"}, {"format", "double"}};
    case Kind::kBytes:
      return {{"type", "string"}, {"format", "byte"}};
    case Kind::kString:
      return {{"type", "string"}};
    case Kind::kAny:
      return Json::object();
    default:
      return {{"type", "object"}};
  }
}

// OpenAPI v2 knows neither junctors nor nullable; kubectl's v2 reader would stumble over them.
void strip_for_v2(Json& schema) {
  if (schema.is_array()) {
    for (Json& element : schema) strip_for_v2(element);
  }
  if (!schema.is_object()) return;
  // A value that may be of several types goes out without one.
  if (schema.value("x-kubernetes-int-or-string", Json(false)) == true) schema.erase("type");
  if (schema.contains("nullable") && schema["nullable"].is_boolean()) schema.erase("type");
  for (const char* name : {"anyOf", "oneOf", "not", "nullable"}) {
    const auto found = schema.find(name);
    // A property of this name is a schema; the keyword is none.
    const bool keyword =
        found != schema.end() && (found->is_array() || found->is_boolean() ||
                                  (found->is_object() && !found->contains("type")));
    if (keyword) schema.erase(found);
  }
  for (Json& inner : schema) strip_for_v2(inner);
}

}  // namespace

Json group_version_kind(std::string_view group, std::string_view version, std::string_view kind) {
  return {{"group", group}, {"version", version}, {"kind", kind}};
}

std::string definition_name(std::string_view group, std::string_view version,
                            const PublishedKind& kind) {
  if (kind.shape != nullptr && !kind.shape->name.empty()) return kind.shape->name;
  std::vector<std::string_view> parts = split(group, '.');
  std::string name;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) name += fmt::format("{}.", *part);
  return fmt::format("{}{}.{}", name, version, kind.kind);
}

SchemaCollector::SchemaCollector(Dialect dialect) : dialect_(dialect) {}

Json SchemaCollector::reference(std::string_view name) const {
  const char* root = dialect_ == Dialect::kV3 ? "#/components/schemas/" : "#/definitions/";
  return {{"$ref", fmt::format("{}{}", root, name)}};
}

std::string SchemaCollector::add_named(const Shape& shape) {
  add_definition(shape);
  return shape.name;
}

// Types refer to each other in circles: the name is taken before the fields are looked at.
void SchemaCollector::add_definition(const Shape& shape) {
  if (!definitions_.emplace(shape.name, Json()).second) return;
  if (shape.kind != Kind::kObject) {
    definitions_[shape.name] = scalar_definition(shape, dialect_);
    return;
  }
  Json schema = {{"type", "object"}};
  if (const auto about = description_of(shape.name); !about.empty()) schema["description"] = about;
  Json required = Json::array();
  for (const Field& field : shape.fields) {
    schema["properties"][field.name] = field_schema(field);
    if (field.required) required.push_back(field.name);
  }
  if (!required.empty()) schema["required"] = std::move(required);
  if (shape.atomic) schema["x-kubernetes-map-type"] = "atomic";
  const auto kinds = built_in_definitions().find(shape.name);
  if (kinds != built_in_definitions().end()) schema[kGroupVersionKind] = kinds->second;
  definitions_[shape.name] = std::move(schema);
}

Json SchemaCollector::schema_of(const Shape& shape, bool with_neighbours) {
  if (!shape.name.empty()) {
    add_definition(shape);
    Json to = reference(shape.name);
    if (!with_neighbours || dialect_ == Dialect::kV2) return to;
    return {{"allOf", Json::array({std::move(to)})}};
  }
  if (shape.kind == Kind::kMap) {
    Json schema = {{"type", "object"}, {"additionalProperties", schema_of(*shape.element, false)}};
    if (shape.atomic) schema["x-kubernetes-map-type"] = "atomic";
    return schema;
  }
  if (shape.kind != Kind::kList) return plain_schema(shape);
  Json schema = {{"type", "array"}, {"items", schema_of(*shape.element, false)}};
  switch (shape.list_type) {
    case ListType::kAtomic:
      schema["x-kubernetes-list-type"] = "atomic";
      break;
    case ListType::kSet:
      schema["x-kubernetes-list-type"] = "set";
      break;
    case ListType::kMap:
      schema["x-kubernetes-list-type"] = "map";
      schema["x-kubernetes-list-map-keys"] = shape.list_map_keys;
  }
  return schema;
}

Json SchemaCollector::field_schema(const Field& field) {
  std::vector<std::string> strategy;
  if (field.patch_merge) strategy.emplace_back("merge");
  if (field.patch_replace) strategy.emplace_back("replace");
  if (field.patch_retain_keys) strategy.emplace_back("retainKeys");
  Json schema = schema_of(*field.shape, !strategy.empty());
  if (!strategy.empty()) schema["x-kubernetes-patch-strategy"] = join(strategy, ",");
  if (!field.patch_merge_key.empty()) {
    schema["x-kubernetes-patch-merge-key"] = field.patch_merge_key;
  }
  return schema;
}

std::string SchemaCollector::add_kind(std::string_view group, std::string_view version,
                                      const PublishedKind& kind) {
  if (kind.shape == nullptr || kind.shape->written != nullptr || kind.shape->name.empty()) {
    return add_custom(group, version, kind);
  }
  if (const Shape* list = built_in(group, version, kind.kind + "List")) add_definition(*list);
  return add_named(*kind.shape);
}

std::string SchemaCollector::add_custom(std::string_view group, std::string_view version,
                                        const PublishedKind& kind) {
  std::string name = definition_name(group, version, kind);
  Json schema = {{"type", "object"}};
  if (kind.shape != nullptr && kind.shape->written != nullptr) schema = *kind.shape->written;
  if (dialect_ == Dialect::kV2) strip_for_v2(schema);
  Json& properties = schema["properties"];
  properties["apiVersion"]["type"] = "string";
  properties["kind"]["type"] = "string";
  properties["metadata"] = schema_of(*object_meta(), false);
  schema[kGroupVersionKind] = Json::array({group_version_kind(group, version, kind.kind)});
  definitions_[name] = std::move(schema);

  Json list = {{"type", "object"}, {"required", {"items"}}};
  list["properties"] = {
      {"apiVersion", {{"type", "string"}}},
      {"kind", {{"type", "string"}}},
      {"items", {{"type", "array"}, {"items", reference(name)}}},
      {"metadata", schema_of(*built_in("", "v1", "PodList")->field("metadata")->shape, false)}};
  list[kGroupVersionKind] = Json::array({group_version_kind(group, version, kind.kind + "List")});
  definitions_[name + "List"] = std::move(list);
  return name;
}

}  // namespace windlass::server::schema

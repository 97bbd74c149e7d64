// CRDs' schemas: from what is written to shapes, and defaults. The rules of structural schemas are
// those of the Kubernetes documentation ("Specifying a structural schema").
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <re2/re2.h>

#include "base/utf8.h"
#include "server/schema/regex_cache.h"
#include "server/schema/schema.h"

namespace windlass::server::schema {
namespace {

constexpr std::string_view kPreserve = "x-kubernetes-preserve-unknown-fields";
constexpr std::string_view kIntOrString = "x-kubernetes-int-or-string";
constexpr std::string_view kEmbedded = "x-kubernetes-embedded-resource";
constexpr std::string_view kListType = "x-kubernetes-list-type";
constexpr std::string_view kListKeys = "x-kubernetes-list-map-keys";

const Json* member(const Json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}
bool flag(const Json& object, std::string_view name) {
  const Json* value = member(object, name);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}
std::string text(const Json& object, std::string_view name) {
  const Json* value = member(object, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}
std::string below(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
}

const Shape* string_shape() {
  static const Shape kString = [] {
    Shape shape;
    shape.kind = Kind::kString;
    return shape;
  }();
  return &kString;
}

class Reader {
 public:
  explicit Reader(const Json& schema) : root_(std::make_shared<const Json>(schema)) {}

  Result<CrdShape> read() {
    if (!root_->is_object()) return Error("the schema is no object");
    if (text(*root_, "type") != "object")
      return Error("type: Required value: must be \"object\" at the root");
    Shape* root = node(*root_, "");
    if (!error_.empty()) return Error(error_);
    if (root->kind != Kind::kObject) {
      // Free-form: everything but the head is kept as it is.
      root->preserve_unknown = root->kind == Kind::kAny || root->kind == Kind::kMap;
      root->kind = Kind::kObject;
      root->element = nullptr;
    }
    add_head(*root);
    CrdShape out;
    out.owned = std::move(owned_);
    out.root = root;
    return out;
  }

 private:
  void fail(const std::string& path, std::string message) {
    if (error_.empty())
      error_ = path.empty() ? std::move(message) : fmt::format("{}: {}", path, message);
  }

  // What every object has. What a schema says of them restricts values, not their shape.
  static void add_head(Shape& shape) {
    std::erase_if(shape.fields, [](const Field& field) {
      return field.name == "apiVersion" || field.name == "kind" || field.name == "metadata";
    });
    for (const auto& [name, inner] :
         {std::pair<const char*, const Shape*>{"apiVersion", string_shape()},
          {"kind", string_shape()},
          {"metadata", object_meta()}}) {
      Field field;
      field.name = name;
      field.shape = inner;
      shape.fields.push_back(std::move(field));
    }
    std::sort(shape.fields.begin(), shape.fields.end(),
              [](const Field& a, const Field& b) { return a.name < b.name; });
  }

  Shape* node(const Json& written, const std::string& path) {
    owned_.push_back(std::make_unique<Shape>());
    Shape* shape = owned_.back().get();
    if (!written.is_object()) {
      fail(path, "Invalid value: a schema is an object");
      return shape;
    }
    shape->written = std::shared_ptr<const Json>(root_, &written);
    shape->nullable = flag(written, "nullable");
    shape->preserve_unknown = flag(written, kPreserve);
    shape->embedded_object = flag(written, kEmbedded);
    shape->atomic = text(written, "x-kubernetes-map-type") == "atomic";
    shape->format = text(written, "format");
    check_keywords(written, path);
    read_type(written, *shape, path);
    if (shape->embedded_object && shape->kind != Kind::kList) {
      shape->preserve_unknown |= shape->kind == Kind::kAny;
      shape->kind = Kind::kObject;
      add_head(*shape);
    }
    return shape;
  }

  void read_type(const Json& written, Shape& shape, const std::string& path) {
    const std::string type = text(written, "type");
    if (flag(written, kIntOrString)) {
      shape.kind = Kind::kIntOrString;
    } else if (type == "object") {
      read_object(written, shape, path);
    } else if (type == "array") {
      read_list(written, shape, path);
    } else if (type == "string") {
      shape.kind = Kind::kString;
    } else if (type == "integer") {
      shape.kind = Kind::kInteger;
    } else if (type == "number") {
      shape.kind = Kind::kNumber;
    } else if (type == "boolean") {
      shape.kind = Kind::kBoolean;
    } else if (!type.empty()) {
      fail(below(path, "type"),
           fmt::format("Unsupported value: \"{}\": supported values: \"array\", "
                       "\"boolean\", \"integer\", \"number\", \"object\", "
                       "\"string\"",
                       printable(type, 40)));
    } else if (shape.preserve_unknown) {
      // Without a type but with fields: an object that may be anything else, too.
      const Json* properties = member(written, "properties");
      if (properties != nullptr && !properties->empty()) read_object(written, shape, path);
    } else {
      fail(below(path, "type"), "Required value: must not be empty for specified object fields");
    }
  }

  void read_object(const Json& written, Shape& shape, const std::string& path) {
    const Json* properties = member(written, "properties");
    const Json* additional = member(written, "additionalProperties");
    const bool open = additional != nullptr && (additional->is_object() || *additional == true);
    if (properties != nullptr && !properties->is_object()) {
      return fail(below(path, "properties"), "Invalid value: must be an object");
    }
    if (open && properties != nullptr && !properties->empty()) {
      return fail(below(path, "additionalProperties"),
                  "Forbidden: additionalProperties and properties are mutual exclusive");
    }
    shape.kind = Kind::kObject;
    if (open) {
      shape.kind = Kind::kMap;
      shape.element = additional->is_object()
                          ? node(*additional, below(path, "additionalProperties"))
                          : any_shape();
      return;
    }
    if (properties == nullptr || properties->empty()) {
      if (shape.preserve_unknown) shape.kind = Kind::kAny;
      return;
    }
    const Json* required = member(written, "required");
    for (const auto& [name, property] : properties->items()) {
      Field field;
      field.name = name;
      field.shape = node(property, below(path, fmt::format("properties[{}]", name)));
      field.required = required != nullptr && required->is_array() &&
                       std::find(required->begin(), required->end(), name) != required->end();
      shape.fields.push_back(std::move(field));
    }
  }

  void read_list(const Json& written, Shape& shape, const std::string& path) {
    shape.kind = Kind::kList;
    const Json* items = member(written, "items");
    if (items == nullptr) {
      shape.element = any_shape();
      return fail(below(path, "items"), "Required value: must be specified");
    }
    const Shape* element = node(*items, below(path, "items"));
    shape.element = element;
    const std::string type = text(written, kListType);
    if (type == "set") shape.list_type = ListType::kSet;
    if (type != "map") {
      if (!type.empty() && type != "set" && type != "atomic") {
        fail(below(path, kListType), fmt::format("Unsupported value: \"{}\": supported values: "
                                                 "\"atomic\", \"map\", \"set\"",
                                                 printable(type, 40)));
      }
      return;
    }
    shape.list_type = ListType::kMap;
    const Json* keys = member(written, kListKeys);
    if (keys == nullptr || !keys->is_array() || keys->empty()) {
      return fail(below(path, kListKeys),
                  "Required value: must not be empty if x-kubernetes-list-type is map");
    }
    for (const Json& key : *keys) {
      const Field* field = key.is_string() ? element->field(key.get<std::string>()) : nullptr;
      if (field == nullptr) {
        return fail(below(path, kListKeys),
                    fmt::format("Invalid value: {}: entries must all be names "
                                "of item properties",
                                key.dump()));
      }
      shape.list_map_keys.push_back(key);
    }
  }

  const Shape* any_shape() {
    owned_.push_back(std::make_unique<Shape>());
    owned_.back()->preserve_unknown = true;
    return owned_.back().get();
  }

  void check_keywords(const Json& written, const std::string& path) {
    for (const char* name :
         {"$ref", "definitions", "dependencies", "patternProperties", "id", "additionalItems"}) {
      if (member(written, name) != nullptr) fail(below(path, name), "Forbidden: not supported");
    }
    if (flag(written, "uniqueItems")) {
      fail(below(path, "uniqueItems"),
           "Forbidden: uniqueItems cannot be set to true since the "
           "runtime complexity becomes quadratic");
    }
    if (const std::string pattern = text(written, "pattern");
        !pattern.empty() && compiled_pattern(pattern) == nullptr) {
      fail(below(path, "pattern"), fmt::format("Invalid value: \"{}\": must be a valid regular "
                                               "expression",
                                               printable(pattern, 120)));
    }
    for (const char* name : {"allOf", "anyOf", "oneOf"}) {
      const Json* list = member(written, name);
      if (list == nullptr) continue;
      if (!list->is_array()) fail(below(path, name), "Invalid value: must be a list");
      for (size_t i = 0; i < list->size() && list->is_array(); ++i) {
        check_junctor((*list)[i], below(path, fmt::format("{}[{}]", name, i)),
                      flag(written, kIntOrString));
      }
    }
    if (const Json* inner = member(written, "not"))
      check_junctor(*inner, below(path, "not"), false);
  }

  // Inside a junctor stand restrictions only, nothing that gives a value its shape.
  void check_junctor(const Json& written, const std::string& path, bool int_or_string) {
    if (!written.is_object()) return fail(path, "Invalid value: a schema is an object");
    for (const char* name :
         {"type", "default", "nullable", "additionalProperties", "description", "title",
          "x-kubernetes-preserve-unknown-fields", "x-kubernetes-validations"}) {
      if (member(written, name) == nullptr || (int_or_string && std::string_view(name) == "type")) {
        continue;
      }
      if (name == std::string_view("description") || name == std::string_view("title")) {
        fail(below(path, name), "Forbidden: must be empty to be structural");
      } else {
        fail(below(path, name), "Forbidden: must be undefined to be structural");
      }
    }
    for (const char* name : {"allOf", "anyOf", "oneOf"}) {
      const Json* list = member(written, name);
      for (size_t i = 0; list != nullptr && list->is_array() && i < list->size(); ++i) {
        check_junctor((*list)[i], below(path, fmt::format("{}[{}]", name, i)), int_or_string);
      }
    }
    if (const Json* inner = member(written, "not"))
      check_junctor(*inner, below(path, "not"), false);
    if (const Json* items = member(written, "items"))
      check_junctor(*items, below(path, "items"), false);
    const Json* properties = member(written, "properties");
    if (properties == nullptr || !properties->is_object()) return;
    for (const auto& [name, property] : properties->items()) {
      check_junctor(property, below(path, fmt::format("properties[{}]", name)), false);
    }
  }

  std::shared_ptr<const Json> root_;
  std::vector<std::unique_ptr<Shape>> owned_;
  std::string error_;
};

const Json* default_of(const Shape& shape) {
  return shape.written == nullptr ? nullptr : member(*shape.written, "default");
}

}  // namespace

Result<CrdShape> read_crd_schema(const Json& open_api_v3_schema) {
  auto read = Reader(open_api_v3_schema).read();
  if (!read.ok()) return read;
  // A default must itself be valid, as Kubernetes asks for when the CRD is made.
  for (const auto& shape : read->owned) {
    const Json* value = default_of(*shape);
    if (value == nullptr) continue;
    Json filled = *value;
    apply_defaults(*shape, filled);
    const auto faults = validate(*shape, filled, nullptr);
    if (!faults.empty()) {
      return Error(fmt::format("default: {}{}{}", faults[0].field,
                               faults[0].field.empty() ? "" : ": ", faults[0].message));
    }
  }
  return read;
}

void apply_defaults(const Shape& shape, Json& object) {
  if (shape.kind == Kind::kList && object.is_array()) {
    for (Json& element : object) apply_defaults(*shape.element, element);
  }
  if (shape.kind == Kind::kMap && object.is_object()) {
    for (Json& inner : object) {
      const Json* value =
          inner.is_null() && !shape.element->nullable ? default_of(*shape.element) : nullptr;
      if (value != nullptr) inner = *value;
      apply_defaults(*shape.element, inner);
    }
  }
  if (shape.kind != Kind::kObject || !object.is_object()) return;
  for (const Field& field : shape.fields) {
    const auto found = object.find(field.name);
    const bool missing = found == object.end() || (found->is_null() && !field.shape->nullable);
    const Json* value = missing ? default_of(*field.shape) : nullptr;
    if (value != nullptr) object[field.name] = *value;
    const auto now = object.find(field.name);
    if (now != object.end()) apply_defaults(*field.shape, *now);
  }
}

}  // namespace windlass::server::schema

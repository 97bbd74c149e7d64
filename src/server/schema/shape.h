// What a JSON value of the API may look like: built-in types (from the generated table) and CRDs'
// schemas in one form. Field validation, OpenAPI, strategic merge, server-side apply and protobuf
// all read it. Shapes live as long as their Registry (built-in: for ever); pointers to them are
// stable.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace windlass::server::schema {

enum class Kind {
  kAny,  // RawExtension, preserve-unknown without fields, JSON: whatever stands there
  kBoolean,
  kInteger,
  kNumber,
  kString,
  kIntOrString,
  kQuantity,   // string or number
  kTime,       // RFC 3339 seconds
  kMicroTime,  // RFC 3339 with six digits
  kBytes,      // base64 string
  kObject,     // `fields`
  kMap,        // string keys, `element` values
  kList,       // `element` each
};
enum class ListType { kAtomic, kSet, kMap };

struct Shape;

struct Field {
  std::string name;
  const Shape* shape = nullptr;
  bool required = false;
  // Strategic merge: patchStrategy and patchMergeKey.
  bool patch_merge = false;
  bool patch_replace = false;
  bool patch_retain_keys = false;
  std::string patch_merge_key;
  uint32_t proto_number = 0;  // 0: none (CRDs)
  // Protobuf: numbers of the messages around it that JSON doesn't have, outermost first.
  std::vector<uint32_t> proto_inside;
  // Protobuf always writes it; a zero value (0, "", false) means that it isn't there.
  bool absent_when_zero = false;
};

struct Shape {
  Kind kind = Kind::kAny;
  std::string format;         // "int32", "int64", "double", else empty (built-in types)
  std::string name;           // "io.k8s.api.core.v1.PodSpec" for named built-in types, else empty
  std::vector<Field> fields;  // kObject, sorted by name
  const Shape* element = nullptr;  // kMap, kList
  ListType list_type = ListType::kAtomic;
  std::vector<std::string> list_map_keys;
  bool atomic = false;            // kObject/kMap: one value for server-side apply
  bool preserve_unknown = false;  // unknown fields are kept, not pruned and not refused
  bool embedded_object = false;   // x-kubernetes-embedded-resource: has apiVersion, kind, metadata
  bool nullable = false;
  bool proto_wrapped = false;  // kList: in protobuf a message with the elements as field 1
  // CRDs only: the schema as written (description, default, enum, pattern, bounds, CEL rules), for
  // validation, defaulting and OpenAPI. Null for built-in shapes.
  std::shared_ptr<const Json> written;

  [[nodiscard]] const Field* field(std::string_view field_name) const;
};

// The shape of a built-in kind ("apps", "v1", "Deployment"), or nullptr. Group "" is core. Also
// meta types as group "meta.k8s.io": DeleteOptions, Status, ...
const Shape* built_in(std::string_view group, std::string_view version, std::string_view kind);
// Every built-in kind with its group-version, sorted: what OpenAPI publishes.
struct BuiltInKind {
  std::string group, version, kind;
  const Shape* shape;
};
const std::vector<BuiltInKind>& built_in_kinds();
// ObjectMeta, as every object has it.
const Shape* object_meta();

// The shape of a CRD version from its openAPIV3Schema (apiVersion, kind and metadata are added).
// Error: not a structural schema; names the path.
struct CrdShape {
  std::vector<std::unique_ptr<Shape>> owned;
  const Shape* root = nullptr;
};

}  // namespace windlass::server::schema

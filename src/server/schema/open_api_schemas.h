// Shapes as OpenAPI schemas: what both documents, v3 and v2, are made of. Named shapes become
// definitions that others refer to; CRDs' schemas go out as they were written.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/json.h"
#include "server/schema/schema.h"

namespace windlass::server::schema {

// Collects the definitions that kinds need, by name, with all they refer to.
class SchemaCollector {
 public:
  // v3: references point into components and may have neighbours only inside allOf.
  enum class Dialect { kV2, kV3 };
  explicit SchemaCollector(Dialect dialect);

  // Adds the kind and its list; returns the kind's name among the definitions.
  std::string add_kind(std::string_view group, std::string_view version, const PublishedKind& kind);
  // Adds a built-in type by its shape ("Status", "DeleteOptions").
  std::string add_named(const Shape& shape);
  [[nodiscard]] Json reference(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, Json>& definitions() const { return definitions_; }

 private:
  void add_definition(const Shape& shape);
  Json schema_of(const Shape& shape, bool with_neighbours);
  Json field_schema(const Field& field);
  std::string add_custom(std::string_view group, std::string_view version,
                         const PublishedKind& kind);

  Dialect dialect_;
  std::map<std::string, Json> definitions_;
};

// "io.k8s.api.apps.v1.Deployment" for a built-in kind, "sh.karpenter.v1.NodePool" for another.
std::string definition_name(std::string_view group, std::string_view version,
                            const PublishedKind& kind);
Json group_version_kind(std::string_view group, std::string_view version, std::string_view kind);
// One sentence on a type that people ask `kubectl explain` about, or empty.
std::string_view description_of(std::string_view type_name);

}  // namespace windlass::server::schema

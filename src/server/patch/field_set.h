// A set of paths into an object: what one manager owns. Kubernetes writes it as FieldsV1, a tree of
// steps; this is that tree. A path may be in the set with or without what is below it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace windlass::server::patch {

struct FieldSet {
  bool member = false;  // the path that leads here is in the set
  // By step, spelled as in FieldsV1: "f:name", 'k:{"name":"app"}', 'v:"x"', "i:0". No child is
  // empty, so that equal sets are equal trees.
  std::map<std::string, FieldSet> children;

  [[nodiscard]] bool empty() const { return !member && children.empty(); }
  // The child for a step, or nullptr.
  [[nodiscard]] const FieldSet* at(const std::string& step) const;
  // Puts `child` under `step`, together with what is there; nothing if it is empty.
  void adopt(const std::string& step, FieldSet child);
  bool operator==(const FieldSet&) const = default;
};

// Path by path: a path is in the result if it is in either, in both, in the first alone.
FieldSet unite(FieldSet a, const FieldSet& b);
FieldSet intersect(const FieldSet& a, const FieldSet& b);
FieldSet subtract(const FieldSet& a, const FieldSet& b);

// Steps.
std::string field_step(std::string_view name);
std::string key_step(const Json& keys);     // an object: the values of the list's map keys
std::string value_step(const Json& value);  // a scalar of a set
// The text of a value such that equal values (80 and 80.0) have one text.
std::string canonical_text(const Json& value);

// FieldsV1 and back. Steps of unknown kinds are skipped, as Kubernetes skips them; what is no tree
// of objects is an error.
Result<FieldSet> parse_fields(const Json& fields);
Json to_json(const FieldSet& set);

// The members' paths as messages spell them, sorted: ".spec.replicas",
// '.spec.template.spec.containers[name="app"].image'.
std::vector<std::string> paths_of(const FieldSet& set);

}  // namespace windlass::server::patch

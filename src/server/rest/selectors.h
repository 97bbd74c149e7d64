// labelSelector and fieldSelector of lists, watches and collections. Internal to this room, but for
// label selectors as such, which every Kubernetes API reads alike.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cluster/object_store.h"
#include "server/rest/registry.h"
#include "server/rest/status_errors.h"

namespace windlass::server::rest {

struct LabelTerm {
  enum class Op { kIn, kNotIn, kExists, kAbsent, kGreater, kLess };
  std::string key;
  Op op = Op::kIn;
  std::vector<std::string> values;
};
struct FieldTerm {
  std::string field;
  bool equal = true;
  std::string value;
};

struct Selector {
  std::vector<LabelTerm> labels;  // all must hold
  std::vector<FieldTerm> fields;

  [[nodiscard]] bool empty() const { return labels.empty() && fields.empty(); }
  [[nodiscard]] bool matches(const cluster::Document& document) const;
  // The name that metadata.name= asks for, or empty.
  [[nodiscard]] std::string only_name() const;
};

// "a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1". Faults are Kubernetes' 400s.
Outcome<std::vector<LabelTerm>> parse_label_selector(std::string_view text);
// "metadata.name=x,status.phase!=Running"; `known` are the resource's own fields.
Outcome<std::vector<FieldTerm>> parse_field_selector(std::string_view text,
                                                     const Resource& resource);
bool matches(const std::vector<LabelTerm>& terms, const api::StringMap& labels);

}  // namespace windlass::server::rest

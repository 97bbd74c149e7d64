// metav1.LabelSelector.
#pragma once

#include <string>
#include <vector>

#include "api/meta.h"

namespace windlass::api {

struct LabelSelectorTerm {
  enum class Op { kIn, kNotIn, kExists, kDoesNotExist };
  std::string key;
  Op op = Op::kIn;
  std::vector<std::string> values;
  bool operator==(const LabelSelectorTerm&) const = default;
};

struct LabelSelector {
  StringMap match_labels;
  std::vector<LabelSelectorTerm> match_expressions;

  // An empty selector matches everything.
  [[nodiscard]] bool matches(const StringMap& labels) const;
  bool operator==(const LabelSelector&) const = default;
};

}  // namespace windlass::api

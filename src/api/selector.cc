#include "api/selector.h"

#include <algorithm>

namespace windlass::api {
namespace {

bool meets(const LabelSelectorTerm& term, const StringMap& labels) {
  const auto label = labels.find(term.key);
  const bool exists = label != labels.end();
  const auto listed = [&] {
    return std::find(term.values.begin(), term.values.end(), label->second) != term.values.end();
  };
  switch (term.op) {
    case LabelSelectorTerm::Op::kIn:
      return exists && listed();
    // An absent label is not in any list.
    case LabelSelectorTerm::Op::kNotIn:
      return !exists || !listed();
    case LabelSelectorTerm::Op::kExists:
      return exists;
    case LabelSelectorTerm::Op::kDoesNotExist:
      return !exists;
  }
  WL_UNREACHABLE("selector operator");
}

}  // namespace

bool LabelSelector::matches(const StringMap& labels) const {
  for (const auto& [key, value] : match_labels) {
    const auto label = labels.find(key);
    if (label == labels.end() || label->second != value) return false;
  }
  return std::all_of(match_expressions.begin(), match_expressions.end(),
                     [&](const LabelSelectorTerm& term) { return meets(term, labels); });
}

}  // namespace windlass::api

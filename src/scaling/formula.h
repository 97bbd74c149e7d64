// The formula of scalingModifiers: the part of expr-lang that KEDA's formulas use (reference
// keda_hpa.md 1.7). A formula combines the triggers' values into one number.
//
// It takes numbers, true, false and nil; + - * / % ** (also ^); == != < <= > >= (which chain);
// and or not (&& || !); ?: and ??; if/else blocks; arrays, ranges 1..3, in, a[0]; let; the calls
// all any none one count filter map (over an array, with # in a predicate that may stand in
// braces) and sum mean median min max abs ceil floor round int float len. Text, maps, pipes and
// other calls are refused by name.
//
// A formula is untrusted input: length, nesting and work are bounded, and every error names the
// column (1-based, in bytes) it is about. Evaluation is a pure function of the values.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace windlass::scaling {

struct FormulaTree;

class Formula {
 public:
  // `names` are the triggers' names, the only ones the formula may use.
  static Result<Formula> parse(std::string_view text, const std::vector<std::string>& names);

  // `values` in the order of `names`; nullopt is nil, a trigger that failed. The result is nil only
  // for a formula with ??; elsewhere nil is an error, as a boolean or an array as result is.
  [[nodiscard]] Result<std::optional<double>> evaluate(
      std::span<const std::optional<double>> values) const;

 private:
  std::shared_ptr<const FormulaTree> tree_;
};

}  // namespace windlass::scaling

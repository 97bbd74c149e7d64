// Any text as a formula over four names, one of them nil: never a crash, a hang or a stack blown,
// an error always names a column, and a formula evaluates to the same twice.
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "scaling/formula.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using windlass::scaling::Formula;
  static const std::vector<std::string> kNames{"a", "b", "queue", "down"};
  static const std::vector<std::optional<double>> kValues{1.5, -3.0, 40.0, std::nullopt};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto formula = Formula::parse(text, kNames);
  if (!formula.ok()) {
    WL_ASSERT(formula.error().message().starts_with("column "));
    return 0;
  }
  const auto once = formula->evaluate(kValues);
  const auto again = formula->evaluate(kValues);
  WL_ASSERT(once.ok() == again.ok());
  if (!once.ok()) return 0;
  WL_ASSERT(once->has_value() == again->has_value());
  if (!once->has_value()) return 0;
  WL_ASSERT(**once == **again || (std::isnan(**once) && std::isnan(**again)));
  return 0;
}

// A formula's text as tokens. Private to this room.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace windlass::scaling {

struct FormulaToken {
  enum class Kind { kNumber, kName, kSign, kEnd };
  Kind kind = Kind::kEnd;
  std::string_view text;  // points into the formula; of kEnd: empty
  uint32_t column = 1;
  std::variant<int64_t, double> number;  // of kNumber: whole when written without . and exponent

  // A sign or a word; numbers have neither.
  [[nodiscard]] bool is(std::string_view what) const {
    return (kind == Kind::kSign || kind == Kind::kName) && text == what;
  }
};

// The last token is always kEnd. Comments (// and /* */) are passed over.
Result<std::vector<FormulaToken>> read_formula_tokens(std::string_view text);

}  // namespace windlass::scaling

// From a formula's text to its tree. Private to this room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "scaling/formula_tree.h"

namespace windlass::scaling {

Result<FormulaTree> parse_formula(std::string_view text, const std::vector<std::string>& names);

}  // namespace windlass::scaling

// RFC 6901: the path of a value inside a JSON document. Read once, then walked without exceptions,
// so that a wrong path is an error that says which step failed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace windlass::server::patch {

// The steps of "/a/b~1c/0": {"a", "b/c", "0"}. "" is the document itself: no steps.
Result<std::vector<std::string>> parse_pointer(std::string_view text);

// An array index as RFC 6901 spells it: digits without leading zeros, less than or equal to
// `limit`.
Result<size_t> array_index(std::string_view step, size_t limit);

// The value at the first `count` steps, or an error that names the step which isn't there.
Result<Json*> walk_pointer(Json& document, const std::vector<std::string>& steps, size_t count);

}  // namespace windlass::server::patch

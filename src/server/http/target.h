// The target of a request line, taken apart and decoded once. Strict, because what stands behind it
// decides by path: nothing that two readers could read differently gets through.
#pragma once

#include <optional>
#include <string_view>

#include "server/http/exchange.h"
#include "server/http/fault.h"

namespace windlass::server {

inline constexpr size_t kTargetBytesMax = 16 << 10;

// Fills in path and query. Refused (400): what is neither "/path" nor "http://host/path"; bad
// percent signs; control characters, NUL and what is not UTF-8, also when encoded; an encoded
// slash; parts that are empty, "." or ".." (a last slash is fine); more than 1,000 parameters. 414:
// longer than kTargetBytesMax.
std::optional<HttpFault> read_target(std::string_view target, Request& request);

}  // namespace windlass::server

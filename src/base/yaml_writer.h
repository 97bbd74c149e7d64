// JSON values as YAML text that every reader takes for the same value: block style, keys in their
// order, strings in quotes wherever any YAML (1.1 or 1.2) could read them as something else.
#pragma once

#include <string>

#include "base/json.h"

namespace windlass {

// One document, ends with a line feed. Bytes that are not UTF-8 become U+FFFD; control characters
// beyond ASCII stand as they are, which strict readers refuse.
std::string to_yaml(const Json& value);

}  // namespace windlass

// The type of a YAML scalar, as go-yaml v2 (YAML 1.1) decides it for Kubernetes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace windlass {

using YamlScalar = std::variant<std::nullptr_t, bool, int64_t, uint64_t, double, std::string>;

// `tag` is "?" for a plain scalar, "!" for a quoted one, or a written tag. Timestamps stay strings.
// Errors: .nan and .inf (JSON has neither), a text that its tag refuses, !!binary.
Result<YamlScalar> resolve_yaml_scalar(std::string_view text, std::string_view tag);

}  // namespace windlass

// JSON values. nlohmann::json with sorted keys; only .cc files include the full header.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"

namespace windlass {

using Json = nlohmann::json;

// Strict JSON: one value, UTF-8, nesting up to 256. The error gives line and column.
Result<Json> parse_json(std::string_view text);

// One document of a YAML stream; `line` is where it starts (1-based). The value is behind a pointer
// so that this header stays light; it is never null.
struct YamlDocument {
  std::shared_ptr<const Json> value;
  int line = 1;
};

// YAML as Kubernetes reads it (sigs.k8s.io/yaml): a stream of documents to JSON values. Plain
// scalars follow YAML 1.1 as go-yaml does for Kubernetes: true/false/yes/no/on/off only as
// true/false spellings of JSON unless quoted, ints, floats, null (~); quoted scalars stay strings.
// Duplicate keys, anchors that recurse and non-string keys are errors. JSON is accepted too.
Result<std::vector<YamlDocument>> parse_yaml(std::string_view text);

// For messages: the line (1-based) on which the value at `path` ("spec.limits.cpu",
// "spec.triggers[1].metadata.threshold") stands in the YAML text, or 0 if it is not found. Reads
// the text again, so call it only when something is wrong.
int yaml_line_of(std::string_view text, size_t document_index, std::string_view path);

}  // namespace windlass

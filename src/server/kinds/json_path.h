// The JSONPath that CRDs use for printer columns and scale subresources: members (.a, ['a.b/c'],
// a\.b), indices, slices, [*], and filters [?(@.type=="Ready")]. Keys that are missing yield
// nothing; anything else (recursive descent, unions, functions) is refused when it is read.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace windlass::server::kinds {

class JsonPath {
 public:
  // With or without the braces and the leading "$".
  static Result<JsonPath> parse(std::string_view text);
  // What the path finds, in document order; the pointers are into `root`.
  [[nodiscard]] std::vector<const Json*> find(const Json& root) const;

 private:
  enum class Kind { kMember, kIndex, kSlice, kEach, kFilter };
  enum class Compare { kExists, kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };
  struct Step {
    Kind kind = Kind::kMember;
    std::string name{};                // kMember
    int64_t from = 0, to = INT64_MAX;  // kIndex (from), kSlice; negative: from the end
    // kFilter: a path below the element against a literal.
    std::vector<Step> below{};
    Compare compare = Compare::kExists;
    std::shared_ptr<const Json> literal{};
  };
  class Parser;

  static void take(const Step& step, const Json& value, std::vector<const Json*>& out);
  static bool holds(const Step& step, const Json& element);
  static std::vector<const Json*> walk(const std::vector<Step>& steps, const Json& root);

  std::vector<Step> steps_;
};

}  // namespace windlass::server::kinds

// The parsed query, private to this directory. Plain values, checked as they are made: what parses
// has fitting types, so evaluation never meets a scalar where a vector belongs. Trees are at most
// kDepthMax levels deep, so that walking and destroying them may recurse.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sim/prometheus/promql.h"

namespace re2 {
class RE2;
}

namespace windlass::sim::prometheus {

inline constexpr int kDepthMax = 100;
inline constexpr size_t kQueryBytesMax = 16 * 1024;
inline constexpr std::string_view kMetricName = "__name__";

enum class ValueType { kScalar, kVector, kRange };
std::string_view to_string(ValueType type);

enum class MatchKind { kEqual, kNotEqual, kRegex, kNotRegex };

// One `label="value"`. A label that a series lacks counts as empty.
struct Matcher {
  std::string label;
  MatchKind kind;
  std::string value;
  std::shared_ptr<const re2::RE2> regex;  // compiled once; null unless the kind needs it

  [[nodiscard]] bool matches(std::string_view label_value) const;
};

// name{matchers}[range] offset d
struct Selector {
  std::string name;  // the pinned metric name, or empty
  std::vector<Matcher> matchers;
  int64_t range_ms = 0;   // 0: an instant vector
  int64_t offset_ms = 0;  // negative: looks ahead
};

// Which labels count: the listed ones (by, on), or all but those and the metric name (without,
// ignoring). The default is all but the metric name.
struct LabelSubset {
  bool listed_only = false;
  std::vector<std::string> names;  // sorted, no duplicates
};

struct Number {
  double value;
};

struct Negation {
  Query operand;
};

struct Function;
struct Call {
  const Function* function;
  std::vector<Query> arguments;
};

enum class Aggregator { kSum, kAvg, kMin, kMax, kCount, kQuantile };
struct Aggregation {
  Aggregator aggregator;
  LabelSubset grouping;
  Query parameter;  // the quantile, else null
  Query operand;
};

enum class Operator {
  kOr,
  kAnd,
  kUnless,
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kPower,
};
constexpr bool is_set_operator(Operator op) { return op <= Operator::kUnless; }
constexpr bool is_comparison(Operator op) {
  return op >= Operator::kEqual && op <= Operator::kGreaterOrEqual;
}

struct Binary {
  Operator op;
  bool returns_bool;  // `bool`: 0 or 1 instead of filtering
  LabelSubset matching;
  Query left, right;
};

struct Expression {
  ValueType type;
  int depth;  // levels below and including this one
  std::variant<Number, Selector, Negation, Call, Aggregation, Binary> node;
};

}  // namespace windlass::sim::prometheus

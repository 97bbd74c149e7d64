#include "scaling/formula_value.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace windlass::scaling {
namespace {

FormulaValue whole(uint64_t bits) { return {static_cast<int64_t>(bits)}; }

Result<FormulaValue> modulo(const FormulaValue& a, const FormulaValue& b) {
  // A trigger's value is a fraction to expr-lang, whatever it happens to be.
  if (a.whole() == nullptr || b.whole() == nullptr) {
    return Error("% takes whole numbers; write int(a) % int(b)");
  }
  if (*b.whole() == 0) return Error("division of a whole number by zero");
  // The one quotient that does not fit: its remainder is 0.
  if (*b.whole() == -1) return FormulaValue{int64_t{0}};
  return FormulaValue{*a.whole() % *b.whole()};
}

Result<FormulaValue> calculate_whole(FormulaOp op, int64_t a, int64_t b) {
  const auto x = static_cast<uint64_t>(a);
  const auto y = static_cast<uint64_t>(b);
  switch (op) {
    case FormulaOp::kAdd:
      return whole(x + y);
    case FormulaOp::kSubtract:
      return whole(x - y);
    default:
      return whole(x * y);
  }
}

// Every number in `values`, nested arrays too. False: something else was met, or work ran out.
bool flatten(const std::vector<FormulaValue>& values, std::vector<FormulaValue>& out,
             int64_t& work) {
  for (const FormulaValue& value : values) {
    if (--work < 0) return false;
    if (value.number()) {
      out.push_back(value);
    } else if (value.array() == nullptr || !flatten(**value.array(), out, work)) {
      return false;
    }
  }
  return true;
}

FormulaValue median_of(std::vector<FormulaValue> numbers) {
  if (numbers.empty()) return {0.0};
  std::vector<double> sorted;
  for (const FormulaValue& number : numbers) sorted.push_back(number.as_double());
  std::sort(sorted.begin(), sorted.end(), [](double a, double b) {
    // NaN first: an order it takes part in, so that sorting stays defined.
    return std::isnan(a) ? !std::isnan(b) : a < b;
  });
  const size_t middle = sorted.size() / 2;
  if (sorted.size() % 2 == 1) return {sorted[middle]};
  return {(sorted[middle - 1] + sorted[middle]) / 2};
}

}  // namespace

std::string_view describe(const FormulaValue& value) {
  switch (value.held.index()) {
    case 0:
      return "nil, which is a trigger that failed";
    case 1:
      return "a boolean";
    case 4:
      return "an array";
    default:
      return "a number";
  }
}

Result<FormulaValue> calculate(FormulaOp op, const FormulaValue& a, const FormulaValue& b) {
  if (!a.number() || !b.number()) {
    return Error(
        fmt::format("\"{}\" takes numbers, found {}", to_string(op), describe(a.number() ? b : a)));
  }
  if (op == FormulaOp::kModulo) return modulo(a, b);
  const double x = a.as_double();
  const double y = b.as_double();
  if (op == FormulaOp::kDivide) return FormulaValue{x / y};
  if (op == FormulaOp::kPower) return FormulaValue{std::pow(x, y)};
  if (a.whole() != nullptr && b.whole() != nullptr) {
    return calculate_whole(op, *a.whole(), *b.whole());
  }
  if (op == FormulaOp::kAdd) return FormulaValue{x + y};
  if (op == FormulaOp::kSubtract) return FormulaValue{x - y};
  return FormulaValue{x * y};
}

bool equal(const FormulaValue& a, const FormulaValue& b, int64_t& work) {
  if (--work < 0) return false;
  if (a.number() && b.number()) return a.as_double() == b.as_double();
  if (a.held.index() != b.held.index()) return false;
  if (a.nil()) return true;
  if (a.boolean() != nullptr) return *a.boolean() == *b.boolean();
  const auto& left = **a.array();
  const auto& right = **b.array();
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i) {
    if (!equal(left[i], right[i], work)) return false;
  }
  return true;
}

Result<FormulaValue> aggregate(FormulaCall call, const std::vector<FormulaValue>& arguments,
                               int64_t& work) {
  std::vector<FormulaValue> numbers;
  if (!flatten(arguments, numbers, work)) return Error("takes numbers and arrays of numbers only");
  if (call == FormulaCall::kMedian) return median_of(std::move(numbers));
  if (call == FormulaCall::kMin || call == FormulaCall::kMax) {
    if (numbers.empty()) return FormulaValue{};
    FormulaValue best = numbers.front();
    for (const FormulaValue& number : numbers) {
      const bool better = call == FormulaCall::kMin ? number.as_double() < best.as_double()
                                                    : number.as_double() > best.as_double();
      if (better) best = number;
    }
    return best;
  }
  FormulaValue total{int64_t{0}};
  for (const FormulaValue& number : numbers) {
    total = *calculate(FormulaOp::kAdd, total, number);
  }
  if (call == FormulaCall::kSum) return total;
  if (numbers.empty()) return FormulaValue{0.0};
  return FormulaValue{total.as_double() / static_cast<double>(numbers.size())};
}

Result<FormulaValue> convert(FormulaCall call, const FormulaValue& value) {
  if (call == FormulaCall::kLen) {
    if (value.array() == nullptr)
      return Error(fmt::format("takes an array, found {}", describe(value)));
    return FormulaValue{static_cast<int64_t>((*value.array())->size())};
  }
  if (!value.number()) return Error(fmt::format("takes a number, found {}", describe(value)));
  const double number = value.as_double();
  switch (call) {
    case FormulaCall::kAbs:
      if (value.whole() == nullptr) return FormulaValue{std::fabs(number)};
      return *value.whole() < 0 ? whole(uint64_t{0} - static_cast<uint64_t>(*value.whole()))
                                : value;
    case FormulaCall::kCeil:
      return FormulaValue{std::ceil(number)};
    case FormulaCall::kFloor:
      return FormulaValue{std::floor(number)};
    case FormulaCall::kRound:
      return FormulaValue{std::round(number)};  // halves away from zero, as Go's
    case FormulaCall::kInt:
      if (value.whole() != nullptr) return value;
      if (!(number > -9.3e18 && number < 9.2e18)) {
        return Error(fmt::format("{} does not fit a whole number", number));
      }
      return FormulaValue{static_cast<int64_t>(std::max(number, -9.2233720368547758e18))};
    default:
      return FormulaValue{number};
  }
}

}  // namespace windlass::scaling

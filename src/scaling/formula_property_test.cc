// Random arithmetic and logic against an evaluator that shares nothing with the formula's: it is
// computed while the text is written, one full set of parentheses at a time, and again with only
// the parentheses that precedence needs.
#include <cmath>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "scaling/formula.h"

namespace windlass::scaling {
namespace {

struct Written {
  std::string full;    // with all parentheses
  std::string sparse;  // with those that are needed
  double value = 0;
  int precedence = 1000;  // of the outermost operator in `sparse`
};

const std::vector<std::string> kNames{"a", "b"};

Written leaf(const std::vector<double>& values) {
  const int kind = *rc::gen::inRange(0, 3);
  if (kind < 2) return {kNames[kind], kNames[kind], values[kind], 1000};
  // A fraction, for whole numbers have arithmetic of their own.
  const double number = *rc::gen::inRange(0, 1000) / 8.0;
  const std::string text = fmt::format("{:.3f}", number);
  return {text, text, number, 1000};
}

Written binary(Written left, Written right) {
  struct Rule {
    const char* sign;
    int precedence;
    bool to_the_right;
  };
  constexpr Rule kRules[] = {
      {"+", 30, false}, {"-", 30, false}, {"*", 60, false}, {"/", 60, false}, {"**", 100, true}};
  const int which = *rc::gen::inRange(0, 5);
  const Rule& rule = kRules[which];
  Written out;
  out.precedence = rule.precedence;
  out.full = fmt::format("({} {} {})", left.full, rule.sign, right.full);
  const auto wrap = [&](const Written& side, bool tie_needs) {
    const bool needs =
        side.precedence < rule.precedence || (side.precedence == rule.precedence && tie_needs);
    return needs ? "(" + side.sparse + ")" : side.sparse;
  };
  out.sparse = fmt::format("{}{}{}", wrap(left, rule.to_the_right), rule.sign,
                           wrap(right, !rule.to_the_right));
  const double x = left.value;
  const double y = right.value;
  const double results[] = {x + y, x - y, x * y, x / y, std::pow(x, y)};
  out.value = results[which];
  return out;
}

Written random_formula(int depth, const std::vector<double>& values) {
  if (depth == 0 || *rc::gen::inRange(0, 4) == 0) return leaf(values);
  const Written left = random_formula(depth - 1, values);
  const int kind = *rc::gen::inRange(0, 8);
  if (kind == 0) return {"(-" + left.full + ")", "(-" + left.full + ")", -left.value, 1000};
  const Written right = random_formula(depth - 1, values);
  if (kind == 1) {
    const double larger = right.value > left.value ? right.value : left.value;
    const std::string text = fmt::format("max({}, {})", left.full, right.full);
    return {text, text, larger, 1000};
  }
  if (kind == 2) {
    const std::string text = fmt::format("({0} < {1} ? {0} : {1})", left.full, right.full);
    return {text, text, left.value < right.value ? left.value : right.value, 1000};
  }
  return binary(left, right);
}

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

RC_GTEST_PROP(FormulaProperty, ArithmeticAgreesWithTheNaiveEvaluator, ()) {
  const std::vector<double> values{*rc::gen::inRange(-50, 50) / 4.0, *rc::gen::inRange(0, 9) / 2.0};
  const Written formula = random_formula(*rc::gen::inRange(0, 6), values);
  const std::vector<std::optional<double>> given(values.begin(), values.end());
  for (const std::string& text : {formula.full, formula.sparse}) {
    if (text.size() > 16'000) continue;
    const auto parsed = Formula::parse(text, kNames);
    RC_ASSERT(parsed.ok());
    const auto got = parsed->evaluate(given);
    RC_ASSERT(got.ok());
    if (!same(**got, formula.value)) RC_FAIL(text);
  }
}

// count, filter and map, against loops.
RC_GTEST_PROP(FormulaProperty, ArraysAgreeWithLoops, ()) {
  const auto numbers = *rc::gen::container<std::vector<int>>(rc::gen::inRange(-20, 20));
  const int limit = *rc::gen::inRange(-20, 20);
  std::string list;
  int count = 0;
  int sum = 0;
  int largest = limit;
  for (const int n : numbers) {
    list += fmt::format("{},", n);
    if (n > limit) {
      ++count;
      sum += n * 2;
      largest = std::max(largest, n);
    }
  }
  const auto value = [&](const std::string& text) {
    const auto parsed = Formula::parse(text, {});
    RC_ASSERT(parsed.ok());
    return **parsed->evaluate({});
  };
  RC_ASSERT(value(fmt::format("count([{}], {{# > {}}})", list, limit)) == count);
  RC_ASSERT(value(fmt::format("sum(map(filter([{}], {{# > {}}}), {{# * 2}}))", list, limit)) ==
            sum);
  RC_ASSERT(value(fmt::format("max({}, [{}])", limit, list)) == largest);
}

}  // namespace
}  // namespace windlass::scaling

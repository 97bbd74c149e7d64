// What an expression of a formula comes to, and the functions over such values. Private to this
// room.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "scaling/formula_tree.h"

namespace windlass::scaling {

struct FormulaValue;
// Shared, so that a let of a let of an array costs nothing to copy.
using FormulaArray = std::shared_ptr<const std::vector<FormulaValue>>;

struct FormulaValue {
  std::variant<std::monostate, bool, int64_t, double, FormulaArray> held;

  [[nodiscard]] bool nil() const { return held.index() == 0; }
  [[nodiscard]] const bool* boolean() const { return std::get_if<bool>(&held); }
  [[nodiscard]] const int64_t* whole() const { return std::get_if<int64_t>(&held); }
  [[nodiscard]] const FormulaArray* array() const { return std::get_if<FormulaArray>(&held); }
  [[nodiscard]] bool number() const { return held.index() == 2 || held.index() == 3; }
  // Of a number only.
  [[nodiscard]] double as_double() const {
    return whole() != nullptr ? static_cast<double>(*whole()) : std::get<double>(held);
  }
};

// "nil, which is a trigger that failed", "a boolean", "an array", "a number": for messages.
std::string_view describe(const FormulaValue& value);

// + - * / % ** on two numbers. Whole numbers stay whole under + - * and wrap as Go's do; / and **
// always give a fraction; % takes whole numbers only.
Result<FormulaValue> calculate(FormulaOp op, const FormulaValue& a, const FormulaValue& b);

// Equality of any two values; numbers by value, 1 == 1.0. `work` is counted down for each pair
// looked at, and the comparison given up (false) when it falls below 0.
bool equal(const FormulaValue& a, const FormulaValue& b, int64_t& work);

// sum, mean, median, min, max over numbers and arrays of numbers, however nested.
Result<FormulaValue> aggregate(FormulaCall call, const std::vector<FormulaValue>& arguments,
                               int64_t& work);
// abs, ceil, floor, round, int, float, len.
Result<FormulaValue> convert(FormulaCall call, const FormulaValue& value);

}  // namespace windlass::scaling

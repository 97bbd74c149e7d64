// A value while a CEL expression is evaluated: JSON that is borrowed or shared, so that looking
// into an object copies nothing, or a duration, a time, or an error that travels up like a value.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace windlass::server::schema::cel {

struct Value {
  enum class Type { kJson, kDuration, kTime, kError };
  Type type = Type::kError;
  std::shared_ptr<const Json> json;  // never null if kJson
  int64_t ns = 0;                    // kDuration, kTime
  std::string error;

  static Value of(Json value);
  // Part of a value that lives longer than the evaluation, or of what `owner` keeps alive.
  static Value borrowed(const Json& value, std::shared_ptr<const Json> owner = nullptr);
  static Value duration(int64_t ns);
  static Value time(int64_t ns);
  static Value failed(std::string message);

  [[nodiscard]] bool is_error() const { return type == Type::kError; }
  [[nodiscard]] bool is_json() const { return type == Type::kJson; }
  [[nodiscard]] const std::string* text() const;  // null: not a text
  [[nodiscard]] bool is_list() const;
  [[nodiscard]] bool is_map() const;
  [[nodiscard]] bool is_bool() const;
  [[nodiscard]] bool is_whole() const;
  [[nodiscard]] bool is_number() const;
};

// The operators but && and ||, and `in`. Never throws; an error is a value.
Value binary(std::string_view op, const Value& left, const Value& right);
// The functions of cel.h. `arguments` has a method's target first.
Value call(std::string_view function, const std::vector<Value>& arguments);
// -1, 0, 1 in `order`; false: the two don't compare.
bool compare(const Value& left, const Value& right, int& order);

}  // namespace windlass::server::schema::cel

// CEL's operators and functions over values.
#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <re2/re2.h>

#include "base/text.h"
#include "base/time.h"
#include "base/utf8.h"
#include "server/schema/cel_value.h"
#include "server/schema/regex_cache.h"

namespace windlass::server::schema::cel {
namespace {

Value no_overload() { return Value::failed("no such overload"); }

// --- texts: CEL counts code points ---

// Byte offset of code point `index`, or npos if the text is shorter.
size_t offset_of(std::string_view text, int64_t index) {
  size_t at = 0;
  for (; index > 0 && at < text.size(); --index) {
    ++at;
    while (at < text.size() && (text[at] & 0xC0) == 0x80) ++at;
  }
  return index == 0 ? at : text.npos;
}
int64_t length_of(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

Value substring(std::string_view text, int64_t from, int64_t to) {
  const size_t begin = from < 0 ? text.npos : offset_of(text, from);
  const size_t end = to < from ? text.npos : offset_of(text, to);
  if (begin == text.npos || end == text.npos) {
    return Value::failed(fmt::format("index out of range: {}", begin == text.npos ? from : to));
  }
  return Value::of(Json(text.substr(begin, end - begin)));
}

Value split_text(std::string_view text, std::string_view separator, int64_t limit) {
  Json out = Json::array();
  if (limit == 0) return Value::of(std::move(out));
  size_t at = 0;
  while (limit < 0 || static_cast<int64_t>(out.size()) < limit - 1) {
    // Nothing as a separator: each character for itself.
    const size_t found = separator.empty()
                             ? at + offset_of(text.substr(at), at < text.size() ? 1 : 0)
                             : text.find(separator, at);
    if (found == text.npos || (separator.empty() && found >= text.size())) break;
    out.push_back(text.substr(at, found - at));
    at = found + separator.size();
  }
  if (!separator.empty() || at < text.size()) out.push_back(text.substr(at));
  return Value::of(std::move(out));
}

Value replace_text(std::string_view text, std::string_view what, std::string_view with) {
  if (what.empty()) return no_overload();
  std::string out;
  size_t at = 0;
  for (size_t found; (found = text.find(what, at)) != text.npos; at = found + what.size()) {
    out.append(text.substr(at, found - at)).append(with);
    if (out.size() > 1 << 20) return Value::failed("a text of more than 1 MiB");
  }
  return Value::of(out.append(text.substr(at)));
}

Value with_pattern(std::string_view function, const std::string& text, const std::string& pattern) {
  const auto compiled = compiled_pattern(pattern);
  if (compiled == nullptr) {
    return Value::failed(fmt::format("not a regular expression: {}", printable(pattern, 80)));
  }
  re2::StringPiece rest(text);
  if (function == "matches") return Value::of(RE2::PartialMatch(rest, *compiled));
  Json found = Json::array();
  re2::StringPiece match;
  for (size_t at = 0; at <= text.size();) {
    if (!compiled->Match(rest, at, text.size(), RE2::UNANCHORED, &match, 1)) break;
    found.push_back(std::string(match.data(), match.size()));
    if (function == "find") break;
    at = static_cast<size_t>(match.data() - text.data()) + std::max<size_t>(match.size(), 1);
  }
  if (function == "findAll") return Value::of(std::move(found));
  return Value::of(found.empty() ? Json("") : found[0]);
}

std::string map_ascii(std::string text, char from, char to, int by) {
  for (char& c : text) {
    if (c >= from && c <= to) c = static_cast<char>(c + by);
  }
  return text;
}

// --- conversions ---

Value to_int(const Value& value) {
  if (value.is_whole()) return value;
  if (const std::string* text = value.text()) {
    auto parsed = parse_int(*text);
    return parsed.ok()
               ? Value::of(*parsed)
               : Value::failed(fmt::format("not a whole number: \"{}\"", printable(*text, 40)));
  }
  if (!value.is_number()) return no_overload();
  const double real = value.json->get<double>();
  if (!(std::abs(real) < 9.2e18)) return Value::failed("range error converting to int");
  return Value::of(static_cast<int64_t>(real));
}

Value to_double(const Value& value) {
  if (value.is_number()) return Value::of(value.json->get<double>());
  const std::string* text = value.text();
  if (text == nullptr) return no_overload();
  auto parsed = parse_double(*text);
  return parsed.ok() ? Value::of(*parsed)
                     : Value::failed(fmt::format("not a number: \"{}\"", printable(*text, 40)));
}

Value to_text(const Value& value) {
  if (value.text() != nullptr) return value;
  if (value.type == Value::Type::kDuration) {
    return Value::of(fmt::format("{}s", static_cast<double>(value.ns) / 1e9));
  }
  if (value.type == Value::Type::kTime) return Value::of(to_rfc3339(Instant{value.ns}));
  if (!value.is_number() && !value.is_bool()) return no_overload();
  return Value::of(value.json->dump());
}

Value convert(std::string_view function, const Value& value) {
  if (function == "dyn") return value;
  if (function == "int") return to_int(value);
  if (function == "double") return to_double(value);
  if (function == "string") return to_text(value);
  if (function == "bool") {
    if (value.is_bool()) return value;
    const std::string* text = value.text();
    if (text != nullptr && (*text == "true" || *text == "false")) return Value::of(*text == "true");
    return Value::failed("not a boolean");
  }
  const std::string* text = value.text();
  if (text == nullptr) return value.is_json() ? no_overload() : value;
  if (function == "duration") {
    auto parsed = parse_duration(*text);
    if (parsed.ok()) return Value::duration(parsed->ns);
  } else if (auto parsed = parse_rfc3339(*text); parsed.ok()) {
    return Value::time(parsed->ns);
  }
  return Value::failed(fmt::format("not a {}: \"{}\"", function, printable(*text, 40)));
}

Value size_of(const Value& value) {
  if (const std::string* text = value.text()) return Value::of(length_of(*text));
  if (!value.is_list() && !value.is_map()) return no_overload();
  return Value::of(static_cast<int64_t>(value.json->size()));
}

// --- numbers ---

Value arithmetic(char op, const Value& left, const Value& right) {
  if (left.is_whole() && right.is_whole()) {
    const auto a = left.json->get<int64_t>();
    const auto b = right.json->get<int64_t>();
    int64_t out = 0;
    bool overflow = false;
    switch (op) {
      case '+':
        overflow = __builtin_add_overflow(a, b, &out);
        break;
      case '-':
        overflow = __builtin_sub_overflow(a, b, &out);
        break;
      case '*':
        overflow = __builtin_mul_overflow(a, b, &out);
        break;
      default:
        if (b == 0) return Value::failed(op == '/' ? "division by zero" : "modulus by zero");
        overflow = a == INT64_MIN && b == -1;
        if (!overflow) out = op == '/' ? a / b : a % b;
    }
    return overflow ? Value::failed("integer overflow") : Value::of(out);
  }
  if (!left.is_number() || !right.is_number() || op == '%') return no_overload();
  const double a = left.json->get<double>();
  const double b = right.json->get<double>();
  const double out = op == '+' ? a + b : op == '-' ? a - b : op == '*' ? a * b : a / b;
  return std::isfinite(out) ? Value::of(out) : Value::failed("a number that is not finite");
}

Value add_times(char op, const Value& left, const Value& right) {
  using Type = Value::Type;
  int64_t out = 0;
  const bool overflow = op == '+' ? __builtin_add_overflow(left.ns, right.ns, &out)
                                  : __builtin_sub_overflow(left.ns, right.ns, &out);
  if (overflow) return Value::failed("time overflow");
  const bool two_times = left.type == Type::kTime && right.type == Type::kTime;
  if (left.is_json() || right.is_json() || (two_times && op == '+')) return no_overload();
  if (two_times) return Value::duration(out);
  const bool time = left.type == Type::kTime || right.type == Type::kTime;
  return time ? Value::time(out) : Value::duration(out);
}

bool equal(const Value& left, const Value& right) {
  if (left.type != right.type) return false;
  if (!left.is_json()) return left.ns == right.ns;
  return *left.json == *right.json;  // numbers compare by value, whatever their type
}

Value contains(const Value& element, const Value& range) {
  if (range.is_map()) {
    return element.text() == nullptr ? Value::of(false)
                                     : Value::of(range.json->contains(*element.text()));
  }
  if (!range.is_list()) return no_overload();
  if (!element.is_json()) return Value::of(false);
  return Value::of(std::find(range.json->begin(), range.json->end(), *element.json) !=
                   range.json->end());
}

// --- functions of lists ---

Value list_function(std::string_view function, const std::vector<Value>& arguments) {
  const Json& list = *arguments[0].json;
  if (function == "join") {
    std::vector<std::string> parts;
    for (const Json& element : list) {
      if (!element.is_string()) return no_overload();
      parts.push_back(element.get<std::string>());
    }
    if (arguments.size() > 1 && arguments[1].text() == nullptr) return no_overload();
    return Value::of(join(parts, arguments.size() > 1 ? *arguments[1].text() : ""));
  }
  if (function == "indexOf" || function == "lastIndexOf") {
    int64_t found = -1;
    for (size_t i = 0; i < list.size(); ++i) {
      if (!equal(Value::borrowed(list[i]), arguments[1])) continue;
      found = static_cast<int64_t>(i);
      if (function == "indexOf") break;
    }
    return Value::of(found);
  }
  if (function == "sum") {
    Value sum = Value::of(0);
    for (const Json& element : list) {
      sum = arithmetic('+', sum, Value::borrowed(element));
      if (sum.is_error()) return sum;
    }
    return sum;
  }
  if (function != "min" && function != "max" && function != "isSorted") return no_overload();
  if (list.empty())
    return function == "isSorted" ? Value::of(true) : Value::failed("an empty list");
  size_t best = 0;
  for (size_t i = 1; i < list.size(); ++i) {
    int order = 0;
    const size_t other = function == "isSorted" ? i - 1 : best;
    if (!compare(Value::borrowed(list[i]), Value::borrowed(list[other]), order))
      return no_overload();
    if (function == "isSorted" && order < 0) return Value::of(false);
    if (order == (function == "min" ? -1 : 1)) best = i;
  }
  return function == "isSorted" ? Value::of(true) : Value::borrowed(list[best], arguments[0].json);
}

// --- functions of texts ---

Value index_function(std::string_view function, const std::string& text, const std::string& what) {
  const size_t at = function == "indexOf" ? text.find(what) : text.rfind(what);
  return Value::of(at == text.npos ? int64_t{-1} : length_of(std::string_view(text).substr(0, at)));
}

Value text_function(std::string_view function, const std::vector<Value>& arguments) {
  const std::string& text = *arguments[0].text();
  if (function == "lowerAscii") return Value::of(map_ascii(text, 'A', 'Z', 32));
  if (function == "upperAscii") return Value::of(map_ascii(text, 'a', 'z', -32));
  if (function == "trim") return Value::of(trim(text));
  if (function == "substring" || function == "charAt") {
    if (!arguments[1].is_whole()) return no_overload();
    const auto from = arguments[1].json->get<int64_t>();
    if (function == "charAt") {
      return from == length_of(text) ? Value::of("") : substring(text, from, from + 1);
    }
    if (arguments.size() == 2) return substring(text, from, length_of(text));
    if (!arguments[2].is_whole()) return no_overload();
    return substring(text, from, arguments[2].json->get<int64_t>());
  }
  if (arguments.size() < 2 || arguments[1].text() == nullptr) return no_overload();
  const std::string& other = *arguments[1].text();
  if (function == "startsWith") return Value::of(text.starts_with(other));
  if (function == "endsWith") return Value::of(text.ends_with(other));
  if (function == "contains") return Value::of(text.find(other) != text.npos);
  if (function == "indexOf" || function == "lastIndexOf")
    return index_function(function, text, other);
  if (function == "split") {
    if (arguments.size() > 2 && !arguments[2].is_whole()) return no_overload();
    return split_text(text, other, arguments.size() > 2 ? arguments[2].json->get<int64_t>() : -1);
  }
  if (function == "replace") {
    if (arguments[2].text() == nullptr) return no_overload();
    return replace_text(text, other, *arguments[2].text());
  }
  if (function == "matches" || function == "find" || function == "findAll") {
    return with_pattern(function, text, other);
  }
  return no_overload();
}

}  // namespace

bool compare(const Value& left, const Value& right, int& order) {
  if (left.type != right.type) return false;
  if (!left.is_json()) {
    order = left.ns < right.ns ? -1 : left.ns > right.ns ? 1 : 0;
    return true;
  }
  const bool comparable = (left.is_number() && right.is_number()) ||
                          (left.text() != nullptr && right.text() != nullptr) ||
                          (left.is_bool() && right.is_bool());
  if (comparable) order = *left.json < *right.json ? -1 : *right.json < *left.json ? 1 : 0;
  return comparable;
}

Value binary(std::string_view op, const Value& left, const Value& right) {
  if (op == "==") return Value::of(equal(left, right));
  if (op == "!=") return Value::of(!equal(left, right));
  if (op == "in") return contains(left, right);
  if (op.front() == '<' || op.front() == '>') {
    int order = 0;
    if (!compare(left, right, order)) return no_overload();
    const bool or_equal = op.size() == 2 && order == 0;
    return Value::of(or_equal || order == (op.front() == '<' ? -1 : 1));
  }
  if (!left.is_json() || !right.is_json()) {
    return op == "+" || op == "-" ? add_times(op.front(), left, right) : no_overload();
  }
  if (op == "+" && left.text() != nullptr && right.text() != nullptr) {
    if (left.text()->size() + right.text()->size() > 1 << 20) {
      return Value::failed("a text of more than 1 MiB");
    }
    return Value::of(*left.text() + *right.text());
  }
  if (op == "+" && left.is_list() && right.is_list()) {
    Json both = *left.json;
    both.insert(both.end(), right.json->begin(), right.json->end());
    return Value::of(std::move(both));
  }
  return arithmetic(op.front(), left, right);
}

Value call(std::string_view function, const std::vector<Value>& arguments) {
  if (function == "size") return size_of(arguments[0]);
  for (std::string_view name :
       {"int", "double", "string", "bool", "dyn", "duration", "timestamp"}) {
    if (function == name) return convert(function, arguments[0]);
  }
  if (arguments[0].text() != nullptr) return text_function(function, arguments);
  if (arguments[0].is_list()) return list_function(function, arguments);
  return no_overload();
}

}  // namespace windlass::server::schema::cel

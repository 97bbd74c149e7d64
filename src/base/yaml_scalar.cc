#include "base/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "base/utf8.h"

namespace windlass {
namespace {

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), text) != names.end();
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<bool> read_bool(std::string_view text) {
  if (is_one_of(text, {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})) {
    return true;
  }
  if (is_one_of(text,
                {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})) {
    return false;
  }
  return std::nullopt;
}

bool is_null(std::string_view text) { return is_one_of(text, {"", "~", "null", "Null", "NULL"}); }

bool is_not_finite(std::string_view text) {
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  return is_one_of(text, {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"});
}

// Go's ParseInt with base 0: 0x, 0o, 0b and a leading 0 (octal) choose the base.
std::optional<YamlScalar> read_int(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char mark = static_cast<char>(text[1] | 0x20);
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    text.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
  }
  uint64_t magnitude = 0;
  const char* end = text.data() + text.size();
  const auto [at, code] = std::from_chars(text.data(), end, magnitude, base);
  if (text.empty() || code != std::errc() || at != end) return std::nullopt;
  constexpr uint64_t kMax = static_cast<uint64_t>(INT64_MAX);
  if (!negative) {
    if (magnitude > kMax) return YamlScalar(magnitude);
    return YamlScalar(static_cast<int64_t>(magnitude));
  }
  if (magnitude > kMax + 1) return std::nullopt;
  return YamlScalar(static_cast<int64_t>(uint64_t{0} - magnitude));
}

// [-+]? ( .digits | digits [.digits*] ) ( [eE] [-+]? digits )?
bool looks_like_float(std::string_view text) {
  size_t at = 0;
  const auto digits = [&] {
    const size_t from = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at - from;
  };
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  const size_t whole = digits();
  size_t fraction = 0;
  if (at < text.size() && text[at] == '.') {
    ++at;
    fraction = digits();
  }
  if (whole + fraction == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

// Whole floats become ints, as they do on Kubernetes' way through Go's JSON.
std::optional<YamlScalar> read_float(std::string_view text) {
  if (!looks_like_float(text)) return std::nullopt;
  const auto value = parse_double(text);
  if (!value.ok()) return std::nullopt;  // beyond a double: go-yaml leaves it a string
  if (std::trunc(*value) == *value && std::abs(*value) < 9e18) {
    return YamlScalar(static_cast<int64_t>(*value));
  }
  return YamlScalar(*value);
}

std::optional<YamlScalar> read_number(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text[0] == '.') return read_float(text);
  if (!is_digit(text[0]) && text[0] != '-' && text[0] != '+') return std::nullopt;
  std::string plain(text);
  std::erase(plain, '_');
  if (auto whole = read_int(plain)) return whole;
  return read_float(plain);
}

Result<YamlScalar> resolve_plain(std::string_view text) {
  if (is_null(text)) return YamlScalar(nullptr);
  if (const auto truth = read_bool(text)) return YamlScalar(*truth);
  if (is_not_finite(text)) {
    return Error(fmt::format("{} has no JSON form; put it in quotes if text is meant", text));
  }
  if (auto number = read_number(text)) return *std::move(number);
  return YamlScalar(std::string(text));
}

}  // namespace

Result<YamlScalar> resolve_yaml_scalar(std::string_view text, std::string_view tag) {
  if (tag == "?" || tag.empty()) return resolve_plain(text);
  if (!tag.starts_with(kTagPrefix)) return YamlScalar(std::string(text));
  const std::string_view type = tag.substr(kTagPrefix.size());
  if (type == "str" || type == "timestamp") return YamlScalar(std::string(text));
  if (type == "null") return YamlScalar(nullptr);
  const auto refused = [&] {
    return Error(fmt::format("\"{}\" is no !!{}", printable(text, 64), printable(type, 32)));
  };
  const auto plain = resolve_plain(text);
  if (!plain.ok()) return plain;
  const bool number = std::holds_alternative<int64_t>(*plain) ||
                      std::holds_alternative<uint64_t>(*plain) ||
                      std::holds_alternative<double>(*plain);
  if (type == "bool" && std::holds_alternative<bool>(*plain)) return plain;
  if (type == "int" && number && !std::holds_alternative<double>(*plain)) return plain;
  if (type == "float" && number) return plain;
  return refused();
}

}  // namespace windlass

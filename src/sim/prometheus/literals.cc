// What the literals of PromQL mean: numbers, durations, strings (declared in lexer.h).
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/utf8.h"
#include "sim/prometheus/lexer.h"

namespace windlass::sim::prometheus {
namespace {

constexpr uint32_t kLastCodePoint = 0x10ffff;

bool is_surrogate(uint32_t code) { return code >= 0xd800 && code <= 0xdfff; }

void append_utf8(std::string& out, uint32_t code) {
  const auto tail = [&](int shift) {
    out.push_back(static_cast<char>(0x80 | ((code >> shift) & 0x3f)));
  };
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xc0 | (code >> 6)));
    tail(0);
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | (code >> 12)));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xf0 | (code >> 18)));
    tail(12);
    tail(6);
    tail(0);
  }
}

// An integer by its prefix: 0x hexadecimal, a leading 0 octal, else decimal.
std::optional<double> integer_value(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text[0] == '0') {
    base = 8;
  }
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, code] = std::from_chars(text.data(), end, value, base);
  if (code != std::errc() || at != end) return std::nullopt;
  return static_cast<double>(value);
}

// One simple escape letter to its character, or 0.
char simple_escape(char c, char quote) {
  switch (c) {
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    case '\\':
      return '\\';
    default:
      return c == quote ? c : '\0';  // only the quote in use may be escaped
  }
}

// The escapes that spell a number: \ooo and \xhh are bytes, \uhhhh and \Uhhhhhhhh code points.
// `text` begins behind the backslash; gives how much of it was used, 0 if it is no such escape.
size_t numeric_escape(std::string_view text, std::string& out) {
  const bool octal = text[0] >= '0' && text[0] <= '7';
  const size_t prefix = octal ? 0 : 1;
  const size_t digits = octal            ? 3
                        : text[0] == 'x' ? 2
                        : text[0] == 'u' ? 4
                        : text[0] == 'U' ? 8
                                         : 0;
  if (digits == 0 || text.size() < prefix + digits) return 0;
  uint32_t code = 0;
  const char* begin = text.data() + prefix;
  const auto [at, error] = std::from_chars(begin, begin + digits, code, octal ? 8 : 16);
  if (error != std::errc() || at != begin + digits) return 0;
  if (digits <= 3) {
    if (code > 0xff) return 0;
    out.push_back(static_cast<char>(code));
  } else {
    if (code > kLastCodePoint || is_surrogate(code)) return 0;
    append_utf8(out, code);
  }
  return prefix + digits;
}

}  // namespace

std::optional<double> number_value(std::string_view text) {
  if (const auto integer = integer_value(text)) return integer;
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [at, code] = std::from_chars(text.data(), end, value);
  if (code != std::errc() || at != end) return std::nullopt;
  return value;
}

std::optional<int64_t> duration_ms(std::string_view text) {
  struct Unit {
    std::string_view name;
    int64_t ms;
  };
  static constexpr std::array<Unit, 7> kUnits = {{{"y", 365LL * 86'400'000},
                                                  {"w", 7LL * 86'400'000},
                                                  {"d", 86'400'000},
                                                  {"h", 3'600'000},
                                                  {"m", 60'000},
                                                  {"s", 1'000},
                                                  {"ms", 1}}};
  constexpr int64_t kLongest = std::numeric_limits<int64_t>::max() / 1'000'000;  // as nanoseconds
  int64_t total = 0;
  size_t next_unit = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    int64_t count = 0;
    const char* end = text.data() + text.size();
    const auto [at, code] = std::from_chars(text.data(), end, count);
    if (code != std::errc() || count < 0) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(at - text.data()));
    const std::string_view name = text.substr(0, text.find_first_of("0123456789"));
    while (next_unit < kUnits.size() && kUnits[next_unit].name != name) ++next_unit;
    if (next_unit == kUnits.size()) return std::nullopt;
    const int64_t unit = kUnits[next_unit++].ms;
    if (count > (kLongest - total) / unit) return std::nullopt;
    total += count * unit;
    text.remove_prefix(name.size());
  }
  return total;
}

std::optional<std::string> string_value(std::string_view text) {
  const char quote = text.front();
  std::string_view body = text.substr(1, text.size() - 2);
  if (quote == '`') return std::string(body);
  std::string out;
  while (!body.empty()) {
    if (body[0] != '\\') {
      out.push_back(body[0]);
      body.remove_prefix(1);
      continue;
    }
    body.remove_prefix(1);
    if (body.empty()) return std::nullopt;
    if (const char c = simple_escape(body[0], quote); c != '\0') {
      out.push_back(c);
      body.remove_prefix(1);
    } else if (const size_t used = numeric_escape(body, out); used > 0) {
      body.remove_prefix(used);
    } else {
      return std::nullopt;
    }
  }
  // Label values are UTF-8, so anything else could match nothing and would spoil later output.
  if (invalid_utf8_at(out) != std::string::npos) return std::nullopt;
  return out;
}

}  // namespace windlass::sim::prometheus

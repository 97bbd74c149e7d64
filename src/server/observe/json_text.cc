#include "server/observe/json_text.h"

#include <charconv>
#include <cmath>

#include "base/utf8.h"

namespace windlass::server::observe {
namespace {

bool plain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f &&
         c != '"' && c != '\\';
}

void append_escape(std::string& out, char c) {
  static constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
    case '\\':
      out.push_back('\\');
      out.push_back(c);
      break;
    case '\n':
      out += "\\n";
      break;
    case '\t':
      out += "\\t";
      break;
    case '\r':
      out += "\\r";
      break;
    default:
      out += "\\u00";
      out.push_back(kHex[(c >> 4) & 0xf]);
      out.push_back(kHex[c & 0xf]);
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  size_t at = 0;
  while (at < text.size() && plain(text[at])) ++at;
  out += text.substr(0, at);
  if (at < text.size()) {
    text.remove_prefix(at);
    while (!text.empty()) {
      const size_t good = std::min(invalid_utf8_at(text), text.size());
      for (const char c : text.substr(0, good)) {
        if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\' || c == 0x7f) {
          append_escape(out, c);
        } else {
          out.push_back(c);
        }
      }
      text.remove_prefix(good);
      if (text.empty()) break;
      out.push_back('?');
      text.remove_prefix(1);
    }
  }
  out.push_back('"');
}

JsonText& JsonText::text(std::string_view value) {
  comma();
  append_json_string(out_, value);
  return *this;
}

JsonText& JsonText::text_or_null(std::string_view value) {
  return value.empty() ? null() : text(value);
}

JsonText& JsonText::number(double value) {
  if (!std::isfinite(value)) return null();
  comma();
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  out_.append(buffer, end.ptr);
  return *this;
}

JsonText& JsonText::integer(int64_t value) {
  comma();
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  out_.append(buffer, end.ptr);
  return *this;
}

JsonText& JsonText::boolean(bool value) { return raw(value ? "true" : "false"); }

JsonText& JsonText::time(std::optional<Instant> value) {
  if (!value) return null();
  comma();
  out_.push_back('"');
  out_ += to_rfc3339(*value);
  out_.push_back('"');
  return *this;
}

double rounded(double value, int decimals) {
  static constexpr double kPowers[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6};
  const double power = kPowers[decimals];
  return std::round(value * power) / power;
}

}  // namespace windlass::server::observe

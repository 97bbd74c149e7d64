#include "server/observe/text_format.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace windlass::server::observe {
namespace {

// A finite number as its shortest decimal digits d1d2d3..., read as 0.d1d2d3... * 10^point.
struct Decimal {
  bool negative = false;
  std::string digits;
  int point = 0;
};

Decimal decimal_of(double value) {
  Decimal out;
  out.negative = std::signbit(value);
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, std::fabs(value),
                                 std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<size_t>(end.ptr - buffer));
  const size_t e = text.find('e');
  for (const char c : text.substr(0, e)) {
    if (c != '.') out.digits.push_back(c);
  }
  int exponent = 0;
  const std::string_view written = text.substr(text[e + 1] == '+' ? e + 2 : e + 1);
  std::from_chars(written.data(), written.data() + written.size(), exponent);
  out.point = exponent + 1;
  while (out.digits.size() > 1 && out.digits.back() == '0') out.digits.pop_back();
  return out;
}

std::string special(double value) {
  if (std::isnan(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}

std::string plain(const Decimal& d) {
  std::string out = d.negative ? "-" : "";
  const int count = static_cast<int>(d.digits.size());
  if (d.digits == "0") return out + "0";
  if (d.point <= 0) {
    return out + "0." + std::string(static_cast<size_t>(-d.point), '0') + d.digits;
  }
  if (d.point >= count) {
    return out + d.digits + std::string(static_cast<size_t>(d.point - count), '0');
  }
  const auto whole = static_cast<size_t>(d.point);
  return out + d.digits.substr(0, whole) + "." + d.digits.substr(whole);
}

std::string scientific(const Decimal& d) {
  const int exponent = d.digits == "0" ? 0 : d.point - 1;
  std::string out = d.negative ? "-" : "";
  out += d.digits.substr(0, 1);
  if (d.digits.size() > 1) out += "." + d.digits.substr(1);
  return out + fmt::format("e{}{:02}", exponent < 0 ? '-' : '+', std::abs(exponent));
}

void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out.push_back(c);
    }
  }
}

}  // namespace

std::string format_fixed(double value) {
  return std::isfinite(value) ? plain(decimal_of(value)) : special(value);
}

std::string format_json(double value) {
  if (!std::isfinite(value)) return special(value);
  const double size = std::fabs(value);
  const bool exponent = size != 0 && (size < 1e-6 || size >= 1e21);
  return exponent ? scientific(decimal_of(value)) : plain(decimal_of(value));
}

std::string format_text(double value) {
  // Most are small counts.
  if (value >= 0 && value < 1e6 && value == std::floor(value) && !std::signbit(value)) {
    return std::to_string(static_cast<int>(value));
  }
  if (!std::isfinite(value)) return special(value);
  const Decimal d = decimal_of(value);
  const int exponent = d.digits == "0" ? 0 : d.point - 1;
  // strconv's 'g' decides about the shortest form as if it had 6 digits.
  return exponent < -4 || exponent >= 6 ? scientific(d) : plain(d);
}

TextFormat negotiate(std::string_view accept) {
  const bool open = accept.find("application/openmetrics-text") != std::string_view::npos;
  return open ? TextFormat::kOpenMetrics : TextFormat::kPrometheus;
}

std::string_view content_type(TextFormat format) {
  return format == TextFormat::kOpenMetrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

void TextWriter::family(std::string_view name, std::string_view type, std::string_view help) {
  const bool open = format_ == TextFormat::kOpenMetrics;
  if (open && type == "counter" && name.ends_with("_total")) name.remove_suffix(6);
  if (open && type == "untyped") type = "unknown";
  if (!help.empty()) {
    text_ += fmt::format("# HELP {} ", name);
    append_escaped(text_, help, open);
    text_.push_back('\n');
  }
  text_ += fmt::format("# TYPE {} {}\n", name, type);
}

void TextWriter::sample(std::string_view name, const LabelViews& labels, double value) {
  text_ += name;
  if (!labels.empty()) {
    text_.push_back('{');
    bool first = true;
    for (const auto& [label, label_value] : labels) {
      if (!first) text_.push_back(',');
      first = false;
      text_ += label;
      text_ += "=\"";
      append_escaped(text_, label_value, true);
      text_.push_back('"');
    }
    text_.push_back('}');
  }
  text_.push_back(' ');
  text_ += format_text(value);
  text_.push_back('\n');
}

std::string TextWriter::finish() {
  if (format_ == TextFormat::kOpenMetrics) text_ += "# EOF\n";
  return std::move(text_);
}

}  // namespace windlass::server::observe

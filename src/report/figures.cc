#include "report/figures.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/time.h"

namespace windlass::report {
namespace {

const std::string kNone = "-";

// Inserts separators into the whole part of a printed number, which may carry a sign.
std::string with_thousands(std::string number) {
  const size_t first = number.find_first_of("0123456789");
  size_t end = number.find('.');
  if (end == std::string::npos) end = number.size();
  for (size_t at = end; at > first + 3; at -= 3) number.insert(at - 3, ",");
  return number;
}

// The decimals needed so that multiples of `step` print exactly, at most three.
int decimals_of(double step) {
  int decimals = 0;
  while (decimals < 3 && std::abs(step - std::round(step)) > 1e-6 * std::abs(step)) {
    step *= 10;
    ++decimals;
  }
  return decimals;
}

// 1500 as "1.5k": axis labels have room for five characters on a phone.
std::string short_number(double value, double step) {
  const double size = std::max(std::abs(value), std::abs(step));
  if (size >= 1e6) return decimal(value / 1e6, decimals_of(step / 1e6)) + "M";
  if (size >= 1e4) return decimal(value / 1e3, decimals_of(step / 1e3)) + "k";
  return decimal(value, decimals_of(step));
}

std::string time_label(double value, double step) {
  const auto total = static_cast<int64_t>(std::llround(value));
  if (step < 60) {
    return fmt::format("{}:{:02}:{:02}", total / 3600, total / 60 % 60, total % 60);
  }
  return fmt::format("{}:{:02}", total / 3600, total / 60 % 60);
}

// How many bytes the UTF-8 sequence at the front of `text` has, 0 if it is malformed.
size_t sequence_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t length = lead < 0x80   ? 1
                        : lead < 0xC2 ? 0
                        : lead < 0xE0 ? 2
                        : lead < 0xF0 ? 3
                        : lead < 0xF5 ? 4
                                      : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) return 0;
  }
  if (length < 3) return length;
  // Overlong forms, surrogates and beyond U+10FFFF: the second byte's range depends on the lead.
  const auto second = static_cast<unsigned char>(text[1]);
  const bool bad = (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
                   (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F);
  return bad ? 0 : length;
}

}  // namespace

std::string count_text(uint64_t value) { return with_thousands(std::to_string(value)); }

std::string decimal(double value, int decimals) {
  if (!std::isfinite(value)) return kNone;
  std::string text = with_thousands(fmt::format("{:.{}f}", value, decimals));
  // "-0.0" reads as a loss that is not there.
  if (text.find_first_of("123456789") == std::string::npos && text[0] == '-') text.erase(0, 1);
  return text;
}

std::string dollars(double usd) {
  if (!std::isfinite(usd)) return kNone;
  const std::string amount = "$" + decimal(std::abs(usd), 2);
  return usd < 0 && amount != "$0.00" ? "-" + amount : amount;
}

std::string percent(double share) {
  if (!std::isfinite(share)) return kNone;
  const double value = share * 100;
  // 99.97 % of a million requests is 300 misses; "100.0 %" would deny them.
  if (value < 100 && value >= 99.95)
    return decimal(std::min(value, 99.999), value < 99.995 ? 2 : 3) + " %";
  return decimal(value, 1) + " %";
}

std::string signed_percent(double percent_value) {
  if (!std::isfinite(percent_value)) return kNone;
  const std::string text = decimal(percent_value, 1);
  return (text[0] == '-' || text == "0.0" ? "" : "+") + text + " %";
}

std::string millis_text(double ms) {
  if (!std::isfinite(ms)) return kNone;
  if (ms < 9.995) return decimal(ms, 2) + " ms";
  if (ms < 99.95) return decimal(ms, 1) + " ms";
  if (ms < 999.5) return decimal(ms, 0) + " ms";
  const double s = ms / 1000;
  return decimal(s, s < 9.995 ? 2 : s < 99.95 ? 1 : 0) + " s";
}

std::string limit_text(double ms) {
  if (!std::isfinite(ms)) return kNone;
  if (ms < 1000) return decimal(ms, decimals_of(ms)) + " ms";
  return decimal(ms / 1000, decimals_of(ms / 1000)) + " s";
}

std::string seconds_text(double s) {
  if (!std::isfinite(s)) return kNone;
  return decimal(s, s < 9.95 ? 1 : 0) + " s";
}

std::string seconds_pair(double low, double high) {
  if (!std::isfinite(low) && !std::isfinite(high)) return kNone;
  if (!std::isfinite(low) || !std::isfinite(high)) {
    return seconds_text(low) + " / " + seconds_text(high);
  }
  return decimal(low, low < 9.95 ? 1 : 0) + " / " + seconds_text(high);
}

std::string length_text(double s) {
  if (!std::isfinite(s)) return kNone;
  // A time that is no simulation's still has to print as something.
  if (std::abs(s) > 9e9) return decimal(s / 3600, 0) + "h";
  return to_string(seconds(std::llround(s)));
}

std::string clock_text(double since_start_s) {
  if (!std::isfinite(since_start_s) || since_start_s < 0 || since_start_s > 9e9) return kNone;
  return time_label(std::floor(since_start_s / 60) * 60, 60);
}

std::string clock_text_seconds(double since_start_s) {
  if (!std::isfinite(since_start_s) || since_start_s < 0 || since_start_s > 9e9) return kNone;
  return time_label(since_start_s, 1);
}

std::string axis_label(Unit unit, double value, double step) {
  if (!std::isfinite(value)) return kNone;
  switch (unit) {
    case Unit::kCount:
    case Unit::kPerSecond:
      return short_number(value, step);
    case Unit::kMillis:
      if (value == 0) return "0";
      // One unit per axis where the ticks are evenly spaced: the step decides with the value.
      if (std::max(value, step) < 1000) return decimal(value, decimals_of(step)) + " ms";
      return decimal(value / 1000, decimals_of(step / 1000)) + " s";
    case Unit::kSeconds:
      return value == 0 ? "0" : short_number(value, step) + " s";
    case Unit::kFraction:
      return decimal(value * 100, decimals_of(step * 100)) + " %";
    case Unit::kUsd:
      return "$" + short_number(value, step);
  }
  return kNone;
}

double change_percent(double value, double baseline) {
  if (!std::isfinite(value) || !(baseline > 0) || !std::isfinite(baseline)) return NAN;
  return (value / baseline - 1) * 100;
}

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t length = sequence_length(text);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
      continue;
    }
    const auto lead = static_cast<unsigned char>(text[0]);
    // U+0080..U+009F are control characters too, and terminals obey them.
    const bool control =
        lead < 0x20 || lead == 0x7F || (lead == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0);
    out += control ? std::string_view(" ") : text.substr(0, length);
    text.remove_prefix(length);
  }
  return out;
}

std::string shortened(std::string_view text, size_t most) {
  if (code_points(text) <= most || most == 0) return std::string(text);
  size_t end = 0;
  for (size_t seen = 0; end < text.size(); ++end) {
    const bool starts = (text[end] & 0xC0) != 0x80;
    if (starts && seen++ == most - 1) break;
  }
  return std::string(text.substr(0, end)) + "\u2026";
}

size_t code_points(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace windlass::report

#include "base/time.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "base/text.h"

namespace windlass {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kDay = 86'400 * kSecond;

int64_t unit_ns(std::string_view unit) {
  if (unit == "ns") return 1;
  if (unit == "us" || unit == "µs") return 1'000;
  if (unit == "ms") return 1'000'000;
  if (unit == "s") return kSecond;
  if (unit == "m") return 60 * kSecond;
  if (unit == "h") return 3600 * kSecond;
  return 0;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The fraction of a second behind a '.', as nanoseconds; digits beyond the ninth are dropped.
int64_t fraction_ns(std::string_view digits) {
  int64_t value = 0;
  for (size_t i = 0; i < 9; ++i) value = value * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  return value;
}

}  // namespace

Duration from_seconds(double s) {
  const double ns = s * 1e9;
  if (!(ns < 9.2e18)) return {std::numeric_limits<int64_t>::max()};
  if (ns < -9.2e18) return {std::numeric_limits<int64_t>::min()};
  return {std::llround(ns)};
}

Result<Duration> parse_duration(std::string_view text) {
  const auto bad = [&] {
    return Error(
        fmt::format("not a duration: \"{}\" (accepted: like 30s, 5m, 1h30m, 250ms)", text));
  };
  std::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  if (rest == "0") return Duration{};
  if (rest.empty()) return bad();
  double total = 0;
  int64_t whole = 0;
  while (!rest.empty()) {
    size_t n = 0;
    while (n < rest.size() && (is_digit(rest[n]) || rest[n] == '.')) ++n;
    const auto number = parse_double(rest.substr(0, n));
    size_t u = n;
    while (u < rest.size() && !is_digit(rest[u]) && rest[u] != '.') ++u;
    const int64_t unit = unit_ns(rest.substr(n, u - n));
    if (!number.ok() || unit == 0) return bad();
    const double add = *number * static_cast<double>(unit);
    total += add;
    if (total > 9.2e18) return bad();
    whole += std::llround(add);
    rest.remove_prefix(u);
  }
  return Duration{negative ? -whole : whole};
}

std::string to_string(Duration d) {
  if (d.ns == 0) return "0s";
  std::string out = d.ns < 0 ? "-" : "";
  // Magnitude as unsigned, so that the smallest int64 is no special case.
  uint64_t ns = d.ns < 0 ? uint64_t{0} - static_cast<uint64_t>(d.ns) : static_cast<uint64_t>(d.ns);
  if (ns < uint64_t{kSecond}) {
    if (ns % 1'000'000 == 0) return out + fmt::format("{}ms", ns / 1'000'000);
    if (ns % 1'000 == 0) return out + fmt::format("{}us", ns / 1'000);
    return out + fmt::format("{}ns", ns);
  }
  const uint64_t h = ns / (3600 * uint64_t{kSecond});
  const uint64_t m = ns / (60 * uint64_t{kSecond}) % 60;
  const uint64_t s = ns / uint64_t{kSecond} % 60;
  const uint64_t fraction = ns % uint64_t{kSecond};
  if (h != 0) out += fmt::format("{}h", h);
  if (m != 0) out += fmt::format("{}m", m);
  if (fraction != 0) {
    std::string digits = fmt::format("{:09}", fraction);
    digits.erase(digits.find_last_not_of('0') + 1);
    out += fmt::format("{}.{}s", s, digits);
  } else if (s != 0) {
    out += fmt::format("{}s", s);
  }
  return out;
}

// Both conversions: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
CivilDate civil_from_days(int64_t days) {
  const int64_t z = days + 719'468;
  const int64_t era = (z >= 0 ? z : z - 146'096) / 146'097;
  const int64_t doe = z - era * 146'097;
  const int64_t yoe = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365;
  const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const int64_t mp = (5 * doy + 2) / 153;
  const int64_t month = mp < 10 ? mp + 3 : mp - 9;
  const int64_t year = yoe + era * 400 + (month <= 2 ? 1 : 0);
  return {static_cast<int>(year), static_cast<int>(month),
          static_cast<int>(doy - (153 * mp + 2) / 5 + 1)};
}

int64_t days_from_civil(CivilDate date) {
  const int64_t y = int64_t{date.year} - (date.month <= 2 ? 1 : 0);
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const int64_t yoe = y - era * 400;
  const int64_t shifted = date.month > 2 ? date.month - 3 : date.month + 9;
  const int64_t doy = (153 * shifted + 2) / 5 + date.day - 1;
  const int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146'097 + doe - 719'468;
}

std::string to_rfc3339(Instant t) {
  int64_t days = t.ns / kDay;
  int64_t rest = t.ns % kDay;
  if (rest < 0) {
    rest += kDay;
    --days;
  }
  const CivilDate date = civil_from_days(days);
  std::string out =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", date.year, date.month, date.day,
                  rest / (3600 * kSecond), rest / (60 * kSecond) % 60, rest / kSecond % 60);
  if (const int64_t fraction = rest % kSecond; fraction != 0) {
    std::string digits = fmt::format("{:09}", fraction);
    digits.erase(digits.find_last_not_of('0') + 1);
    out += "." + digits;
  }
  return out + "Z";
}

Result<Instant> parse_rfc3339(std::string_view text) {
  const auto bad = [&] {
    return Error(
        fmt::format("not a time: \"{}\" (accepted: RFC 3339 like 2026-03-01T00:00:00Z)", text));
  };
  // YYYY-MM-DD?hh:mm:ss, where ? is T, t or a space.
  static constexpr std::string_view kShape = "dddd-dd-dd?dd:dd:dd";
  if (text.size() < kShape.size()) return bad();
  for (size_t i = 0; i < kShape.size(); ++i) {
    const char want = kShape[i];
    const char got = text[i];
    const bool fits = want == 'd'   ? is_digit(got)
                      : want == '?' ? (got == 'T' || got == 't' || got == ' ')
                                    : got == want;
    if (!fits) return bad();
  }
  const auto number = [&](size_t at, size_t n) {
    int value = 0;
    for (size_t i = at; i < at + n; ++i) value = value * 10 + (text[i] - '0');
    return value;
  };
  const CivilDate date{number(0, 4), number(5, 2), number(8, 2)};
  const int h = number(11, 2);
  const int m = number(14, 2);
  const int s = number(17, 2);
  if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > 31) return bad();
  if (h > 23 || m > 59 || s > 60) return bad();
  const CivilDate back = civil_from_days(days_from_civil(date));
  if (back.month != date.month) return bad();
  // Nanoseconds since the epoch fit int64 from 1678 to 2261 only.
  if (date.year < 1678 || date.year > 2261) return bad();
  size_t at = kShape.size();
  int64_t fraction = 0;
  if (at < text.size() && text[at] == '.') {
    size_t end = at + 1;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end == at + 1) return bad();
    fraction = fraction_ns(text.substr(at + 1, end - at - 1));
    at = end;
  }
  int64_t offset = 0;
  const std::string_view zone = text.substr(at);
  if (!zone.empty() && zone != "Z" && zone != "z") {
    if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return bad();
    for (const size_t i : {1, 2, 4, 5}) {
      if (!is_digit(zone[i])) return bad();
    }
    offset = (number(at + 1, 2) * 3600 + number(at + 4, 2) * 60) * (zone[0] == '-' ? -1 : 1);
  }
  const int64_t second = days_from_civil(date) * 86'400 + h * 3600 + m * 60 + s - offset;
  return Instant{second * kSecond + fraction};
}

}  // namespace windlass

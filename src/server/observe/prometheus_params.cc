#include "server/observe/prometheus_params.h"

#include <array>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "base/utf8.h"

namespace windlass::server::observe {
namespace {

// Instants are int64 nanoseconds: 292 years on both sides of 1970.
constexpr double kSecondsMax = 9.2e9;

// Whole milliseconds: Prometheus keeps no more.
int64_t milli_ns(double seconds) { return std::llround(seconds * 1000) * 1'000'000; }

struct Unit {
  std::string_view name;
  double seconds;
};
// In the order in which a duration may hold them.
constexpr std::array<Unit, 7> kUnits{{{"y", 365 * 86400.0},
                                      {"w", 7 * 86400.0},
                                      {"d", 86400.0},
                                      {"h", 3600.0},
                                      {"m", 60.0},
                                      {"s", 1.0},
                                      {"ms", 0.001}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Result<Instant> parse_api_time(std::string_view text) {
  if (const auto seconds = parse_double(text); seconds.ok()) {
    if (std::fabs(*seconds) <= kSecondsMax) return Instant{milli_ns(*seconds)};
  } else if (const auto time = parse_rfc3339(text); time.ok()) {
    return *time;
  }
  return Error(fmt::format("cannot parse \"{}\" to a valid timestamp", printable(text, 64)));
}

Result<Duration> parse_api_duration(std::string_view text) {
  const Error bad(fmt::format("cannot parse \"{}\" to a valid duration", printable(text, 64)));
  if (const auto seconds = parse_double(text); seconds.ok()) {
    if (std::fabs(*seconds) > kSecondsMax) return bad;
    return Duration{milli_ns(*seconds)};
  }
  double total = 0;
  size_t next_unit = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    size_t digits = 0;
    while (digits < rest.size() && is_digit(rest[digits])) ++digits;
    size_t letters = digits;
    while (letters < rest.size() && !is_digit(rest[letters])) ++letters;
    const auto amount = parse_double(rest.substr(0, digits));
    const std::string_view name = rest.substr(digits, letters - digits);
    size_t unit = next_unit;
    while (unit < kUnits.size() && kUnits[unit].name != name) ++unit;
    if (digits == 0 || !amount.ok() || unit == kUnits.size()) return bad;
    total += *amount * kUnits[unit].seconds;
    next_unit = unit + 1;
    rest.remove_prefix(letters);
  }
  if (text.empty() || total > kSecondsMax) return bad;
  return Duration{milli_ns(total)};
}

}  // namespace windlass::server::observe

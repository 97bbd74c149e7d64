// Time as values: Duration and Instant, both int64 nanoseconds. Nothing here reads a clock; only
// the worlds' edge does. An Instant counts from the Unix epoch, UTC.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace windlass {

struct Duration {
  int64_t ns = 0;

  [[nodiscard]] constexpr double seconds() const { return static_cast<double>(ns) * 1e-9; }
  [[nodiscard]] constexpr double millis() const { return static_cast<double>(ns) * 1e-6; }
  [[nodiscard]] constexpr double hours() const { return static_cast<double>(ns) / 3.6e12; }
  constexpr auto operator<=>(const Duration&) const = default;
  constexpr Duration operator+(Duration o) const { return {ns + o.ns}; }
  constexpr Duration operator-(Duration o) const { return {ns - o.ns}; }
  constexpr Duration operator*(int64_t n) const { return {ns * n}; }
  constexpr Duration operator/(int64_t n) const { return {ns / n}; }
  constexpr Duration& operator+=(Duration o) {
    ns += o.ns;
    return *this;
  }
};

constexpr Duration nanoseconds(int64_t n) { return {n}; }
constexpr Duration milliseconds(int64_t n) { return {n * 1'000'000}; }
constexpr Duration seconds(int64_t n) { return {n * 1'000'000'000}; }
constexpr Duration minutes(int64_t n) { return seconds(n * 60); }
constexpr Duration hours(int64_t n) { return seconds(n * 3600); }
// Rounds to the nearest nanosecond; saturates beyond +-292 years.
Duration from_seconds(double s);

struct Instant {
  int64_t ns = 0;

  constexpr auto operator<=>(const Instant&) const = default;
  constexpr Instant operator+(Duration d) const { return {ns + d.ns}; }
  constexpr Instant operator-(Duration d) const { return {ns - d.ns}; }
  constexpr Duration operator-(Instant o) const { return {ns - o.ns}; }
  [[nodiscard]] constexpr double seconds() const { return static_cast<double>(ns) * 1e-9; }
};

constexpr Instant kNever{INT64_MAX};

// Go's duration strings as Kubernetes and Karpenter write them: "90s", "1h30m", "2.5s", "300ms".
Result<Duration> parse_duration(std::string_view text);
// The shortest such string: "1h30m0s" is "1h30m".
std::string to_string(Duration d);

// RFC 3339, UTC: "2026-03-01T00:00:00Z", fractions of a second kept where there are any.
std::string to_rfc3339(Instant t);
Result<Instant> parse_rfc3339(std::string_view text);

// The civil date of a day number counted from 1970-01-01, and back (proleptic Gregorian).
struct CivilDate {
  int year;
  int month;  // 1..12
  int day;    // 1..31
};
CivilDate civil_from_days(int64_t days);
int64_t days_from_civil(CivilDate date);

}  // namespace windlass

// CronSchedule::next: a search over civil time within each stretch of constant UTC offset. So a
// time that a clock change skips does not occur that day, and one that it repeats occurs twice, as
// with robfig/cron.
#include <algorithm>
#include <bit>
#include <chrono>
#include <exception>
#include <limits>

#include <date/tz.h>
#include <fmt/format.h>

#include "scaling/cron.h"

namespace windlass::scaling {
namespace {

constexpr int64_t kDay = 86'400;
constexpr int64_t kSecondNs = 1'000'000'000;
// What an Instant can hold, in seconds, with a day to spare at each end.
constexpr int64_t kLastSecond = std::numeric_limits<int64_t>::max() / kSecondNs - kDay;
constexpr int64_t kFirstSecond = -kLastSecond;

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

// The lowest member of the set that is >= from, or -1.
int lowest_from(uint64_t set, int from) {
  const uint64_t rest = from > 63 ? 0 : set >> from;
  return rest == 0 ? -1 : from + std::countr_zero(rest);
}

struct Sets {
  uint64_t minutes, hours, days, months, weekdays;
  // Both day fields restricted: either may match. Otherwise both must, and the * always does.
  bool either_day;

  [[nodiscard]] bool matches_day(int64_t day) const {
    const CivilDate date = civil_from_days(day);
    if ((months >> date.month & 1) == 0) return false;
    const bool by_day = (days >> date.day & 1) != 0;
    // 1970-01-01 was a Thursday.
    const int64_t weekday = ((day + 4) % 7 + 7) % 7;
    const bool by_weekday = (weekdays >> weekday & 1) != 0;
    return either_day ? by_day || by_weekday : by_day && by_weekday;
  }

  // The first matching second of that day at or after `from` seconds into it, or -1.
  [[nodiscard]] int64_t second_of_day(int64_t from) const {
    const int64_t minute_of_day = (from + 59) / 60;
    if (minute_of_day >= 1440) return -1;
    const int hour = static_cast<int>(minute_of_day / 60);
    if ((hours >> hour & 1) != 0) {
      const int minute = lowest_from(minutes, static_cast<int>(minute_of_day % 60));
      if (minute >= 0) return hour * 3600 + minute * 60;
    }
    const int later = lowest_from(hours, hour + 1);
    return later < 0 ? -1 : later * 3600 + std::countr_zero(minutes) * 60;
  }

  // The first matching civil second in [from, end), counted from 1970-01-01T00:00 local; or end.
  [[nodiscard]] int64_t first_in(int64_t from, int64_t end) const {
    int64_t day = floor_div(from, kDay);
    int64_t into = from - day * kDay;
    for (; day * kDay < end; ++day, into = 0) {
      if (!matches_day(day)) continue;
      const int64_t second = second_of_day(into);
      if (second >= 0) return std::min(day * kDay + second, end);
    }
    return end;
  }
};

// The civil year's first second, local.
int64_t year_start(int64_t year) { return days_from_civil({static_cast<int>(year), 1, 1}) * kDay; }

struct Stretch {
  int64_t begin;   // UTC seconds
  int64_t end;     // exclusive
  int64_t offset;  // local - UTC
};

// nullptr stands for UTC, which needs no tables.
Stretch stretch_at(const date::time_zone* zone, int64_t utc) {
  if (zone == nullptr) return {kFirstSecond, kLastSecond, 0};
  const auto info = zone->get_info(date::sys_seconds(std::chrono::seconds(utc)));
  const int64_t begin = info.begin.time_since_epoch().count();
  const int64_t end = info.end.time_since_epoch().count();
  return {std::max(begin, kFirstSecond), std::min(end, kLastSecond), info.offset.count()};
}

std::optional<Instant> search(const Sets& sets, const date::time_zone* zone, int64_t from) {
  int64_t at = from;
  // robfig/cron gives up behind the fifth calendar year after the one it starts in.
  const int64_t local = at + stretch_at(zone, at).offset;
  const int64_t last_year = civil_from_days(floor_div(local, kDay)).year + 5;
  const int64_t local_end = year_start(last_year + 1);
  while (at < kLastSecond) {
    const Stretch stretch = stretch_at(zone, at);
    const int64_t end = std::min(stretch.end + stretch.offset, local_end);
    const int64_t found = sets.first_in(at + stretch.offset, end);
    if (found < end) return Instant{(found - stretch.offset) * kSecondNs};
    if (end == local_end) return std::nullopt;
    // A table that ends is followed by nothing; without this the loop could stand still.
    if (stretch.end <= at) return std::nullopt;
    at = stretch.end;
  }
  return std::nullopt;
}

}  // namespace

Result<std::optional<Instant>> CronSchedule::next(Instant after, std::string_view zone) const {
  const Sets sets{minutes_, hours_, days_, months_, weekdays_, !any_day_ && !any_weekday_};
  const int64_t from = floor_div(after.ns, kSecondNs) + 1;
  const bool utc = zone.empty() || zone == "UTC";
  try {
    const date::time_zone* table = utc ? nullptr : date::locate_zone(zone);
    if (from >= kLastSecond) return std::optional<Instant>{};
    return search(sets, table, std::max(from, kFirstSecond));
  } catch (const std::exception&) {
    // The library throws for an unknown name and for missing or broken tables alike.
    return Error(
        fmt::format("unknown time zone: \"{}\" (accepted: names of the IANA database, like "
                    "UTC or Asia/Kolkata)",
                    zone.substr(0, 80)));
  }
}

}  // namespace windlass::scaling

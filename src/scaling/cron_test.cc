#include "scaling/cron.h"

#include <set>

#include <date/tz.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace windlass::scaling {
namespace {

Instant at(std::string_view text) {
  const auto instant = parse_rfc3339(text);
  EXPECT_TRUE(instant.ok()) << text;
  return instant.ok() ? *instant : Instant{};
}

std::string next_text(std::string_view schedule, std::string_view after, std::string_view zone) {
  const auto parsed = CronSchedule::parse(schedule);
  if (!parsed.ok()) return parsed.error().message();
  const auto next = parsed->next(at(after), zone);
  if (!next.ok()) return next.error().message();
  return next->has_value() ? to_rfc3339(**next) : "never";
}

TEST(Cron, NextInUtc) {
  const struct {
    const char *schedule, *after, *expected;
  } table[] = {
      {"* * * * *", "2026-03-01T00:00:00Z", "2026-03-01T00:01:00Z"},
      {"* * * * *", "2026-03-01T00:00:59.999999999Z", "2026-03-01T00:01:00Z"},
      {"0 0 * * *", "2026-02-28T23:59:59Z", "2026-03-01T00:00:00Z"},
      {"*/15 9-17 * * MON-FRI", "2026-03-06T17:45:00Z", "2026-03-09T09:00:00Z"},
      {"5/20 * * * *", "2026-03-01T00:25:00Z", "2026-03-01T00:45:00Z"},
      {"0 6,18 * * ?", "2026-03-01T06:00:00Z", "2026-03-01T18:00:00Z"},
      {"0 0 1 jan *", "2026-03-01T00:00:00Z", "2027-01-01T00:00:00Z"},
      // Both day fields restricted: either matches. 2026-03-13 is a Friday.
      {"0 0 13 * fri", "2026-03-07T00:00:00Z", "2026-03-13T00:00:00Z"},
      {"0 0 13 * fri", "2026-03-01T00:00:00Z", "2026-03-06T00:00:00Z"},
      // "*/2" is a restriction, so it is ORed; a bare star is not.
      {"0 0 */2 * mon", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"},
      {"0 0 * * mon", "2026-03-03T00:00:00Z", "2026-03-09T00:00:00Z"},
      {"0 0 29 2 *", "2026-03-01T00:00:00Z", "2028-02-29T00:00:00Z"},
      {"0 0 29 2 *", "2096-03-01T00:00:00Z", "never"},  // 2100 has none, 2104 is too far
      {"0 0 31 2 *", "2026-03-01T00:00:00Z", "never"},
      {"@hourly", "2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z"},
      {"@daily", "2026-03-01T10:00:00Z", "2026-03-02T00:00:00Z"},
      {"@midnight", "2026-03-01T10:00:00Z", "2026-03-02T00:00:00Z"},
      {"@weekly", "2026-03-02T00:00:00Z", "2026-03-08T00:00:00Z"},
      {"@monthly", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"},
      {"@yearly", "2026-03-01T00:00:00Z", "2027-01-01T00:00:00Z"},
      {" @annually ", "2026-03-01T00:00:00Z", "2027-01-01T00:00:00Z"},
      {"0 0 1 1 *", "1969-06-01T00:00:00Z", "1970-01-01T00:00:00Z"},
  };
  for (const auto& c : table) {
    EXPECT_EQ(next_text(c.schedule, c.after, "UTC"), c.expected) << c.schedule << " " << c.after;
  }
}

TEST(Cron, NextAcrossClockChanges) {
  const struct {
    const char *schedule, *zone, *after, *expected;
  } table[] = {
      // New York skips 02:00-03:00 on 2026-03-08: what falls into it does not happen that day.
      {"30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", "2026-03-09T06:30:00Z"},
      {"0 3 * * *", "America/New_York", "2026-03-07T12:00:00Z", "2026-03-08T07:00:00Z"},
      {"0 * * * *", "America/New_York", "2026-03-08T06:00:00Z", "2026-03-08T07:00:00Z"},
      // It repeats 01:00-02:00 on 2026-11-01: what falls into it happens twice.
      {"30 1 * * *", "America/New_York", "2026-11-01T04:00:00Z", "2026-11-01T05:30:00Z"},
      {"30 1 * * *", "America/New_York", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"},
      {"30 1 * * *", "America/New_York", "2026-11-01T06:30:00Z", "2026-11-02T06:30:00Z"},
      {"0 9 * * *", "Asia/Kolkata", "2026-03-01T00:00:00Z", "2026-03-01T03:30:00Z"},
      // Half an hour of summer time; midnight that does not exist (Havana, 2026-03-08).
      {"0 2 * * *", "Australia/Lord_Howe", "2026-04-04T10:00:00Z", "2026-04-04T15:30:00Z"},
      {"0 0 * * *", "America/Havana", "2026-03-07T12:00:00Z", "2026-03-09T04:00:00Z"},
      {"0 0 * * *", "", "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"},
  };
  for (const auto& c : table) {
    EXPECT_EQ(next_text(c.schedule, c.after, c.zone), c.expected) << c.schedule << " " << c.after;
  }
}

TEST(Cron, Errors) {
  const struct {
    const char *schedule, *fragment;
  } table[] = {
      {"", "0 fields"},
      {"* * * *", "4 fields"},
      {"* * * * * *", "6 fields"},
      {"60 * * * *", "minute: \"60\" is not 0 to 59"},
      {"* 24 * * *", "hour"},
      {"* * 0 * *", "day of month"},
      {"* * * 13 *", "month"},
      {"* * * foo *", "or a name"},
      {"* * * * 7", "day of week"},
      {"5-2 * * * *", "backwards"},
      {"*/0 * * * *", "step"},
      {"*/-1 * * * *", "step"},
      {"1/2/3 * * * *", "slashes"},
      {"1-2-3 * * * *", "hyphens"},
      {", * * * *", "no value"},
      {"-1 * * * *", "minute"},
      {"@every 5m", "@hourly"},
      {"@reboot", "@hourly"},
      {"TZ=UTC * * * * *", "6 fields"},
  };
  for (const auto& c : table) {
    const auto parsed = CronSchedule::parse(c.schedule);
    ASSERT_FALSE(parsed.ok()) << c.schedule;
    EXPECT_NE(parsed.error().message().find(c.fragment), std::string::npos)
        << parsed.error().message();
  }
  EXPECT_NE(
      next_text("* * * * *", "2026-03-01T00:00:00Z", "Mars/Olympus").find("unknown time zone"),
      std::string::npos);
}

TEST(Cron, TheEndsOfTime) {
  const auto schedule = CronSchedule::parse("0 0 1 1 *");
  ASSERT_TRUE(schedule.ok());
  for (const std::string_view zone : {"UTC", "America/New_York"}) {
    const auto last = schedule->next(kNever, zone);
    ASSERT_TRUE(last.ok());
    EXPECT_FALSE(last->has_value());
    const auto first = schedule->next(Instant{INT64_MIN}, zone);
    ASSERT_TRUE(first.ok());
    EXPECT_TRUE(first->has_value());
  }
}

// ---- against a slow, obvious checker --------------------------------------------------------

struct Field {
  std::string text;
  std::set<int> values;
  bool star = false;
};

// A field as text, and the numbers it means, made side by side.
Field any_field(int min, int max) {
  Field field;
  const int kind = *rc::gen::inRange(0, 4);
  if (kind == 0) {
    field.star = true;
    field.text = *rc::gen::element("*", "?");
    for (int v = min; v <= max; ++v) field.values.insert(v);
    return field;
  }
  const int items = *rc::gen::inRange(1, 4);
  for (int i = 0; i < items; ++i) {
    const int from = *rc::gen::inRange(min, max + 1);
    const int to = *rc::gen::inRange(from, max + 1);
    const int step = *rc::gen::inRange(1, 12);
    std::string item;
    if (kind == 1) {
      item = fmt::format("{}", from);
      field.values.insert(from);
    } else if (kind == 2) {
      item = fmt::format("{}-{}/{}", from, to, step);
      for (int v = from; v <= to; v += step) field.values.insert(v);
    } else {
      item = fmt::format("{}/{}", from, step);
      for (int v = from; v <= max; v += step) field.values.insert(v);
    }
    field.text += (i == 0 ? "" : ",") + item;
  }
  return field;
}

struct Schedule {
  Field minute, hour, day, month, weekday;
  [[nodiscard]] std::string text() const {
    return fmt::format("{} {} {} {} {}", minute.text, hour.text, day.text, month.text,
                       weekday.text);
  }
  [[nodiscard]] bool matches(date::local_seconds local) const {
    const auto days = date::floor<date::days>(local);
    const date::year_month_day ymd{days};
    const date::hh_mm_ss time{local - days};
    const bool d = day.values.contains(static_cast<int>(static_cast<unsigned>(ymd.day())));
    const bool w = weekday.values.contains(static_cast<int>(date::weekday{days}.c_encoding()));
    const bool days_match = day.star || weekday.star ? d && w : d || w;
    return time.seconds().count() == 0 && days_match &&
           month.values.contains(static_cast<int>(static_cast<unsigned>(ymd.month()))) &&
           hour.values.contains(static_cast<int>(time.hours().count())) &&
           minute.values.contains(static_cast<int>(time.minutes().count()));
  }
};

Schedule any_schedule() {
  Schedule s;
  s.minute = any_field(0, 59);
  s.hour = any_field(0, 23);
  s.day = any_field(1, 31);
  s.month = any_field(1, 12);
  s.weekday = any_field(0, 6);
  return s;
}

constexpr int kMinutesChecked = 60 * 24 * 40;

void check(const Schedule& s, Instant after, std::string_view zone) {
  const auto parsed = CronSchedule::parse(s.text());
  RC_ASSERT(parsed.ok());
  const auto next = parsed->next(after, zone);
  RC_ASSERT(next.ok());
  const date::time_zone* table = date::locate_zone(zone);
  int64_t minute = after.ns / 60'000'000'000 + 1;
  for (int i = 0; i < kMinutesChecked; ++i, ++minute) {
    const date::sys_seconds now{std::chrono::seconds(minute * 60)};
    if (!s.matches(table->to_local(now))) continue;
    RC_ASSERT(next->has_value());
    RC_ASSERT((**next).ns == minute * 60'000'000'000);
    return;
  }
  if (next->has_value()) RC_ASSERT((**next).ns >= minute * 60'000'000'000);
}

RC_GTEST_PROP(CronLaws, AgreesWithTryingEveryMinuteInUtc, ()) {
  const Schedule s = any_schedule();
  check(s, Instant{*rc::gen::inRange<int64_t>(0, 4'000'000'000) * 1'000'000'000}, "UTC");
}

RC_GTEST_PROP(CronLaws, AgreesWithTryingEveryMinuteAroundClockChanges, ()) {
  Schedule s = any_schedule();
  // Dense days, so that the hours of the change are hit.
  s.day = s.month = s.weekday = Field{"*", {}, true};
  for (int v = 0; v <= 31; ++v) {
    s.day.values.insert(v);
    s.month.values.insert(v);
    s.weekday.values.insert(v);
  }
  const std::string zone =
      *rc::gen::element<std::string>("America/New_York", "Europe/Berlin", "Australia/Lord_Howe",
                                     "America/Havana", "Africa/Casablanca", "Asia/Kathmandu");
  const Instant change = *rc::gen::element(at("2026-03-08T05:00:00Z"), at("2026-11-01T04:00:00Z"),
                                           at("2026-03-29T00:00:00Z"), at("2026-10-25T00:00:00Z"),
                                           at("2026-04-04T14:00:00Z"), at("2026-10-03T14:00:00Z"));
  check(s, change + seconds(*rc::gen::inRange(-3600 * 6, 3600 * 12)), zone);
}

}  // namespace
}  // namespace windlass::scaling

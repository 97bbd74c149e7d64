#include "base/time.h"

#include <limits>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace windlass {
namespace {

TEST(Duration, ReadsGoDurations) {
  struct Case {
    const char* text;
    int64_t ns;
  };
  for (const Case& c : std::vector<Case>{{"0", 0},
                                         {"0s", 0},
                                         {"30s", 30'000'000'000},
                                         {"5m", 300'000'000'000},
                                         {"1h30m", 5'400'000'000'000},
                                         {"1h0m0s", 3'600'000'000'000},
                                         {"2.5s", 2'500'000'000},
                                         {".5s", 500'000'000},
                                         {"250ms", 250'000'000},
                                         {"10us", 10'000},
                                         {"10\xC2\xB5s", 10'000},
                                         {"7ns", 7},
                                         {"-1m", -60'000'000'000},
                                         {"+1m", 60'000'000'000},
                                         {"720h", 2'592'000'000'000'000}}) {
    const auto parsed = parse_duration(c.text);
    ASSERT_TRUE(parsed.ok()) << c.text;
    EXPECT_EQ(parsed->ns, c.ns) << c.text;
  }
}

TEST(Duration, RefusesTheRest) {
  for (const char* text : {"", "5", "s", "-", "1x", "1 s", " 1s", "1s ", "1h-1m", "1..5s", "1e3s",
                           "Never", "5M", "1d", "9999999999h", "0x1s", ".s", "nans", "infs"}) {
    EXPECT_FALSE(parse_duration(text).ok()) << text;
  }
}

TEST(Duration, PrintsTheShortestForm) {
  EXPECT_EQ(to_string(Duration{}), "0s");
  EXPECT_EQ(to_string(hours(1) + minutes(30)), "1h30m");
  EXPECT_EQ(to_string(hours(720)), "720h");
  EXPECT_EQ(to_string(seconds(90)), "1m30s");
  EXPECT_EQ(to_string(milliseconds(1500)), "1.5s");
  EXPECT_EQ(to_string(milliseconds(250)), "250ms");
  EXPECT_EQ(to_string(nanoseconds(1)), "1ns");
  EXPECT_EQ(to_string(seconds(-61)), "-1m1s");
}

RC_GTEST_PROP(DurationProperty, WhatIsPrintedReadsBack, (int32_t n)) {
  // Any whole microsecond up to half an hour survives; beyond, doubles in the sum still hold.
  const Duration d{int64_t{n} * 1000};
  const auto back = parse_duration(to_string(d));
  RC_ASSERT(back.ok());
  RC_ASSERT(back->ns == d.ns);
}

TEST(Duration, FromSecondsRoundsAndSaturates) {
  EXPECT_EQ(from_seconds(1.5).ns, 1'500'000'000);
  EXPECT_EQ(from_seconds(-0.25).ns, -250'000'000);
  EXPECT_EQ(from_seconds(1e30).ns, std::numeric_limits<int64_t>::max());
  EXPECT_EQ(from_seconds(-1e30).ns, std::numeric_limits<int64_t>::min());
  EXPECT_EQ(from_seconds(std::numeric_limits<double>::quiet_NaN()).ns,
            std::numeric_limits<int64_t>::max());
}

TEST(Instant, ReadsRfc3339) {
  struct Case {
    const char* text;
    int64_t ns;
  };
  for (const Case& c : std::vector<Case>{{"1970-01-01T00:00:00Z", 0},
                                         {"2026-03-01T00:00:00Z", 1'772'323'200'000'000'000},
                                         {"2026-03-01t00:00:00z", 1'772'323'200'000'000'000},
                                         {"2026-03-01 00:00:00Z", 1'772'323'200'000'000'000},
                                         {"2026-03-01T01:00:00+01:00", 1'772'323'200'000'000'000},
                                         {"2026-02-28T19:00:00-05:00", 1'772'323'200'000'000'000},
                                         {"1970-01-01T00:00:00.5Z", 500'000'000},
                                         {"1970-01-01T00:00:00.000000001Z", 1},
                                         {"1969-12-31T23:59:59Z", -1'000'000'000},
                                         {"2024-02-29T00:00:00Z", 1'709'164'800'000'000'000}}) {
    const auto parsed = parse_rfc3339(c.text);
    ASSERT_TRUE(parsed.ok()) << c.text;
    EXPECT_EQ(parsed->ns, c.ns) << c.text;
  }
}

TEST(Instant, RefusesTheRest) {
  for (const char* text :
       {"", "2026-03-01", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T00:60:00Z",
        "2026-03-01T00:00:00.Z", "2026-03-01T00:00:00+1:00", "2026-03-01T00:00:00Zx",
        "26-03-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(text).ok()) << text;
  }
}

TEST(Instant, PrintsRfc3339) {
  EXPECT_EQ(to_rfc3339(Instant{}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(to_rfc3339(Instant{-1}), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(to_rfc3339(Instant{1'772'323'200'500'000'000}), "2026-03-01T00:00:00.5Z");
}

RC_GTEST_PROP(InstantProperty, WhatIsPrintedReadsBack, (int64_t ns)) {
  // The years 1678 to 2261 are what both the text form and int64 hold.
  const Instant t{ns / 100 * 98};
  const auto back = parse_rfc3339(to_rfc3339(t));
  RC_ASSERT(back.ok());
  RC_ASSERT(back->ns == t.ns);
}

// Day by day against counting up with the calendar's own rules.
TEST(Instant, CivilDatesCountUp) {
  int year = 1900;
  int month = 1;
  int day = 1;
  for (int64_t days = days_from_civil({1900, 1, 1}); year < 2101; ++days) {
    const CivilDate date = civil_from_days(days);
    ASSERT_EQ(date.year, year);
    ASSERT_EQ(date.month, month);
    ASSERT_EQ(date.day, day);
    ASSERT_EQ(days_from_civil(date), days);
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    const int lengths[] = {31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (++day > lengths[month - 1]) {
      day = 1;
      if (++month > 12) {
        month = 1;
        ++year;
      }
    }
  }
}

}  // namespace
}  // namespace windlass

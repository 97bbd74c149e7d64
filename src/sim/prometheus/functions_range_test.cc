#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sim/prometheus/test_series.h"

namespace windlass::sim::prometheus {
namespace {

struct Case {
  const char* values;  // from 0 s on, one each 15 s
  const char* query;
  int64_t at_s;
  const char* expected;
};

void check(std::initializer_list<Case> cases) {
  for (const Case& c : cases) {
    Store store;
    load(store, {{"__name__", "c"}, {"pod", "a"}}, c.values);
    const std::string expected =
        *c.expected == '\0' ? "" : std::string("{pod=\"a\"} ") + c.expected;
    EXPECT_EQ(answer(store, c.query, seconds(c.at_s)), expected) << c.query << " of " << c.values;
  }
}

TEST(Rate, ExtrapolatesToTheEndsOfTheWindow) {
  check({
      // Samples at both ends of the window: nothing to extrapolate.
      {"0 10 20 30 40", "increase(c[1m])", 60, "40"},
      {"0 10 20 30 40", "rate(c[1m])", 60, "0.6666666667"},
      // 5 s short of the end, which is near: 45 s grown by 30 stand for 50 s, as the counter began
      // at zero.
      {"0 10 20 30", "increase(c[1m])", 50, "33.33333333"},
      // A counter does not go back beyond zero: 1 of 31 units in 45 s is 1.5 s before the start.
      {"_ 1 11 21 31", "increase(c[1m])", 60, "31"},
      // From 100 there is no zero near: half a distance of 15 s at each far end.
      {"_ _ 100 110 120 _ _ _ _", "increase(c[2m])", 120, "30"},
      {"_ _ 100 110 120 _ _ _ _", "delta(c[2m])", 120, "30"},
      {"_ _ 100 110 120", "rate(c[1m])", 60, "0.4166666667"},
      // One sample has no rate, and a flat counter has the rate 0.
      {"5", "rate(c[1m])", 10, ""},
      {"5 5 5", "rate(c[30s])", 30, "0"},
      {"5 5 5", "rate(c[5m])", 400, ""},
  });
}

TEST(Rate, AddsWhatAResetTookAway) {
  check({
      {"0 10 20 5 15", "increase(c[1m])", 60, "35"},
      {"100 0 100 0 100", "increase(c[1m])", 60, "200"},
      {"0 10 20 5 15", "delta(c[1m])", 60, "15"},  // a gauge has no resets
      {"10 8 6 4 2", "delta(c[1m])", 60, "-8"},
      {"0 10 20 5 15", "irate(c[1m])", 60, "0.6666666667"},
      {"0 10 20 5", "irate(c[1m])", 45, "0.3333333333"},  // 5 since the reset
      {"0 10 _ _ 70", "irate(c[1m])", 60, "1.333333333"},
      {"0 10", "irate(c[10s])", 15, ""},
  });
}

TEST(OverTime, FoldsTheWindow) {
  check({
      {"1 2 3 4 10", "avg_over_time(c[1m])", 60, "4"},
      {"1 2 3 4 10", "min_over_time(c[1m])", 60, "1"},
      {"1 2 3 4 10", "max_over_time(c[1m])", 60, "10"},
      {"1 2 3 4 10", "sum_over_time(c[1m])", 60, "20"},
      {"1 2 3 4 10", "count_over_time(c[1m])", 60, "5"},
      {"1 2 3 4 10", "stdvar_over_time(c[1m])", 60, "10"},
      {"1 2 3 4 10", "stddev_over_time(c[1m])", 60, "3.16227766"},
      {"1 2 3 4 10", "present_over_time(c[1m])", 60, "1"},
      {"1 2 3 4 10", "quantile_over_time(0.5, c[1m])", 60, "3"},
      {"1 2 3 4 10", "quantile_over_time(0.9, c[1m])", 60, "7.6"},
      {"1 2 3 4 10", "quantile_over_time(2, c[1m])", 60, "inf"},
      {"1 2 3 4 10", "quantile_over_time(-1, c[1m])", 60, "-inf"},
      {"NaN 2 NaN", "max_over_time(c[1m])", 60, "2"},
      {"NaN 2 NaN", "min_over_time(c[1m])", 60, "2"},
      {"NaN 2", "sum_over_time(c[1m])", 60, "nan"},
      {"Inf 2 Inf", "avg_over_time(c[1m])", 60, "inf"},
      {"Inf 2 -Inf", "avg_over_time(c[1m])", 60, "nan"},
      {"1e300 1 -1e300", "sum_over_time(c[1m])", 60, "1"},  // the sum is compensated
  });
}

TEST(OverTime, LastKeepsTheName) {
  Store store;
  load(store, {{"__name__", "c"}}, "1 2 3");
  EXPECT_EQ(answer(store, "last_over_time(c[1h])", seconds(3000)), "c{} 3");
}

TEST(RangeFunctions, TwoNamesMayNotFallTogether) {
  Store store;
  load(store, {{"__name__", "a"}, {"pod", "x"}}, "1 2");
  load(store, {{"__name__", "b"}, {"pod", "x"}}, "1 2");
  EXPECT_EQ(
      answer(store, R"(rate({__name__=~"a|b"}[1m]))", seconds(15)),
      "error: the result cannot contain series with the same labels: {pod=\"x\"} stands there "
      "twice");
  EXPECT_EQ(answer(store, R"(last_over_time({__name__=~"a|b"}[1m]))", seconds(15)),
            R"(a{pod="x"} 2; b{pod="x"} 2)");
}

// A counter scraped evenly and growing evenly has exactly that rate, wherever it is asked inside
// its life and however often it is reset.
RC_GTEST_PROP(RateLaw, OfASteadyCounterIsItsSlope, ()) {
  const auto per_scrape = *rc::gen::inRange(1, 1000);
  const auto reset_every = *rc::gen::inRange(2, 40);
  const auto asked_s = *rc::gen::inRange(900, 1500);
  Store store;
  const SeriesId id = store.series({{"__name__", "c"}});
  // After a reset the counter restarts at one step, as if nothing had been lost.
  for (int i = 0; i <= 100; ++i) {
    const double value = (i % reset_every + 1) * per_scrape;
    store.append(id, kTestStart + seconds(15 * i), value);
  }
  const auto query = parse_promql("rate(c[5m])");
  RC_ASSERT(query.ok());
  const auto value = evaluate(*query, store, kTestStart + seconds(asked_s));
  RC_ASSERT(value.ok());
  const auto& vector = std::get<InstantVector>(*value);
  RC_ASSERT(vector.size() == 1U);
  // Within the distance of two scrapes in 300 s, less where zero is near.
  RC_ASSERT(std::fabs(vector[0].value / (per_scrape / 15.0) - 1) < 0.07);
}

}  // namespace
}  // namespace windlass::sim::prometheus

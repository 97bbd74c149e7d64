#include "sim/prometheus/range.h"

#include <gtest/gtest.h>

#include "sim/prometheus/test_series.h"

namespace windlass::sim::prometheus {
namespace {

// `name{labels} t=value t=value`, times in seconds since kTestStart.
std::string lines_of(const Matrix& matrix) {
  std::vector<std::string> lines;
  for (const MatrixSeries& series : matrix) {
    std::string line = to_string(series.labels);
    for (const Sample& point : series.points) {
      const double t = static_cast<double>(point.t_ms - kTestStart.ns / 1'000'000) / 1000;
      line += fmt::format(" {}={}", t, printed(point.value));
    }
    lines.push_back(std::move(line));
  }
  return join(lines, "; ");
}

std::string range(const Store& store, std::string_view query, int start_s, int end_s, int step_s) {
  const auto parsed = parse_promql(query);
  if (!parsed.ok()) return "parse: " + parsed.error().message();
  RangeOptions options;
  options.start = kTestStart + seconds(start_s);
  options.end = kTestStart + seconds(end_s);
  options.step = seconds(step_s);
  const auto matrix = evaluate_range(*parsed, store, options);
  return matrix.ok() ? lines_of(*matrix) : "error: " + matrix.error().message();
}

Store filled() {
  Store store;
  load(store, {{"__name__", "up"}, {"pod", "a"}}, "1 2 3 stale");
  load(store, {{"__name__", "up"}, {"pod", "b"}}, "_ _ 7 8 9");
  load(store, {{"__name__", "sent_total"}, {"pod", "a"}}, "0 15 30 45 60");
  return store;
}

TEST(RangeQuery, GivesEachSeriesThePointsItHas) {
  const Store store = filled();
  EXPECT_EQ(range(store, "up", 0, 60, 15),
            "up{pod=\"a\"} 0=1 15=2 30=3; "
            "up{pod=\"b\"} 30=7 45=8 60=9");
  // Between scrapes the last sample stands; the end is a point only if a step falls on it.
  EXPECT_EQ(range(store, "up{pod='a'}", 10, 45, 10), "up{pod=\"a\"} 10=1 20=2 30=3 40=3");
  EXPECT_EQ(range(store, "sum(up)", 15, 60, 15), "{} 15=2 30=10 45=8 60=9");
  EXPECT_EQ(range(store, "rate(sent_total[30s])", 30, 60, 30), "{pod=\"a\"} 30=1 60=1");
  EXPECT_EQ(range(store, "up > 2", 15, 45, 15), "up{pod=\"a\"} 30=3; up{pod=\"b\"} 30=7 45=8");
}

TEST(RangeQuery, AScalarIsASeriesWithoutLabels) {
  const Store store = filled();
  EXPECT_EQ(range(store, "1 + 1", 0, 30, 15), "{} 0=2 15=2 30=2");
  EXPECT_EQ(range(store, "time() - time()", 7, 7, 1), "{} 7=0");
}

TEST(RangeQuery, WhatFailsAtOneStepFails) {
  const Store store = filled();
  EXPECT_EQ(range(store, "sum(up) / on() up", 0, 15, 15), "{} 0=1 15=1");
  EXPECT_TRUE(range(store, "sum(up) / on() up", 0, 30, 15).starts_with("error: found duplicate"));
}

TEST(RangeQuery, GivesUpWhenAskedToAndWhenThereIsTooMuch) {
  const Store store = filled();
  RangeOptions options{kTestStart, kTestStart + seconds(60), seconds(1), 50'000'000, {}};
  options.enough = [] { return true; };
  const auto query = parse_promql("up");
  ASSERT_TRUE(query.ok());
  auto late = evaluate_range(*query, store, options);
  ASSERT_FALSE(late.ok());
  EXPECT_TRUE(late.error().message().starts_with("query timed out"));
  options.enough = {};
  options.points_max = 20;
  EXPECT_FALSE(evaluate_range(*query, store, options).ok());
  options.points_max = 200;
  EXPECT_TRUE(evaluate_range(*query, store, options).ok());
}

// The property that defines it: each step is the instant query of that moment.
TEST(RangeQuery, EqualsInstantQueriesOneByOne) {
  Store store;
  load(store, {{"__name__", "g"}, {"pod", "a"}}, "5 1 NaN 4 _ _ 9 stale _ 3 2 1 Inf 4 0");
  load(store, {{"__name__", "g"}, {"pod", "b"}}, "_ _ _ 2 2 3 5 8 13 stale");
  load(store, {{"__name__", "c"}, {"pod", "a"}, {"le", "1"}}, "0 3 5 1 2 8 9 9 12 15 16 20 3 4 5");
  load(store, {{"__name__", "c"}, {"pod", "b"}, {"le", "+Inf"}}, "0 3 6 9 12 15 18 21 24 27 30");
  for (const std::string query :
       {"g", "-g", "g offset 30s", "rate(c[1m])", "irate(c[45s])", "sum by (le) (c)",
        "g * on(pod) c", "g or c", "g and on(pod) c", "absent(g)", "max_over_time(g[40s])",
        "count(g) > 1", "time()", "histogram_quantile(0.5, c)", "g unless c > 8", "scalar(g)",
        "quantile(0.5, g)", "{pod=~\"a|b\", __name__=~\"g|c\"}", "vector(scalar(g{pod='b'}))"}) {
    const auto parsed = parse_promql(query);
    ASSERT_TRUE(parsed.ok()) << query << ": " << parsed.error().message();
    RangeOptions options{kTestStart, kTestStart + seconds(600), seconds(7), 50'000'000, {}};
    const auto matrix = evaluate_range(*parsed, store, options);
    ASSERT_TRUE(matrix.ok()) << query << ": " << matrix.error().message();
    std::map<Labels, std::vector<std::pair<int64_t, std::string>>> expected;
    for (Instant t = options.start; t <= options.end; t = t + options.step) {
      const auto value = evaluate(*parsed, store, t);
      ASSERT_TRUE(value.ok());
      const int64_t t_ms = t.ns / 1'000'000;
      if (const double* scalar = std::get_if<double>(&*value)) {
        expected[{}].emplace_back(t_ms, printed(*scalar));
      } else {
        for (const VectorElement& e : std::get<InstantVector>(*value)) {
          expected[e.labels].emplace_back(t_ms, printed(e.value));
        }
      }
    }
    std::map<Labels, std::vector<std::pair<int64_t, std::string>>> got;
    for (const MatrixSeries& series : *matrix) {
      for (const Sample& p : series.points)
        got[series.labels].emplace_back(p.t_ms, printed(p.value));
    }
    EXPECT_EQ(got, expected) << query;
  }
}

TEST(RangeQuery, ARangeSelectorAloneGivesItsSamples) {
  const Store store = filled();
  EXPECT_FALSE(parse_promql("up[30s]").ok());
  const auto query = parse_promql("up[30s]", Results::kRangeToo);
  ASSERT_TRUE(query.ok());
  ASSERT_TRUE(is_range(*query));
  const auto samples = evaluate_samples(*query, store, kTestStart + seconds(45));
  ASSERT_TRUE(samples.ok());
  EXPECT_EQ(lines_of(*samples), "up{pod=\"a\"} 15=2 30=3; up{pod=\"b\"} 30=7 45=8");
}

TEST(RangeQuery, StringsAreToldFromAllElse) {
  EXPECT_EQ(parse_string_query("\"a\\n\""), "a\n");
  EXPECT_EQ(parse_string_query(" 'x' "), "x");
  for (const char* other : {"", "up", "'a' 'b'", "up{a='b'}", "'open"}) {
    EXPECT_FALSE(parse_string_query(other)) << other;
  }
}

TEST(SelectSeries, TakesWhatMatchesAndHasSamplesInTime) {
  const Store store = filled();
  const auto named = [&](std::string_view text, int from_s, int to_s) {
    const auto query = parse_promql(text);
    if (!query.ok()) return "parse: " + query.error().message();
    const auto found =
        select_series(*query, store, kTestStart + seconds(from_s), kTestStart + seconds(to_s));
    if (!found.ok()) return "error: " + found.error().message();
    std::vector<std::string> names;
    for (const Series* series : *found) names.push_back(to_string(series->labels));
    return join(names, "; ");
  };
  EXPECT_EQ(named("up", 0, 60), "up{pod=\"a\"}; up{pod=\"b\"}");
  EXPECT_EQ(named("up", 0, 20), "up{pod=\"a\"}");
  EXPECT_EQ(named("up", 50, 90), "up{pod=\"b\"}");
  EXPECT_EQ(named("{pod='a'}", 0, 60), "up{pod=\"a\"}; sent_total{pod=\"a\"}");
  EXPECT_TRUE(named("sum(up)", 0, 60).starts_with("error: not a series selector"));
}

}  // namespace
}  // namespace windlass::sim::prometheus

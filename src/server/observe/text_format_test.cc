#include "server/observe/text_format.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "server/observe/registry.h"

namespace windlass::server::observe {
namespace {

TEST(TextFormat, NumbersAreWrittenAsPrometheusWritesThem) {
  struct Case {
    double value;
    const char *fixed, *json, *text;
  };
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<Case> cases{
      {0, "0", "0", "0"},
      {-0.0, "-0", "-0", "-0"},
      {1, "1", "1", "1"},
      {-2.5, "-2.5", "-2.5", "-2.5"},
      {0.1, "0.1", "0.1", "0.1"},
      {1.0 / 3, "0.3333333333333333", "0.3333333333333333", "0.3333333333333333"},
      {100, "100", "100", "100"},
      {123456, "123456", "123456", "123456"},
      {1234567, "1234567", "1234567", "1.234567e+06"},
      {1e6, "1000000", "1000000", "1e+06"},
      {1772409600.5, "1772409600.5", "1772409600.5", "1.7724096005e+09"},
      {0.0001, "0.0001", "0.0001", "0.0001"},
      {0.00001, "0.00001", "0.00001", "1e-05"},
      {1e-6, "0.000001", "0.000001", "1e-06"},
      {1e-7, "0.0000001", "1e-07", "1e-07"},
      {1e20, "100000000000000000000", "100000000000000000000", "1e+20"},
      {1e21, "1000000000000000000000", "1e+21", "1e+21"},
      {1.5e300, nullptr, "1.5e+300", "1.5e+300"},
      {5e-324, nullptr, "5e-324", "5e-324"},
      {std::nan(""), "NaN", "NaN", "NaN"},
      {inf, "+Inf", "+Inf", "+Inf"},
      {-inf, "-Inf", "-Inf", "-Inf"}};
  for (const Case& one : cases) {
    if (one.fixed != nullptr) EXPECT_EQ(format_fixed(one.value), one.fixed);
    EXPECT_EQ(format_json(one.value), one.json);
    EXPECT_EQ(format_text(one.value), one.text);
  }
  EXPECT_EQ(format_fixed(1.5e300), "15" + std::string(299, '0'));
}

TEST(TextFormat, LabelsAndHelpAreEscaped) {
  TextWriter writer(TextFormat::kPrometheus);
  writer.family("up", "gauge", "A \\ and\na \"line\"");
  writer.sample("up", {{"a", "x\"y\\z\n"}, {"b", ""}}, 1);
  writer.sample("up", {}, 0.5);
  EXPECT_EQ(writer.finish(),
            "# HELP up A \\\\ and\\na \"line\"\n"
            "# TYPE up gauge\n"
            "up{a=\"x\\\"y\\\\z\\n\",b=\"\"} 1\n"
            "up 0.5\n");
}

TEST(TextFormat, OpenMetricsNamesCountersWithoutTotalAndEnds) {
  TextWriter writer(TextFormat::kOpenMetrics);
  writer.family("sent_total", "counter", "Sent \"things\".");
  writer.sample("sent_total", {}, 3);
  writer.family("odd", "untyped", "");
  EXPECT_EQ(writer.finish(),
            "# HELP sent Sent \\\"things\\\".\n"
            "# TYPE sent counter\n"
            "sent_total 3\n"
            "# TYPE odd unknown\n"
            "# EOF\n");
}

TEST(TextFormat, OpenMetricsIsGivenToWhoNamesIt) {
  EXPECT_EQ(negotiate(""), TextFormat::kPrometheus);
  EXPECT_EQ(negotiate("*/*"), TextFormat::kPrometheus);
  EXPECT_EQ(negotiate("text/plain;version=0.0.4"), TextFormat::kPrometheus);
  EXPECT_EQ(negotiate("application/openmetrics-text;version=1.0.0,text/plain;q=0.5"),
            TextFormat::kOpenMetrics);
}

TEST(Registry, WritesFamiliesByNameAndSeriesByLabels) {
  Registry registry;
  Family& requests = registry.counter("b_requests_total", "Requests.", {"verb", "code"});
  requests.with({"list", "200"}).add();
  requests.with({"get", "404"}).add(2);
  requests.with({"list", "200"}).add();
  registry.gauge("a_size", "Size.").get().set(7.5);
  registry.gauge("c_never", "Not set.");
  EXPECT_EQ(registry.text(TextFormat::kPrometheus),
            "# HELP a_size Size.\n# TYPE a_size gauge\na_size 7.5\n"
            "# HELP b_requests_total Requests.\n# TYPE b_requests_total counter\n"
            "b_requests_total{verb=\"get\",code=\"404\"} 2\n"
            "b_requests_total{verb=\"list\",code=\"200\"} 2\n");
}

// A value on a bound counts in its bucket; buckets hold all below them.
TEST(Registry, HistogramsAreCumulative) {
  Registry registry;
  Family& times = registry.histogram("t_seconds", "Time.", {0.1, 1}, {"verb"});
  for (const double value : {0.05, 0.1, 0.5, 3.0}) times.with({"get"}).observe(value);
  EXPECT_EQ(registry.text(TextFormat::kPrometheus),
            "# HELP t_seconds Time.\n# TYPE t_seconds histogram\n"
            "t_seconds_bucket{verb=\"get\",le=\"0.1\"} 2\n"
            "t_seconds_bucket{verb=\"get\",le=\"1\"} 3\n"
            "t_seconds_bucket{verb=\"get\",le=\"+Inf\"} 4\n"
            "t_seconds_sum{verb=\"get\"} 3.65\n"
            "t_seconds_count{verb=\"get\"} 4\n");
}

}  // namespace
}  // namespace windlass::server::observe

// Selecting samples: matchers, look-back, offsets, windows, staleness. What the numbers should be
// was worked out by hand; promql_peer asks the real Prometheus much more.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sim/prometheus/test_series.h"

namespace windlass::sim::prometheus {

namespace {

struct Case {
  const char* query;
  int64_t at_s;
  const char* expected;
};

void check(const Store& store, std::initializer_list<Case> cases) {
  for (const Case& c : cases) {
    EXPECT_EQ(answer(store, c.query, seconds(c.at_s)), c.expected) << c.query << " at " << c.at_s;
  }
}

TEST(Evaluate, Matchers) {
  Store store;
  load(store, {{"__name__", "up"}, {"pod", "a"}, {"zone", "z1"}}, "1");
  load(store, {{"__name__", "up"}, {"pod", "ab"}}, "2");
  load(store, {{"__name__", "vllm:num_requests_waiting"}, {"pod", "a"}}, "3");
  check(store, {{"up", 0, R"(up{pod="a", zone="z1"} 1; up{pod="ab"} 2)"},
                {R"(up{pod="a"})", 0, R"(up{pod="a", zone="z1"} 1)"},
                {R"(up{pod!="a"})", 0, R"(up{pod="ab"} 2)"},
                {R"(up{pod=~"a"})", 0, R"(up{pod="a", zone="z1"} 1)"},  // anchored at both ends
                {R"(up{pod=~"a.*"})", 0, R"(up{pod="a", zone="z1"} 1; up{pod="ab"} 2)"},
                {R"(up{pod=~"x|ab"})", 0, R"(up{pod="ab"} 2)"},
                {R"(up{pod!~"a.+"})", 0, R"(up{pod="a", zone="z1"} 1)"},
                {R"(up{zone=""})", 0, R"(up{pod="ab"} 2)"},  // absent counts as empty
                {R"(up{zone!=""})", 0, R"(up{pod="a", zone="z1"} 1)"},
                {R"(up{zone=~".*",})", 0, R"(up{pod="a", zone="z1"} 1; up{pod="ab"} 2)"},
                {"vllm:num_requests_waiting", 0, R"(vllm:num_requests_waiting{pod="a"} 3)"},
                {R"({__name__="up", pod="ab"})", 0, R"(up{pod="ab"} 2)"},
                {R"({__name__=~"vllm:.*"})", 0, R"(vllm:num_requests_waiting{pod="a"} 3)"},
                {R"({pod="ab"})", 0, R"(up{pod="ab"} 2)"},
                {"nothing", 0, ""}});
}

TEST(Evaluate, LookBackIsFiveMinutesAndClosed) {
  Store store;
  load(store, {{"__name__", "g"}}, "_ 7");  // one sample at 15 s
  check(store, {{"g", 14, ""},
                {"g", 15, "g{} 7"},
                {"g", 315, "g{} 7"},
                {"g offset 1ms", 315, "g{} 7"},
                {"g offset -1ms", 315, ""},
                {"g", 316, ""},
                {"g offset 5m", 316, "g{} 7"},
                {"g offset 1m30s", 105, "g{} 7"},
                {"g offset 1m30s", 104, ""},
                {"g offset -15s", 0, "g{} 7"}});
}

TEST(Evaluate, AStaleMarkerEndsASeriesAtOnce) {
  Store store;
  load(store, {{"__name__", "g"}}, "1 2 3 stale _ 9");
  check(store, {{"g", 44, "g{} 3"},
                {"g", 45, ""},
                {"g", 74, ""},
                {"g", 75, "g{} 9"},  // the target came back
                {"count_over_time(g[1m])", 60, "{} 3"},
                {"sum_over_time(g[75s])", 75, "{} 15"},
                {"last_over_time(g[1m])", 60, "g{} 3"},  // windows skip the marker only
                {"absent(g)", 50, "{} 1"},
                {"sum(g)", 50, ""},
                {"count_over_time(g[10s])", 50, ""}});
}

TEST(Evaluate, AStaleMarkerAtTheScrapeItselfHidesTheSample) {
  Store store;
  const SeriesId id = store.series({{"__name__", "g"}});
  store.append(id, kTestStart, 1);
  store.append(id, kTestStart + seconds(15), 2);
  store.mark_stale(id, kTestStart + seconds(15));
  check(store, {{"g", 14, "g{} 1"}, {"g", 15, ""}});
}

TEST(Evaluate, WindowsAreClosedAtBothEnds) {
  Store store;
  load(store, {{"__name__", "g"}}, "1 2 4 8 16");
  check(store, {{"sum_over_time(g[15s])", 30, "{} 6"},
                {"sum_over_time(g[14s999ms])", 30, "{} 4"},
                {"sum_over_time(g[30s])", 30, "{} 7"},
                {"sum_over_time(g[30s] offset 15s)", 45, "{} 7"},
                {"sum_over_time(g[30s] offset -15s)", 15, "{} 7"},
                {"sum_over_time(g[1m])", 1000, ""}});
}

TEST(Evaluate, ScalarsAndSigns) {
  Store store;
  load(store, {{"__name__", "g"}, {"pod", "a"}}, "4");
  check(store, {{"time()", 0, "1700000000"},
                {"time() - 1.7e9", 30, "30"},
                {"-g", 0, R"({pod="a"} -4)"},
                {"+g", 0, R"(g{pod="a"} 4)"},
                {"-2 ^ 2", 0, "-4"},
                {"2 ^ 3 ^ 2", 0, "512"},
                {"2 ^ -1 * 4", 0, "2"},
                {"-g * 2", 0, R"({pod="a"} -8)"},
                {"1 - 2 - 3", 0, "-4"},
                {"1 + 2 * 3 ^ 2 % 5", 0, "4"},
                {"0x1F + 010 + 09 + .5 + 1e1", 0, "58.5"},
                {"Inf", 0, "inf"},
                {"-iNf", 0, "-inf"},
                {"NAN", 0, "nan"},
                {"7 % 4 > bool 2", 0, "1"}});
}

// Against the plain reading of the rule: the newest sample not after t, unless it is too old or a
// marker; and all samples of a closed window but the markers.
RC_GTEST_PROP(EvaluateLaw, SelectsWhatTheRuleSays, ()) {
  const auto gaps_ms = *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 200'000));
  const auto stale_each = *rc::gen::inRange<size_t>(2, 6);
  const auto asked_ms = *rc::gen::inRange(0, 2'000'000);
  const auto range_ms = *rc::gen::inRange(1, 700'000);
  Store store(hours(100));
  const SeriesId id = store.series({{"__name__", "g"}});
  std::vector<std::pair<int64_t, double>> loaded;  // NaN: a marker
  int64_t t_ms = 0;
  for (size_t i = 0; i < gaps_ms.size(); ++i) {
    t_ms += gaps_ms[i];
    const bool marker = i % stale_each == stale_each - 1;
    const Instant t = kTestStart + milliseconds(t_ms);
    if (marker) {
      store.mark_stale(id, t);
    } else {
      store.append(id, t, static_cast<double>(i));
    }
    loaded.emplace_back(t_ms, marker ? std::nan("") : static_cast<double>(i));
  }
  std::string instant;
  int64_t in_window = 0;
  for (const auto& [sampled_ms, value] : loaded) {
    if (sampled_ms > asked_ms) break;
    const bool visible = sampled_ms >= asked_ms - 300'000 && !std::isnan(value);
    instant = visible ? fmt::format("g{{}} {}", value) : "";
    if (sampled_ms >= asked_ms - range_ms && !std::isnan(value)) ++in_window;
  }
  RC_ASSERT(answer(store, "g", milliseconds(asked_ms)) == instant);
  const std::string counted = in_window > 0 ? fmt::format("{{}} {}", in_window) : "";
  RC_ASSERT(answer(store, fmt::format("count_over_time(g[{}ms])", range_ms),
                   milliseconds(asked_ms)) == counted);
}

}  // namespace
}  // namespace windlass::sim::prometheus

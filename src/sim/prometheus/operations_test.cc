// Aggregations, operators with matching, and the functions over instant vectors.
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sim/prometheus/test_series.h"

namespace windlass::sim::prometheus {
namespace {

struct Case {
  const char* query;
  const char* expected;
};

void check(const Store& store, std::initializer_list<Case> cases) {
  for (const Case& c : cases) EXPECT_EQ(answer(store, c.query, {}), c.expected) << c.query;
}

Store pods() {
  Store store;
  load(store, {{"__name__", "queue"}, {"pod", "a"}, {"zone", "1"}}, "3");
  load(store, {{"__name__", "queue"}, {"pod", "b"}, {"zone", "1"}}, "5");
  load(store, {{"__name__", "queue"}, {"pod", "c"}, {"zone", "2"}}, "10");
  load(store, {{"__name__", "limit"}, {"pod", "a"}}, "4");
  load(store, {{"__name__", "limit"}, {"pod", "b"}}, "4");
  load(store, {{"__name__", "zones"}, {"zone", "1"}}, "2");
  load(store, {{"__name__", "odd"}, {"k", "1"}}, "NaN");
  load(store, {{"__name__", "odd"}, {"k", "2"}}, "Inf");
  load(store, {{"__name__", "odd"}, {"k", "3"}}, "-1.5");
  load(store, {{"__name__", "twin_a"}, {"x", "1"}}, "1");
  load(store, {{"__name__", "twin_b"}, {"x", "1"}}, "2");
  return store;
}

TEST(Aggregation, GroupsByAndWithout) {
  check(pods(), {
                    {"sum(queue)", "{} 18"},
                    {"sum by (zone) (queue)", R"({zone="1"} 8; {zone="2"} 10)"},
                    {"sum(queue) by (zone,)", R"({zone="1"} 8; {zone="2"} 10)"},
                    {"sum without (pod) (queue)", R"({zone="1"} 8; {zone="2"} 10)"},
                    {"sum without (zone, pod) (queue)", "{} 18"},
                    {"count by (missing) (queue)", "{} 3"},
                    {"count by (__name__) ({pod=\"a\"})", "limit{} 1; queue{} 1"},
                    {"count without () (zones)", R"({zone="1"} 1)"},
                    {"avg(queue)", "{} 6"},
                    {"MIN(queue)", "{} 3"},
                    {"max(queue)", "{} 10"},
                    {"count(queue)", "{} 3"},
                    {"quantile(0.5, queue)", "{} 5"},
                    {"quantile by (zone) (0.25, queue)", R"({zone="1"} 3.5; {zone="2"} 10)"},
                    {"quantile(NaN, queue)", "{} nan"},
                    {"sum(nothing)", ""},
                    {"count(nothing)", ""},
                    {"max(odd)", "{} inf"},
                    {"min(odd)", "{} -1.5"},
                    {"sum(odd)", "{} nan"},
                    {"quantile(0, odd)", "{} nan"},    // NaN comes first
                    {"quantile(0.5, odd)", "{} nan"},  // 0 of the infinity above -1.5 is NaN
                });
}

TEST(Binary, VectorWithScalar) {
  check(pods(), {
                    {"queue * 2 > 8", R"({pod="b", zone="1"} 10; {pod="c", zone="2"} 20)"},
                    {"queue > 4", R"(queue{pod="b", zone="1"} 5; queue{pod="c", zone="2"} 10)"},
                    {"4 < queue", R"(queue{pod="b", zone="1"} 5; queue{pod="c", zone="2"} 10)"},
                    {"limit == bool 4", R"({pod="a"} 1; {pod="b"} 1)"},
                    {"zones - 5", R"({zone="1"} -3)"},
                    {"5 % zones", R"({zone="1"} 1)"},
                    {"zones / 0", R"({zone="1"} inf)"},
                    {"odd == odd", R"(odd{k="2"} inf; odd{k="3"} -1.5)"},  // NaN equals nothing
                    {"sum(queue) > 100", ""},
                    {R"({__name__=~"twin_."} > 1)", R"(twin_b{x="1"} 2)"},
                    {R"({__name__=~"twin_."} * 2)",
                     "error: the result cannot contain series with the same labels: {x=\"1\"} "
                     "stands there twice"},
                });
}

TEST(Binary, OneToOneMatching) {
  check(
      pods(),
      {
          {"queue / on(pod) limit", R"({pod="a"} 0.75; {pod="b"} 1.25)"},
          {"queue / ignoring(zone) limit", R"({pod="a"} 0.75; {pod="b"} 1.25)"},
          {"queue / limit", ""},
          {"queue > on(pod) limit", R"({pod="b"} 5)"},
          {"queue > bool on(pod) limit", R"({pod="a"} 0; {pod="b"} 1)"},
          {"queue > ignoring(zone) limit", R"(queue{pod="b"} 5)"},
          {"sum(queue) / count(queue)", "{} 6"},
          {"sum(queue) + on() zones", "{} 20"},
          {"zones * on(zone) queue",
           "error: found duplicate series for the match group {zone=\"1\"} on the right hand-side "
           "of the operation: queue{pod=\"a\", zone=\"1\"} and queue{pod=\"b\", zone=\"1\"}; "
           "matching labels must be unique"},
          {"queue * on(zone) zones",
           "error: multiple matches for labels {zone=\"1\"} on the left hand-side of the "
           "operation: "
           "many-to-one matching is not in the subset"},
          {"queue > on(zone) (zones + 2)", R"({zone="1"} 5)"},  // what is filtered does not count
          {"nothing * on(zone) queue", ""},  // Prometheus does not look at the other side then
      });
}

TEST(Binary, SetOperators) {
  check(
      pods(),
      {
          {"queue and on(pod) limit", R"(queue{pod="a", zone="1"} 3; queue{pod="b", zone="1"} 5)"},
          {"queue unless on(pod) limit", R"(queue{pod="c", zone="2"} 10)"},
          {"zones or nothing", R"(zones{zone="1"} 2)"},
          {"nothing or vector(0)", "{} 0"},
          {"sum(nothing) or vector(0)", "{} 0"},
          {"twin_a or twin_b", R"(twin_a{x="1"} 1)"},
          {"twin_a or on(__name__) twin_b", R"(twin_a{x="1"} 1; twin_b{x="1"} 2)"},
          {"-(twin_a or on(__name__) twin_b)",
           "error: the result cannot contain series with the same labels: {x=\"1\"} stands there "
           "twice"},
          {"zones or twin_a unless twin_b", R"(zones{zone="1"} 2)"},  // unless binds closer
          {"queue > 4 and queue < 6", R"(queue{pod="b", zone="1"} 5)"},
      });
}

TEST(InstantFunctions, ValueByValue) {
  check(pods(), {
                    {"abs(odd)", R"({k="1"} nan; {k="2"} inf; {k="3"} 1.5)"},
                    {"ceil(odd)", R"({k="1"} nan; {k="2"} inf; {k="3"} -1)"},
                    {"floor(odd)", R"({k="1"} nan; {k="2"} inf; {k="3"} -2)"},
                    {"round(odd)", R"({k="1"} nan; {k="2"} inf; {k="3"} -1)"},  // halves go up
                    {"round(zones * 3.3, 0.5)", R"({zone="1"} 6.5)"},
                    {"clamp(odd, 0, 1)", R"({k="1"} nan; {k="2"} 1; {k="3"} 0)"},
                    {"clamp(odd, 1, 0)", ""},
                    {"clamp_min(odd, 0)", R"({k="1"} nan; {k="2"} inf; {k="3"} 0)"},
                    {"clamp_max(zones, NaN)", R"({zone="1"} nan)"},
                    {"vector(3)", "{} 3"},
                    {"scalar(zones)", "2"},
                    {"scalar(queue)", "nan"},
                    {"scalar(nothing)", "nan"},
                    {"queue / scalar(sum(queue)) > 0.5", R"({pod="c", zone="2"} 0.5555555556)"},
                });
}

TEST(InstantFunctions, AbsentTellsWhatItMissed) {
  check(pods(), {
                    {"absent(queue)", ""},
                    {"absent(nothing)", "{} 1"},
                    {R"(absent(nothing{a="b", c=~"d", e!="f"}))", R"({a="b"} 1)"},
                    {R"(absent(((nothing{a="b"}))))", R"({a="b"} 1)"},
                    {R"(absent({__name__="nothing", a="b"}))", R"({a="b"} 1)"},
                    {R"(absent(nothing{a="b", a="c", d=""}))", "{} 1"},  // which of the two?
                    {R"(absent(sum(nothing{a="b"})))", "{} 1"},
                });
}

// However series are grouped, the sums of the groups add up to the whole.
RC_GTEST_PROP(AggregationLaw, GroupsAddUp, ()) {
  const auto values =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(-1000, 1000)));
  const auto groups = *rc::gen::inRange<size_t>(1, 7);
  Store store;
  int64_t total = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const Labels labels{
        {"__name__", "g"}, {"i", std::to_string(i)}, {"group", std::to_string(i % groups)}};
    store.append(store.series(labels), kTestStart, values[i]);
    total += values[i];
  }
  const std::string expected = fmt::format("{{}} {}", total);
  for (const char* query : {"sum(g)", "sum(sum by (group) (g))", "sum(sum without (i) (g))",
                            "count(g) * on() avg(g)"}) {
    const std::string given = answer(store, fmt::format("round({})", query), {});
    RC_ASSERT(given == expected || (total == 0 && given == "{} -0"));
  }
  RC_ASSERT(answer(store, "count(g)", {}) == fmt::format("{{}} {}", values.size()));
}

// and splits a vector in what it keeps and what unless keeps.
RC_GTEST_PROP(SetLaw, AndAndUnlessSplit, ()) {
  const auto left = *rc::gen::container<std::set<int>>(rc::gen::inRange(0, 30));
  const auto right = *rc::gen::container<std::set<int>>(rc::gen::inRange(0, 30));
  Store store;
  for (const auto& [name, members] : {std::pair("l", left), std::pair("r", right)}) {
    for (const int i : members) {
      store.append(store.series({{"__name__", name}, {"i", std::to_string(i)}}), kTestStart, i);
    }
  }
  std::set<int> both, only_left, any = left;
  for (const int i : left) (right.contains(i) ? both : only_left).insert(i);
  any.insert(right.begin(), right.end());
  const auto counted = [&](const char* query) {
    return answer(store, fmt::format("scalar(count({}) or vector(0))", query), {});
  };
  RC_ASSERT(counted("l and r") == std::to_string(both.size()));
  RC_ASSERT(counted("l unless r") == std::to_string(only_left.size()));
  RC_ASSERT(counted("l or r") == std::to_string(any.size()));
  RC_ASSERT(counted("l + r") == std::to_string(both.size()));
}

}  // namespace
}  // namespace windlass::sim::prometheus

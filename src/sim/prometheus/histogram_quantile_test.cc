#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sim/prometheus/evaluation.h"
#include "sim/prometheus/test_series.h"

namespace windlass::sim::prometheus {
namespace {

using Buckets = std::vector<std::pair<const char*, const char*>>;

std::string quantile_of(const Buckets& buckets, const char* q) {
  Store store;
  for (const auto& [le, count] : buckets) {
    load(store, {{"__name__", "h_bucket"}, {"le", le}, {"pod", "a"}}, count);
  }
  return answer(store, fmt::format("histogram_quantile({}, h_bucket)", q), {});
}

TEST(HistogramQuantile, InterpolatesWithinABucket) {
  const Buckets latency = {
      {"0.1", "10"}, {"0.3", "20"}, {"0.5", "90"}, {"1", "100"}, {"+Inf", "100"}};
  struct Case {
    const char* q;
    const char* expected;
  };
  for (const auto& [q, expected] : std::initializer_list<Case>{
           {"0", "0"},
           {"0.05", "0.05"},  // the first bucket begins at zero
           {"0.1", "0.1"},
           {"0.55", "0.4"},
           {"0.95", "0.75"},
           {"1", "1"},
           {"1.01", "inf"},
           {"-0.01", "-inf"},
           {"NaN", "nan"},
       }) {
    EXPECT_EQ(quantile_of(latency, q), fmt::format("{{pod=\"a\"}} {}", expected)) << q;
  }
}

TEST(HistogramQuantile, OddBuckets) {
  struct Case {
    const char* what;
    Buckets buckets;
    const char* q;
    const char* expected;
  };
  const std::vector<Case> cases = {
      {"no +Inf", {{"1", "3"}, {"2", "5"}}, "0.5", "nan"},
      {"+Inf alone", {{"+Inf", "5"}}, "0.5", "nan"},
      {"nothing observed", {{"1", "0"}, {"+Inf", "0"}}, "0.5", "nan"},
      {"in the last bucket: its lower bound", {{"1", "1"}, {"2", "2"}, {"+Inf", "9"}}, "0.9", "2"},
      {"a first bound below zero", {{"-1", "4"}, {"3", "8"}, {"+Inf", "8"}}, "0.25", "-1"},
      {"between bounds below zero", {{"-3", "0"}, {"-1", "4"}, {"+Inf", "4"}}, "0.5", "-2"},
      {"counts that fall are raised",
       {{"1", "4"}, {"2", "2"}, {"4", "8"}, {"+Inf", "7"}},
       "0.75",
       "3"},
      {"equal bounds add up", {{"1", "2"}, {"1.0", "2"}, {"2", "8"}, {"+Inf", "8"}}, "0.75", "1.5"},
      {"other spellings of infinity", {{"1", "2"}, {"inf", "4"}}, "0.25", "0.5"},
      {"what is no bound is skipped", {{"x", "9"}, {"1", "2"}, {"+Inf", "4"}}, "0.25", "0.5"},
      {"the q of the call counts, not q's labels", {{"1", "2"}, {"+Inf", "2"}}, "1/4", "0.25"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(quantile_of(c.buckets, c.q), fmt::format("{{pod=\"a\"}} {}", c.expected)) << c.what;
  }
}

TEST(HistogramQuantile, OneResultAHistogram) {
  Store store;
  for (const char* pod : {"a", "b"}) {
    for (const char* le : {"1", "+Inf"}) {
      load(store, {{"__name__", "h_bucket"}, {"le", le}, {"pod", pod}}, pod[0] == 'a' ? "4" : "8");
    }
  }
  load(store, {{"__name__", "h_bucket"}, {"pod", "no_le"}}, "4");
  load(store, {{"__name__", "other_bucket"}, {"le", "+Inf"}, {"pod", "a"}}, "4");
  EXPECT_EQ(answer(store, "histogram_quantile(0.5, h_bucket)", {}),
            R"({pod="a"} 0.5; {pod="b"} 0.5)");
  EXPECT_EQ(answer(store, "histogram_quantile(0.5, sum by (le) (h_bucket))", {}), "{} 0.5");
  EXPECT_EQ(answer(store, "histogram_quantile(0.5, nothing)", {}), "");
  EXPECT_EQ(
      answer(store, R"(histogram_quantile(0.5, {__name__=~".+_bucket"}))", {}),
      "error: the result cannot contain series with the same labels: {pod=\"a\"} stands there "
      "twice");
}

// Against the definition on the values themselves: at rank q(n-1) of the sorted list.
RC_GTEST_PROP(QuantileLaw, LiesBetweenItsNeighbours, ()) {
  auto values = *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(-99, 99)));
  const auto percent = *rc::gen::inRange(0, 101);
  std::vector<double> given(values.begin(), values.end());
  const double result = quantile(percent / 100.0, given);
  std::ranges::sort(values);
  const size_t last = values.size() - 1;
  const size_t below = percent * last / 100;
  RC_ASSERT(result >= values[below] - 1e-9);
  RC_ASSERT(result <= values[std::min(below + 1, last)] + 1e-9);
  if (percent * last % 100 == 0) RC_ASSERT(std::fabs(result - values[below]) < 1e-9);
}

// The bucket the answer falls in is the bucket the value of that rank lies in.
RC_GTEST_PROP(HistogramQuantileLaw, FindsTheBucketOfTheRank, ()) {
  auto values = *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 100)));
  const auto percent = *rc::gen::inRange(1, 101);
  Store store;
  for (const int bound : {20, 40, 60, 80, 100}) {
    const auto count = std::ranges::count_if(values, [&](int v) { return v <= bound; });
    const Labels labels{{"__name__", "h"}, {"le", bound < 100 ? std::to_string(bound) : "+Inf"}};
    store.append(store.series(labels), kTestStart, static_cast<double>(count));
  }
  const auto query = parse_promql(fmt::format("histogram_quantile({} / 100, h)", percent));
  RC_ASSERT(query.ok());
  const auto answered = evaluate(*query, store, kTestStart);
  RC_ASSERT(answered.ok());
  const double result = std::get<InstantVector>(*answered).at(0).value;
  std::ranges::sort(values);
  const size_t rank = (percent * values.size() + 99) / 100;  // 1..n, rounded up
  const int value = values[rank - 1];
  if (value > 80) {
    RC_ASSERT(result == 80.0);  // of the last bucket only the lower bound is known
  } else {
    const int upper = (value + 19) / 20 * 20;
    RC_ASSERT(result > upper - 20 - 1e-9);
    RC_ASSERT(result <= upper + 1e-9);
  }
}

}  // namespace
}  // namespace windlass::sim::prometheus

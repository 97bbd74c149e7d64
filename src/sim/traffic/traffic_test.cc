#include "sim/traffic/traffic.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sim/traffic/temporary_trace.h"

namespace windlass::sim {
namespace {

constexpr Instant kMidnight{1'767'225'600'000'000'000};  // 2026-01-01
const std::string kHeader = "time_s,input_tokens,output_tokens\n";

struct Drawn {
  std::vector<Request> requests;
  std::string error;
};

Drawn draw(const TrafficSpec& spec, Duration length, uint64_t seed = 1) {
  Result<Traffic> traffic = Traffic::open(spec, seed, kMidnight, length);
  if (!traffic) return {{}, traffic.error().message()};
  Drawn drawn;
  while (const std::optional<Request> request = traffic.value().next()) {
    drawn.requests.push_back(*request);
  }
  if (traffic.value().error()) drawn.error = traffic.value().error()->message();
  return drawn;
}

std::vector<double> arrival_s(const Drawn& drawn) {
  std::vector<double> out;
  for (const Request& r : drawn.requests) out.push_back((r.arrival - kMidnight).seconds());
  return out;
}

// Order, ids and bounds: what every traffic promises.
bool well_formed(const Drawn& drawn, Duration length) {
  for (size_t i = 0; i < drawn.requests.size(); ++i) {
    const Request& r = drawn.requests[i];
    if (r.id != i || r.arrival < kMidnight || r.arrival >= kMidnight + length) return false;
    if (i > 0 && r.arrival < drawn.requests[i - 1].arrival) return false;
    if (r.input_tokens < 1 || r.output_tokens < 1) return false;
  }
  return true;
}

// Arrivals in each period from the start on.
std::vector<double> counts_per(const Drawn& drawn, Duration period, Duration length) {
  std::vector<double> counts(static_cast<size_t>(length.ns / period.ns));
  for (const Request& r : drawn.requests) {
    counts[static_cast<size_t>((r.arrival - kMidnight).ns / period.ns)] += 1;
  }
  return counts;
}

TEST(DayShape, InterpolatesAndWraps) {
  const DayShape shape{{{6, 1}, {12, 3}, {18, 3}, {22, 0.5}}};
  const std::vector<std::pair<double, double>> cases = {
      {6, 1},    {9, 2},     {12, 3},     {15, 3}, {20, 1.75}, {22, 0.5},
      {2, 0.75}, {0, 0.625}, {24, 0.625}, {33, 2}, {-15, 2}};
  for (const auto& [hour, factor] : cases) {
    EXPECT_NEAR(shape.factor_at(from_seconds(hour * 3600)), factor, 1e-9) << hour;
  }
  EXPECT_EQ(DayShape{}.factor_at(hours(3)), 1);
  EXPECT_EQ((DayShape{{{5, 0.25}}}).factor_at(hours(3)), 0.25);
  // A step: two points of one hour.
  const DayShape step{{{0, 1}, {8, 1}, {8, 2}, {24, 2}}};
  EXPECT_EQ(step.factor_at(from_seconds(8 * 3600 - 1)), 1);
  EXPECT_EQ(step.factor_at(hours(8)), 2);
}

TEST(Traffic, RepeatsATraceWithItsMeanGapBetweenPasses) {
  const TemporaryTrace file(kHeader + "2,1,1\n3,2,2\n6,3,3\n");  // span 4 s, mean gap 2 s
  const Drawn repeated = draw({.trace = TraceSpec{.path = file.path()}}, seconds(15));
  EXPECT_EQ(arrival_s(repeated), (std::vector<double>{2, 3, 6, 8, 9, 12, 14}));
  EXPECT_EQ(repeated.requests[4].input_tokens, 2);
  EXPECT_EQ(repeated.error, "");
  const Drawn once = draw({.trace = TraceSpec{.path = file.path(), .repeat = false}}, seconds(15));
  EXPECT_EQ(arrival_s(once), (std::vector<double>{2, 3, 6}));
  const Drawn slow = draw({.trace = TraceSpec{.path = file.path(), .time_scale = 2}}, seconds(21));
  EXPECT_EQ(arrival_s(slow), (std::vector<double>{4, 6, 12, 16, 18}));
}

TEST(Traffic, AzureTimesCountFromTheFirstRow) {
  const TemporaryTrace file(
      "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.6805900,374,44\r\n"
      "2023-11-16 18:15:47.1805900,396,109");
  const Drawn drawn = draw({.trace = TraceSpec{.path = file.path(), .repeat = false}}, seconds(15));
  EXPECT_EQ(arrival_s(drawn), (std::vector<double>{0, 0.5}));
}

TEST(Traffic, ErrorsOfTheTraceArriveAfterTheRowsBeforeThem) {
  const TemporaryTrace bad(kHeader + "1,1,1\n2,1,1\n3,1,x\n");
  const Drawn drawn = draw({.trace = TraceSpec{.path = bad.path(), .rate_scale = 3}}, seconds(15));
  EXPECT_EQ(drawn.requests.size(), 6U);
  EXPECT_EQ(drawn.error, bad.path() +
                             ":4: output_tokens: not a whole number from 1 to "
                             "2147483647: \"x\"");
  const TemporaryTrace first_bad(kHeader + "1,1,x\n");
  EXPECT_NE(draw({.trace = TraceSpec{.path = first_bad.path()}}, seconds(15)).error, "");
  const TemporaryTrace no_rows(kHeader);
  EXPECT_EQ(draw({.trace = TraceSpec{.path = no_rows.path()}}, seconds(15)).error,
            no_rows.path() + ": no rows after the header");
  const TemporaryTrace epoch(kHeader + "1700000000,1,1\n");
  EXPECT_EQ(draw({.trace = TraceSpec{.path = epoch.path()}}, seconds(15)).error,
            epoch.path() +
                ": the first request comes 1700000000 s after the start, the traffic "
                "ends at 15 s: accepted are traces that begin earlier (time_s counts "
                "from the start)");
  const TemporaryTrace instant(kHeader + "1,1,1\n1,1,1\n");
  const Drawn once = draw({.trace = TraceSpec{.path = instant.path()}}, seconds(15));
  EXPECT_EQ(once.requests.size(), 2U);
  EXPECT_EQ(once.error, "a trace whose rows all have one time cannot be repeated: it has no rate");
}

std::string regular_trace(int rows, double gap_s) {
  std::string text = kHeader;
  for (int i = 0; i < rows; ++i) text += fmt::format("{:.3f},{},7\n", i * gap_s, i + 1);
  return text;
}

TEST(Traffic, RateScaleCopiesRowsInOrderWithoutCoincidence) {
  const TemporaryTrace file(regular_trace(10'000, 0.5));
  for (const double scale : {0.25, 1.0, 2.5, 3.0, 10.0}) {
    const Drawn drawn = draw(
        {.trace = TraceSpec{.path = file.path(), .repeat = false, .rate_scale = scale}}, hours(2));
    ASSERT_TRUE(well_formed(drawn, hours(2)));
    const double expected = 10'000 * scale;
    // Exact where no chance is involved, else within 4 standard deviations.
    const double fraction = scale - std::floor(scale);
    const double slack = 4 * std::sqrt(10'000 * fraction * (1 - fraction));
    EXPECT_NEAR(static_cast<double>(drawn.requests.size()), expected, slack) << scale;
    for (size_t i = 1; i < drawn.requests.size(); ++i) {
      ASSERT_LT(drawn.requests[i - 1].arrival, drawn.requests[i].arrival);
    }
    if (scale >= 1) {  // every row is there, at its own time first
      EXPECT_EQ(drawn.requests[0].arrival, kMidnight);
      EXPECT_EQ(drawn.requests.back().input_tokens, 10'000);
    }
  }
}

TEST(Traffic, ShapeThinsAndMultipliesATrace) {
  const TemporaryTrace file(regular_trace(1000, 1));
  const TrafficSpec spec{.trace = TraceSpec{.path = file.path()},
                         .shape = {{{0, 0.5}, {6, 0.5}, {6, 0}, {12, 0}, {12, 2}, {24, 2}}}};
  const Drawn drawn = draw(spec, hours(24));
  ASSERT_TRUE(well_formed(drawn, hours(24)));
  const std::vector<double> counts = counts_per(drawn, hours(6), hours(24));
  const double six_hours = 6 * 3600;
  EXPECT_NEAR(counts[0], six_hours / 2, 4 * std::sqrt(six_hours / 4));
  EXPECT_EQ(counts[1], 0);
  EXPECT_NEAR(counts[2] + counts[3], six_hours * 4, 2);
}

TEST(Traffic, EqualSeedsGiveEqualTrafficAndOthersDoNot) {
  const TemporaryTrace file(regular_trace(100, 1));
  const TrafficSpec trace{.trace = TraceSpec{.path = file.path(), .rate_scale = 1.5}};
  const TrafficSpec generated{
      .generator = GeneratorSpec{.requests_per_s = 5, .bursts_per_h = 2, .burst_factor = 4}};
  for (const TrafficSpec& spec : {trace, generated}) {
    const Drawn one = draw(spec, hours(1), 7);
    const Drawn same = draw(spec, hours(1), 7);
    EXPECT_GT(one.requests.size(), 1000U);
    EXPECT_EQ(arrival_s(one), arrival_s(same));
    EXPECT_NE(arrival_s(one), arrival_s(draw(spec, hours(1), 8)));
  }
}

TEST(Traffic, GeneratorIsPoissonWithTheRateAsked) {
  const TrafficSpec spec{.generator = GeneratorSpec{.requests_per_s = 50}};
  const Drawn drawn = draw(spec, hours(1));
  ASSERT_TRUE(well_formed(drawn, hours(1)));
  const auto n = static_cast<double>(drawn.requests.size());
  EXPECT_NEAR(n, 180'000, 4 * std::sqrt(180'000));
  double squares = 0;  // of the counts a second, whose variance equals their mean
  for (const double count : counts_per(drawn, seconds(1), hours(1))) {
    squares += (count - 50) * (count - 50);
  }
  EXPECT_NEAR(squares / 3600 / 50, 1, 4 * std::sqrt(2.0 / 3600));
}

TEST(Traffic, GeneratorFollowsTheDay) {
  const TrafficSpec spec{.generator = GeneratorSpec{.requests_per_s = 4},
                         .shape = {{{0, 0}, {12, 2}}}};  // a triangle, mean 1
  const Drawn drawn = draw(spec, hours(24));
  ASSERT_TRUE(well_formed(drawn, hours(24)));
  const double per_day = 4.0 * 86'400;
  EXPECT_NEAR(static_cast<double>(drawn.requests.size()), per_day, 4 * std::sqrt(per_day));
  // The integral of the triangle over its middle half is three quarters.
  const std::vector<double> counts = counts_per(drawn, hours(6), hours(24));
  EXPECT_NEAR(counts[1] + counts[2], per_day * 0.75, 4 * std::sqrt(per_day));
}

TEST(Traffic, BurstsMultiplyTheRateForTheirLength) {
  // One burst an hour of 6 min: without overlap 10 % of the time at 11 times the rate; overlap
  // makes it 1 - exp(-0.1).
  const TrafficSpec spec{
      .generator = GeneratorSpec{
          .requests_per_s = 1, .bursts_per_h = 1, .burst_factor = 11, .burst_length = minutes(6)}};
  const Duration length = hours(24 * 20);
  const Drawn drawn = draw(spec, length);
  const double expected = 1 + 10 * (1 - std::exp(-0.1));
  const double found = static_cast<double>(drawn.requests.size()) / length.seconds();
  EXPECT_NEAR(found / expected, 1, 0.06);
  // Minutes are at the base rate (60), at the burst's (660), or hold a change between them.
  int base = 0;
  int burst = 0;
  for (const double count : counts_per(drawn, minutes(1), length)) {
    base += count < 100 ? 1 : 0;
    burst += count > 560 ? 1 : 0;
  }
  const double minutes_all = length.seconds() / 60;
  EXPECT_NEAR(base / minutes_all, std::exp(-0.1), 0.03);
  EXPECT_NEAR(burst / minutes_all, 1 - std::exp(-0.1), 0.03);
}

TEST(Traffic, LengthsAreLogNormalAndClamped) {
  const TrafficSpec spec{
      .generator = GeneratorSpec{.requests_per_s = 100,
                                 .input = {.median = 1000, .p95 = 4000, .min = 1, .max = 100'000},
                                 .output = {.median = 100, .p95 = 800, .min = 20, .max = 500}}};
  const Drawn drawn = draw(spec, hours(1));
  std::vector<int32_t> input;
  std::vector<int32_t> output;
  for (const Request& r : drawn.requests) {
    input.push_back(r.input_tokens);
    output.push_back(r.output_tokens);
  }
  std::sort(input.begin(), input.end());
  std::sort(output.begin(), output.end());
  const size_t n = input.size();
  EXPECT_NEAR(input[n / 2], 1000, 10);
  EXPECT_NEAR(input[n * 95 / 100], 4000, 80);
  EXPECT_NEAR(output[n / 2], 100, 2);
  EXPECT_EQ(output.front(), 20);
  EXPECT_EQ(output.back(), 500);
  // Other lengths, same arrivals.
  TrafficSpec constant = spec;
  constant.generator->output = {.median = 9, .p95 = 9};
  const Drawn other = draw(constant, hours(1));
  EXPECT_EQ(arrival_s(drawn), arrival_s(other));
  EXPECT_TRUE(std::all_of(other.requests.begin(), other.requests.end(),
                          [](const Request& r) { return r.output_tokens == 9; }));
}

TEST(Traffic, RefusesSpecsThatMeanNothing) {
  const TemporaryTrace file(regular_trace(10, 1));
  const auto trace = [&](TraceSpec spec) {
    spec.path = file.path();
    return TrafficSpec{.trace = spec};
  };
  const auto lengths = [](LengthSpec input) {
    return TrafficSpec{.generator = GeneratorSpec{.input = input}};
  };
  const auto shaped = [](DayShape shape) {
    return TrafficSpec{.generator = GeneratorSpec{}, .shape = std::move(shape)};
  };
  TrafficSpec both = trace({});
  both.generator = GeneratorSpec{};
  const std::vector<std::pair<TrafficSpec, std::string>> cases = {
      {{}, "neither a trace nor a generator: accepted is exactly one of trace and generator"},
      {both, "both a trace and a generator: accepted is exactly one of trace and generator"},
      {trace({.rate_scale = 0}), "rate_scale: 0: accepted is above 0, up to 1000"},
      {trace({.rate_scale = std::nan("")}), "rate_scale: nan: accepted is above 0, up to 1000"},
      {trace({.time_scale = -1}), "time_scale: -1: accepted is above 0, up to 1e6"},
      {lengths({.median = 0}), "input: median: 0: accepted is 1 to 1e9"},
      {lengths({.median = 10, .p95 = 5}), "input: p95: 5: accepted is the median to 1e9"},
      {lengths({.min = 0}), "input: min: 0: accepted is 1 or more"},
      {lengths({.min = 5, .max = 4}), "input: max: 4: accepted is min or more"},
      {{.generator = GeneratorSpec{.requests_per_s = -1}},
       "requests_per_s: -1: accepted is 0 to 1e8"},
      {{.generator = GeneratorSpec{.burst_length = seconds(-1)}},
       "burst_length: -1: accepted is 0 s to a year"},
      {shaped({{{25, 1}}}), "shape: hour: 25: accepted is 0 to 24"},
      {shaped({{{5, 1}, {4, 1}}}),
       "shape: hour: 4: accepted is an hour not before that of the point above"},
      {shaped({{{5, -1}}}), "shape: factor: -1: accepted is 0 to 1000"},
  };
  for (const auto& [spec, error] : cases) {
    EXPECT_EQ(draw(spec, hours(1)).error, "traffic: " + error);
  }
}

RC_GTEST_PROP(TrafficProperty, AnyMixOfScalesKeepsOrderAndBounds, ()) {
  const auto gaps =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 4)));
  std::string text = kHeader;
  int time = 0;
  for (const int gap : gaps) text += fmt::format("{},1,1\n", time += gap);
  const TemporaryTrace file(text);
  const double rate = *rc::gen::inRange(1, 50) / 10.0;
  const double stretch = *rc::gen::inRange(1, 30) / 10.0;
  const bool repeat = *rc::gen::arbitrary<bool>();
  const auto length = minutes(*rc::gen::inRange(1, 4));
  const auto seed = *rc::gen::arbitrary<uint64_t>();
  const TrafficSpec spec{
      .trace =
          TraceSpec{
              .path = file.path(), .repeat = repeat, .rate_scale = rate, .time_scale = stretch},
      .shape = {{{0, 0.5}, {0.03, 2}}}};
  const Drawn drawn = draw(spec, length, seed);
  RC_ASSERT(well_formed(drawn, length));
  if (!repeat) {
    RC_ASSERT(static_cast<double>(drawn.requests.size()) <=
              static_cast<double>(gaps.size()) * std::ceil(rate * 2));
  }
}

TEST(Traffic, ReadsTheAzureTracesWhole) {
  struct Case {
    const char* path;
    size_t rows;
    double seconds;
  };
  for (const Case& c : {Case{"../shared/data/traces/azure_llm_2023_conv.csv", 19'366, 3502},
                        Case{"../shared/data/traces/azure_llm_2023_code.csv", 8'819, 3436}}) {
    if (!std::filesystem::exists(c.path)) GTEST_SKIP() << c.path << " is not there";
    const Drawn drawn = draw({.trace = TraceSpec{.path = c.path, .repeat = false}}, hours(2));
    EXPECT_EQ(drawn.error, "");
    EXPECT_TRUE(well_formed(drawn, hours(2)));
    ASSERT_EQ(drawn.requests.size(), c.rows);
    EXPECT_NEAR(arrival_s(drawn).back(), c.seconds, 1);
  }
}

}  // namespace
}  // namespace windlass::sim

#include "report/axis_ticks.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace windlass::report {
namespace {

using Ticks = std::vector<double>;

TEST(AxisTicks, LinearScalesEndOnARoundTick) {
  EXPECT_EQ(linear_scale(23, 5, true).ticks, (Ticks{0, 5, 10, 15, 20, 25}));
  EXPECT_EQ(linear_scale(100, 5, true).ticks, (Ticks{0, 20, 40, 60, 80, 100}));
  EXPECT_EQ(linear_scale(2, 5, true).ticks, (Ticks{0, 1, 2}));
  EXPECT_EQ(linear_scale(1, 5, false).ticks.size(), 6U);
}

TEST(AxisTicks, NothingToShowIsZeroToOne) {
  for (const double max : {0.0, -3.0, double(NAN), double(INFINITY)}) {
    const Scale scale = linear_scale(max, 5, true);
    EXPECT_EQ(scale.lo, 0) << max;
    EXPECT_EQ(scale.hi, 1) << max;
  }
}

TEST(AxisTicks, LogScales) {
  EXPECT_EQ(log_scale(120, 900).ticks, (Ticks{100, 200, 500, 1000}));
  EXPECT_EQ(log_scale(600, 300'000).ticks, (Ticks{500, 1000, 10'000, 100'000, 500'000}));
  EXPECT_EQ(log_scale(1, 1e6).ticks, (Ticks{1, 10, 100, 1000, 1e4, 1e5, 1e6}));
  const Scale point = log_scale(100, 100);
  EXPECT_LT(point.lo, point.hi);
}

TEST(AxisTicks, TimeStepsAreThoseOfAClock) {
  EXPECT_EQ(time_scale(86400, 4).ticks, (Ticks{0, 21600, 43200, 64800, 86400}));
  EXPECT_EQ(time_scale(86400, 8).step, 10800);
  EXPECT_EQ(time_scale(1200, 4).step, 300);
  EXPECT_EQ(time_scale(11520, 4).ticks, (Ticks{0, 3600, 7200, 10800}));  // 3h12m
  EXPECT_EQ(time_scale(0, 4).hi, 1);
  EXPECT_LE(time_scale(1e12, 8).ticks.size(), 9U);
}

TEST(AxisTicks, PositionStaysOnTheChart) {
  const Scale linear = linear_scale(10, 5, false);
  EXPECT_EQ(linear.position(-5), 0);
  EXPECT_DOUBLE_EQ(linear.position(5), 0.5);
  EXPECT_EQ(linear.position(11), 1);
  const Scale log = log_scale(1, 100);
  EXPECT_EQ(log.position(0), 0);
  EXPECT_NEAR(log.position(10), 0.5, 1e-12);
  EXPECT_EQ(log.position(1e9), 1);
}

double positive() {
  const int exponent = *rc::gen::inRange(-5, 14);
  return *rc::gen::inRange(1, 10'000) * std::pow(10.0, exponent - 3);
}

bool is_round(double step) {
  const double mantissa = step / std::pow(10.0, std::floor(std::log10(step) + 1e-9));
  return std::abs(mantissa - 1) < 1e-6 || std::abs(mantissa - 2) < 1e-6 ||
         std::abs(mantissa - 5) < 1e-6;
}

RC_GTEST_PROP(AxisTicksProperty, LinearCoversWithFewRoundSteps, ()) {
  const double max = positive();
  const int target = *rc::gen::inRange(1, 12);
  const Scale scale = linear_scale(max, target, false);
  RC_ASSERT(scale.hi >= max * (1 - 1e-8));
  RC_ASSERT(scale.hi - scale.step < max);  // no empty step on top
  RC_ASSERT(is_round(scale.step));
  RC_ASSERT(scale.ticks.size() >= 2U && scale.ticks.size() <= static_cast<size_t>(target) + 1);
  RC_ASSERT(scale.ticks.front() == scale.lo && scale.ticks.back() == scale.hi);
  RC_ASSERT(std::is_sorted(scale.ticks.begin(), scale.ticks.end()));
}

RC_GTEST_PROP(AxisTicksProperty, LogCoversAndRises, ()) {
  const double a = positive();
  const double b = positive();
  const Scale scale = log_scale(std::min(a, b), std::max(a, b));
  RC_ASSERT(scale.lo <= std::min(a, b) && scale.hi >= std::max(a, b));
  RC_ASSERT(scale.lo > 0 && scale.lo < scale.hi);
  RC_ASSERT(!scale.ticks.empty());
  double last = -1;
  for (const double tick : scale.ticks) {
    RC_ASSERT(is_round(tick));
    RC_ASSERT(scale.position(tick) > last);
    last = scale.position(tick);
  }
}

RC_GTEST_PROP(AxisTicksProperty, TimeTicksAreEvenAndWithinTheRun, ()) {
  const double end = *rc::gen::inRange(1, 40'000'000);
  const int target = *rc::gen::inRange(1, 12);
  const Scale scale = time_scale(end, target);
  RC_ASSERT(scale.hi == end);
  RC_ASSERT(scale.ticks.size() <= static_cast<size_t>(target) + 1);
  RC_ASSERT(scale.ticks.front() == 0 && scale.ticks.back() <= end);
  RC_ASSERT(end - scale.ticks.back() < scale.step * (1 + 1e-9));
}

}  // namespace
}  // namespace windlass::report

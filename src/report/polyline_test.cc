#include "report/polyline.h"

#include <cmath>
#include <map>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace windlass::report {
namespace {

Scale plain(double hi) {
  Scale scale;
  scale.hi = hi;
  return scale;
}

TEST(Polyline, PathsAreRelativeAndShort) {
  EXPECT_EQ(line_path({{{0, 500}, {10, 490}, {20, 490}, {20, 600}}}), "M0 500l10-10h10v110");
  EXPECT_EQ(line_path({{{3, 7}}}), "M3 7h0");
  EXPECT_EQ(line_path({{{0, 1}, {1, 1}}, {{5, 2}, {6, 4}}}), "M0 1h1M5 2l1 2");
  EXPECT_EQ(area_path({{{0, 900}, {10, 800}}}), "M0 1000v-100l10-100V1000z");
  EXPECT_EQ(area_path({{{0, 900}}}), "");
  EXPECT_EQ(band_path({{0, 10}, {5, 20}}, {{0, 30}, {5, 40}}), "M0 10l5 10v20l-5-10z");
  EXPECT_EQ(band_path({}, {}), "");
}

TEST(Polyline, NanBreaksTheLine) {
  const std::vector<double> t = {0, 1, 2, 3, 4};
  const std::vector<double> y = {1, 1, NAN, 0, 0};
  const auto lines = thin(t, y, plain(4), plain(1));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], (PlotLine{{0, 0}, {180, 0}}));
  EXPECT_EQ(lines[1], (PlotLine{{540, 1000}, {720, 1000}}));
}

TEST(Polyline, OnlyNanIsNoLine) {
  const std::vector<double> t = {0, 1};
  const std::vector<double> y = {NAN, NAN};
  EXPECT_TRUE(thin(t, y, plain(1), plain(1)).empty());
  EXPECT_TRUE(thin({}, {}, plain(1), plain(1)).empty());
}

TEST(Polyline, LevelRunsKeepTheirEnds) {
  const std::vector<double> t = {0, 1, 2, 3, 4};
  const std::vector<double> y = {0, 0, 0, 0, 1};
  EXPECT_EQ(thin(t, y, plain(4), plain(1)).front(), (PlotLine{{0, 1000}, {540, 1000}, {720, 0}}));
}

TEST(Polyline, ASpikeOfOneSampleInADaySurvives) {
  std::vector<double> t;
  std::vector<double> y;
  for (int i = 0; i < 86'400; ++i) {
    t.push_back(i);
    y.push_back(i == 40'001 ? 1 : 0);
  }
  const auto lines = thin(t, y, plain(86'400), plain(1));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_LE(lines[0].size(), 6U);
  EXPECT_TRUE(std::any_of(lines[0].begin(), lines[0].end(), [](PlotPoint p) { return p.y == 0; }));
}

// Against the plain definition: for each column, the extremes of all its samples are drawn, no
// column has more than two points, and x never goes back.
RC_GTEST_PROP(PolylineProperty, KeepsTheExtremesOfEveryColumn, ()) {
  const auto raw =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 50)));
  const double end = *rc::gen::inRange(1, 60);
  std::vector<double> t;
  std::vector<double> y;
  std::map<long, std::pair<long, long>> expected;  // column -> lowest, highest y from the top
  for (size_t i = 0; i < raw.size(); ++i) {
    // Many samples a column: all of them lie in a few per cent of the axis.
    t.push_back(end * 0.02 * static_cast<double>(i) / static_cast<double>(raw.size()));
    y.push_back(raw[i]);
    const long x = std::lround(t.back() / end * kPlotColumns);
    const long from_top = std::lround((1 - y.back() / 50) * kPlotRows);
    auto [at, fresh] = expected.try_emplace(x, from_top, from_top);
    at->second.first = std::min(at->second.first, from_top);
    at->second.second = std::max(at->second.second, from_top);
  }
  const auto lines = thin(t, y, plain(end), plain(50));
  RC_ASSERT(lines.size() == 1U);
  std::map<long, std::pair<long, long>> drawn;
  std::map<long, int> points;
  int last_x = 0;
  for (const PlotPoint& p : lines[0]) {
    RC_ASSERT(p.x >= last_x);
    last_x = p.x;
    auto [at, fresh] = drawn.try_emplace(p.x, p.y, p.y);
    at->second.first = std::min<long>(at->second.first, p.y);
    at->second.second = std::max<long>(at->second.second, p.y);
    RC_ASSERT(++points[p.x] <= 2);
  }
  for (const auto& [x, extremes] : drawn) RC_ASSERT(expected.at(x) == extremes);
  // A column may only be missing inside a level run.
  for (const auto& [x, extremes] : expected) {
    if (!drawn.contains(x)) RC_ASSERT(extremes.first == extremes.second);
  }
}

}  // namespace
}  // namespace windlass::report

#include "live/signals/histogram.h"

#include <limits>

#include <gtest/gtest.h>

namespace windlass::live::signals {
namespace {

constexpr double kLast = std::numeric_limits<double>::infinity();

TEST(Histogram, QuantilesAsPrometheusGivesThem) {
  struct Case {
    std::map<double, double> buckets;
    double q;
    double expected;
  };
  const Case cases[] = {
      // Rank 95 of 100 lies in (10, 20], which holds 50..100: 10 + 10 * 45/50.
      {{{10, 50}, {20, 100}, {kLast, 100}}, 0.95, 19},
      // The first bucket begins at 0.
      {{{10, 100}, {20, 100}, {kLast, 100}}, 0.5, 5},
      // In the last bucket the bound below it.
      {{{10, 1}, {20, 2}, {kLast, 100}}, 0.95, 20},
      // A bound at or below 0 stands for its bucket.
      {{{0, 60}, {5, 100}, {kLast, 100}}, 0.5, 0},
      // Counts that fall (two servers, other bounds) are lifted.
      {{{10, 50}, {15, 40}, {20, 100}, {kLast, 100}}, 0.75, 17.5},
      // Empty buckets between are stepped over.
      {{{1, 0}, {2, 0}, {4, 10}, {8, 10}, {kLast, 10}}, 0.5, 3},
      {{}, 0.5, 0},
      {{{kLast, 10}}, 0.5, 0},
      {{{1, 5}, {2, 10}}, 0.5, 0},
      {{{1, 0}, {kLast, 0}}, 0.5, 0},
  };
  for (const Case& test : cases) {
    Histogram histogram;
    histogram.buckets = test.buckets;
    EXPECT_DOUBLE_EQ(quantile(histogram, test.q), test.expected);
  }
}

TEST(Histogram, AddsUp) {
  Histogram a{{{1, 1}, {kLast, 2}}, 3, 2};
  const Histogram b{{{2, 4}, {kLast, 4}}, 6, 4};
  a.add(b);
  EXPECT_EQ(a.mean(), 1.5);
  EXPECT_EQ(a.buckets.at(kLast), 6);
  a.add(b, -1);
  EXPECT_EQ(a.count, 2);
  EXPECT_EQ(Histogram{}.mean(), 0);
}

}  // namespace
}  // namespace windlass::live::signals

#include "base/rng.h"

#include <cmath>
#include <functional>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace windlass {
namespace {

struct Moments {
  double mean = 0;
  double variance = 0;
};

Moments moments_of(const std::function<double()>& draw, int n) {
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < n; ++i) {
    const double x = draw();
    sum += x;
    squares += x * x;
  }
  const double mean = sum / n;
  return {mean, squares / n - mean * mean};
}

// The values come from an independent implementation; they must never change, since every recorded
// run depends on them.
TEST(Rng, FirstValues) {
  Rng rng(42, "traffic");
  const std::vector<uint64_t> golden{0xf41724196844e63b, 0xb314dea8786a2935, 0xa4a51a47bac25f4f,
                                     0x9ae7e3f8c14e4970, 0xe8e09b00c5b537d8, 0x557b94057cb5eb25};
  for (const uint64_t value : golden) EXPECT_EQ(rng.next(), value);
}

TEST(Rng, StreamsAndSeedsDiffer) {
  Rng a(42, "traffic");
  Rng same(42, "traffic");
  Rng other_stream(42, "faults");
  Rng other_seed(43, "traffic");
  const uint64_t first = a.next();
  EXPECT_EQ(first, same.next());
  EXPECT_NE(first, other_stream.next());
  EXPECT_NE(first, other_seed.next());
}

TEST(Rng, MomentsAreThoseOfTheDistributions) {
  constexpr int kDraws = 200'000;
  Rng rng(7, "moments");
  // Six standard errors of the mean: a wrong factor is far outside, chance practically never is.
  const auto expect = [&](const Moments& got, double mean, double variance, double fourth) {
    EXPECT_NEAR(got.mean, mean, 6 * std::sqrt(variance / kDraws));
    EXPECT_NEAR(got.variance, variance, 6 * std::sqrt((fourth - variance * variance) / kDraws));
  };
  expect(moments_of([&] { return rng.uniform(); }, kDraws), 0.5, 1.0 / 12, 1.0 / 80);
  expect(moments_of([&] { return rng.exponential(4); }, kDraws), 0.25, 1.0 / 16, 9.0 / 256);
  expect(moments_of([&] { return rng.normal(); }, kDraws), 0, 1, 3);
  expect(moments_of([&] { return std::log(rng.log_normal(1.5, 0.5)); }, kDraws), 1.5, 0.25,
         3.0 / 16);
}

TEST(Rng, UniformStaysBelowOne) {
  Rng rng(1, "range");
  for (int i = 0; i < 100'000; ++i) {
    const double x = rng.uniform();
    ASSERT_GE(x, 0);
    ASSERT_LT(x, 1);
  }
}

RC_GTEST_PROP(RngProperty, BelowStaysBelow, (uint64_t seed)) {
  const auto n = *rc::gen::positive<uint64_t>();
  Rng rng(seed, "below");
  for (int i = 0; i < 20; ++i) RC_ASSERT(rng.below(n) < n);
}

TEST(Rng, BelowIsEven) {
  Rng rng(3, "dice");
  std::vector<int> counts(6);
  constexpr int kDraws = 60'000;
  for (int i = 0; i < kDraws; ++i) ++counts[rng.below(6)];
  // Chi-squared with 5 degrees of freedom: 30 is beyond one in 60,000.
  double chi = 0;
  for (const int count : counts) chi += (count - 10'000.0) * (count - 10'000.0) / 10'000.0;
  EXPECT_LT(chi, 30);
}

}  // namespace
}  // namespace windlass

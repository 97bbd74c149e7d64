// The parts the lower bound stands on: knapsacks against plain enumeration, the relaxation's
// values, and that any values at all make a bound that holds.
#include "scheduling/lower_bound.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "scheduling/cost_demands.h"
#include "scheduling/cost_knapsack.h"
#include "scheduling/cost_plan.h"
#include "scheduling/test_world.h"

namespace windlass::scheduling {
namespace {

using namespace test;

int up_to(int n) { return *rc::gen::inRange(0, n + 1); }

// Demands of (cpu, GiB, how many) and bins of (cpu, GiB, USD per hour); memory in GiB-milli.
struct Size {
  int64_t cpu = 0;
  int64_t memory = 0;
  int32_t count = 1;
};

Market market_of(const std::vector<Size>& sizes) {
  Market out;
  uint32_t next = 0;
  for (const Size& size : sizes) {
    Demand demand;
    demand.amounts = {size.cpu, size.memory};
    for (int32_t i = 0; i < size.count; ++i) demand.pods.push_back(next++);
    out.demands.push_back(std::move(demand));
  }
  return out;
}

void add_bin(Market& market, Amounts room, double usd_per_hour, int32_t supply = kEndless) {
  Bin bin;
  bin.room = std::move(room);
  bin.usd_per_hour = usd_per_hour;
  bin.supply = supply;
  bin.takes = TypeSet(market.demands.size(), true);
  market.bins.push_back(std::move(bin));
}

// The best value over all counts, one after the other.
double best_by_trying(const Market& market, const std::vector<double>& values, size_t from,
                      Amounts left) {
  if (from == values.size()) return 0;
  double best = 0;
  for (int32_t count = 0; count <= market.demands[from].count(); ++count) {
    if (count > 0) {
      take_from(left, market.demands[from].amounts);
      if (overdrawn({{"cpu", left[0]}, {"memory", left[1]}})) break;
    }
    best = std::max(best, count * values[from] + best_by_trying(market, values, from + 1, left));
  }
  return best;
}

Market random_market() {
  std::vector<Size> sizes(1 + static_cast<size_t>(up_to(4)));
  for (Size& size : sizes) size = {1 + up_to(5), up_to(6), 1 + up_to(3)};
  return market_of(sizes);
}

std::vector<double> random_values(const Market& market) {
  std::vector<double> out;
  for (size_t d = 0; d < market.demands.size(); ++d) out.push_back(0.25 * up_to(12));
  return out;
}

std::vector<int32_t> counts_of(const Market& market) {
  std::vector<int32_t> out;
  for (const Demand& demand : market.demands) out.push_back(demand.count());
  return out;
}

RC_GTEST_PROP(Knapsack, FindsTheBestFilling, ()) {
  Market market = random_market();
  add_bin(market, {up_to(16), up_to(16)}, 1);
  const std::vector<double> values = random_values(market);
  const double best = best_by_trying(market, values, 0, market.bins[0].room);
  const BestFilling found = best_filling(market, market.bins[0], values, counts_of(market), 0);
  RC_ASSERT(std::abs(found.value - best) < 1e-9);
  RC_ASSERT(found.upper >= best - 1e-9);
  double value = 0;
  for (const auto& [demand, count] : found.filling) value += count * values[demand];
  RC_ASSERT(std::abs(value - best) < 1e-9);
  RC_ASSERT(fits(total_of(market, found.filling), market.bins[0].room));
}

TEST(Cover, SharesABinOfTwoHalves) {
  // Three pods of half a bin: the relaxation buys 1.5 bins.
  Market market = market_of({{2, 2, 3}});
  add_bin(market, {4, 4}, 1);
  const Covering relaxation = cover(market, counts_of(market));
  EXPECT_NEAR(relaxation.values[0], 0.5, 1e-6);
  EXPECT_NEAR(lower_bound(market, relaxation.values), 1.5, 1e-5);
}

TEST(LowerBound, FreeRoomTakesItsShare) {
  Market market = market_of({{2, 2, 4}});
  add_bin(market, {0, 0}, 0, 0);
  add_bin(market, {2, 2}, 1);
  EXPECT_NEAR(lower_bound(market, {1}), 4, 1e-6);
  market.bins[0].room = {2, 2};
  market.bins[0].supply = 3;
  EXPECT_NEAR(lower_bound(market, {1}), 1, 1e-6);
}

TEST(LowerBound, APlanWithoutClaimsMayCostNothing) {
  World world;
  world.add(node_pool("any"));
  world.add(node("there", resources(4, 8)));
  world.add(pod("p", resources(2, 2)));
  EXPECT_EQ(lower_bound(world.problem, solve(world.problem)), 0);
}

// Farley: whatever the values, scaled they prove something, and never too much.
RC_GTEST_PROP(LowerBound, HoldsForAnyValues, ()) {
  Market market = random_market();
  // The second bin takes every pod alone, so that there is a plan.
  add_bin(market, {up_to(8), up_to(8)}, 0.25 * (1 + up_to(8)));
  add_bin(market, {8, 8}, 0.25 * (1 + up_to(12)));
  const double bound = lower_bound(market, random_values(market));
  const Covering relaxation = cover(market, counts_of(market));
  const double sharp = lower_bound(market, relaxation.values);
  double fractional = 0;
  for (size_t i = 0; i < relaxation.columns.size(); ++i) {
    fractional += relaxation.amounts[i] * relaxation.columns[i].usd_per_hour;
  }
  RC_ASSERT(bound <= fractional + 1e-4);
  RC_ASSERT(sharp <= fractional + 1e-4);
  RC_ASSERT(sharp >= fractional - 1e-4);
}

}  // namespace
}  // namespace windlass::scheduling

#include "server/embedded/pacer.h"

#include <gtest/gtest.h>

namespace windlass::server::embedded {
namespace {

constexpr Instant kSimulated{1'000'000'000'000};
constexpr Instant kWall{5'000'000'000};

TEST(Pacer, RunsAtItsSpeed) {
  const Pacer pacer(kSimulated, kWall, 60);
  EXPECT_EQ(pacer.target(kWall), kSimulated);
  EXPECT_EQ(pacer.target(kWall + seconds(2)), kSimulated + seconds(120));
  // A wall clock that was set back stops nothing and turns nothing back.
  EXPECT_EQ(pacer.target(kWall - seconds(9)), kSimulated);
}

TEST(Pacer, ChangesOfSpeedKeepThePast) {
  Pacer pacer(kSimulated, kWall, 10);
  pacer.set_speed(100, kWall + seconds(1));
  EXPECT_EQ(pacer.target(kWall + seconds(2)), kSimulated + seconds(110));
}

TEST(Pacer, APauseTakesNoTime) {
  Pacer pacer(kSimulated, kWall, 10);
  pacer.set_paused(true, kWall + seconds(1));
  EXPECT_EQ(pacer.target(kWall + seconds(100)), kSimulated + seconds(10));
  pacer.set_speed(2, kWall + seconds(200));  // while it stands
  pacer.set_paused(false, kWall + seconds(300));
  EXPECT_EQ(pacer.target(kWall + seconds(301)), kSimulated + seconds(12));
}

TEST(Pacer, StandsWhereTheWorldIsWhenItIsStopped) {
  Pacer pacer(kSimulated, kWall, 1000);
  pacer.settle_at(kSimulated + seconds(400), kWall + seconds(1));
  pacer.set_paused(true, kWall + seconds(1));
  EXPECT_EQ(pacer.target(kWall + seconds(9)), kSimulated + seconds(400));
  pacer.set_paused(false, kWall + seconds(10));
  EXPECT_EQ(pacer.target(kWall + seconds(11)), kSimulated + seconds(1400));
  // A wall clock that goes back takes nothing back.
  pacer.settle_at(kSimulated + seconds(1400), kWall + seconds(5));
  EXPECT_EQ(pacer.target(kWall + seconds(10)), kSimulated + seconds(1400));
}

TEST(Pacer, LetsALagGo) {
  Pacer pacer(kSimulated, kWall, 1000);
  // Half a second's worth behind is caught up.
  pacer.reached(kSimulated + seconds(1500), kWall + seconds(2));
  EXPECT_EQ(pacer.target(kWall + seconds(2)), kSimulated + seconds(2000));
  // Three seconds' worth is not.
  pacer.reached(kSimulated + seconds(2000), kWall + seconds(5));
  EXPECT_EQ(pacer.target(kWall + seconds(5)), kSimulated + seconds(2000));
  EXPECT_EQ(pacer.target(kWall + seconds(6)), kSimulated + seconds(3000));
}

}  // namespace
}  // namespace windlass::server::embedded

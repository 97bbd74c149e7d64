#include "sim/cloud.h"

#include <gtest/gtest.h>

namespace windlass::sim {
namespace {

struct CloudTest : testing::Test {
  CloudTest() {
    scenario.start = Instant{1'772'409'600'000'000'000};
    const Delay second{seconds(1), seconds(1)};
    scenario.cloud.launch = second;
    scenario.cloud.shutdown = {seconds(10), seconds(10)};
    scenario.cloud.capacity_error = second;
    make();
  }
  void make() {
    context = std::make_unique<Context>(scenario, catalog::built_in(scenario.cloud.catalog));
    cloud = std::make_unique<Cloud>(*context);
    cloud->on_running = [this](const Instance&) { ++running; };
    cloud->on_gone = [this](const Instance&) { ++gone; };
  }
  void run_until(Instant end) {
    while (context->events.next() <= end) {
      context->now = context->events.next();
      context->events.pop()();
    }
    context->now = end;
  }
  static controllers::Launch launch(const std::string& token) {
    return {"claim",
            token,
            {{"g4dn.xlarge", "us-east-1a", "spot", 0.2},
             {"g4dn.xlarge", "us-east-1b", "on-demand", 0.5}}};
  }
  Scenario scenario;
  std::unique_ptr<Context> context;
  std::unique_ptr<Cloud> cloud;
  int running = 0;
  int gone = 0;
};

TEST_F(CloudTest, OneTokenLaunchesOnce) {
  cloud->launch(launch("t"));
  cloud->launch(launch("t"));
  run_until(scenario.start + seconds(5));
  EXPECT_EQ(cloud->instances().size(), 1u);
  EXPECT_EQ(running, 1);
  EXPECT_EQ(context->state.launch_result("claim")->capacity_type, "spot");
}

TEST_F(CloudTest, BillsBySecondsAndAMinuteAtLeast) {
  cloud->launch(launch("t"));
  run_until(scenario.start + seconds(5));
  cloud->terminate(cloud->instances().begin()->first, "test");
  run_until(scenario.start + minutes(10));
  EXPECT_EQ(gone, 1);
  EXPECT_NEAR(cloud->cost_usd(), 0.2 / 60, 1e-12) << "15 s lived, 60 s billed";
  EXPECT_NEAR(cloud->integrated_cost_usd(), cloud->cost_usd(), 1e-12);
  EXPECT_NEAR(cloud->gpu_seconds_paid(), 60, 1e-9);
}

TEST_F(CloudTest, AnOfferingWithoutCapacityIsPassedOverAndRemembered) {
  scenario.cloud.gaps.push_back({{"g4dn.xlarge"}, {}, {"spot"}, {}, std::nullopt, 1});
  make();
  cloud->launch(launch("t"));
  run_until(scenario.start + seconds(5));
  EXPECT_EQ(context->state.launch_result("claim")->capacity_type, "on-demand");
  EXPECT_TRUE(
      context->state.unavailable("g4dn.xlarge:us-east-1a:spot", scenario.start + minutes(2)));
  EXPECT_FALSE(
      context->state.unavailable("g4dn.xlarge:us-east-1a:spot", scenario.start + minutes(4)));
}

TEST_F(CloudTest, WithoutAnyCapacityTheLaunchIsRefused) {
  scenario.cloud.gaps.push_back({});
  make();
  cloud->launch(launch("t"));
  run_until(scenario.start + seconds(5));
  EXPECT_TRUE(context->state.launch_result("claim")->insufficient_capacity);
  EXPECT_TRUE(cloud->instances().empty());
  EXPECT_EQ(cloud->refused(), 1);
}

TEST_F(CloudTest, ASpotInstanceGetsItsNoticeTwoMinutesAhead) {
  scenario.cloud.spot_interruptions_per_h = 60;
  make();
  cloud->launch(launch("t"));
  while (context->state.interruptions().empty()) {
    ASSERT_NE(context->events.next(), kNever);
    context->now = context->events.next();
    context->events.pop()();
  }
  const Instant noticed = context->now;
  run_until(noticed + seconds(119));
  EXPECT_EQ(gone, 0);
  run_until(noticed + seconds(121));
  EXPECT_EQ(gone, 1);
  EXPECT_EQ(cloud->instances().begin()->second.end_reason, "spot interruption");
}

TEST(Delay, MedianAndP95AreWhatWasDeclared) {
  const Delay delay{seconds(37), seconds(65)};
  Rng rng(1, "delay");
  std::vector<double> draws;
  for (int i = 0; i < 20'000; ++i) draws.push_back(delay.draw(rng).seconds());
  std::sort(draws.begin(), draws.end());
  EXPECT_NEAR(draws[10'000], 37, 0.5);
  EXPECT_NEAR(draws[19'000], 65, 1.5);
  double sum = 0;
  for (const double draw : draws) sum += draw;
  EXPECT_NEAR(delay.mean().seconds(), sum / 20'000, 0.5);
  EXPECT_EQ((Delay{seconds(5), seconds(5)}).draw(rng), seconds(5));
}

}  // namespace
}  // namespace windlass::sim

// The dashboard's knobs do what they say, and no more.
#include "sim/world_fixture.h"

namespace windlass::sim {
namespace {

uint64_t offered(const World& world) { return world.inference().fleets().at(0).totals().offered; }

uint64_t offered_within(RunningWorld& run, Duration length) {
  const uint64_t before = offered(*run.world);
  run.run(length);
  return offered(*run.world) - before;
}

TEST(WorldControls, TrafficFollowsTheFactorAtOnceAndComesBack) {
  Scenario scenario = long_scenario(1);
  scenario.models[0].traffic.shape = {};  // the same rate throughout, without bursts
  scenario.models[0].traffic.generator->bursts_per_h = 0;
  RunningWorld run(scenario, controllers::Policy::kStock);
  const double base = 18 * 600;  // 18/s for 10 minutes
  EXPECT_NEAR(static_cast<double>(offered_within(run, minutes(10))), base, base * 0.05);
  run.world->set_traffic_factor(2.5);
  EXPECT_NEAR(static_cast<double>(offered_within(run, minutes(10))), base * 2.5, base * 0.1);
  run.world->set_traffic_factor(0);
  EXPECT_EQ(offered_within(run, minutes(10)), 0u);
  run.world->set_traffic_factor(0.5);
  EXPECT_NEAR(static_cast<double>(offered_within(run, minutes(10))), base * 0.5, base * 0.05);
  run.world->burst(4, minutes(5));  // 2 for half the time, 0.5 for the rest
  EXPECT_DOUBLE_EQ(run.world->controls().traffic(), 2);
  EXPECT_NEAR(static_cast<double>(offered_within(run, minutes(10))), base * 1.25, base * 0.1);
  EXPECT_DOUBLE_EQ(run.world->controls().traffic(), 0.5);
}

TEST(WorldControls, AFactorOfOneChangesNothing) {
  RunningWorld untouched;
  RunningWorld touched;
  touched.world->set_traffic_factor(1);
  untouched.run(minutes(20));
  touched.run(minutes(20));
  EXPECT_EQ(untouched.world->result(true).run_hash, touched.world->result(true).run_hash);
}

TEST(WorldControls, AnInterruptedNodeIsGoneAfterTheNotice) {
  RunningWorld run;
  run.run(minutes(5));
  std::string spot;
  for (const auto& [name, node] : run.state().nodes()) {
    if (node.meta.labels.at(std::string(api::kCapacityTypeLabel)) == api::kSpot) spot = name;
  }
  ASSERT_FALSE(spot.empty());
  const std::string id = run.state().nodes().at(spot).provider_id;
  EXPECT_FALSE(run.world->interrupt("no-such-node"));
  EXPECT_TRUE(run.world->interrupt(spot));
  EXPECT_FALSE(run.world->interrupt(spot)) << "it has had its notice";
  run.run(minutes(3));
  EXPECT_TRUE(run.world->cloud().instances().at(id).terminated);
  EXPECT_EQ(run.world->cloud().interrupted(), 1);
}

TEST(WorldControls, ABlockedTypeIsNotLaunchedUntilItIsUnblocked) {
  RunningWorld run;
  run.run(minutes(1));
  for (const catalog::InstanceType& type : run.state().catalog().types) {
    run.world->block_capacity(type.name, std::nullopt);
  }
  const size_t before = run.world->cloud().instances().size();
  run.world->set_traffic_factor(6);
  run.run(minutes(20));
  EXPECT_EQ(run.world->cloud().instances().size(), before);
  EXPECT_GT(run.world->cloud().refused(), 0);
  for (const catalog::InstanceType& type : run.state().catalog().types) {
    run.world->unblock_capacity(type.name);
  }
  run.run(minutes(10));
  EXPECT_GT(run.world->cloud().instances().size(), before);
}

TEST(WorldControls, APrometheusOutageEndsByItself) {
  RunningWorld run;
  run.run(minutes(2));
  const auto error = [&] {
    const auto* round = run.state().query_round(run.state().scaled_objects().begin()->first,
                                                cluster::QueryPurpose::kPoll);
    return round == nullptr || round->answers.empty() ? "no round" : round->answers[0].error;
  };
  EXPECT_EQ(error(), "");
  run.world->prometheus_outage(minutes(3));
  run.run(minutes(2));
  EXPECT_EQ(error(), "connection refused");
  run.run(minutes(3));
  EXPECT_EQ(error(), "");
}

}  // namespace
}  // namespace windlass::sim

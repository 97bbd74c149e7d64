// A world that is stopped at any moment and opened again from its objects and saved parts goes on:
// nothing is launched twice, nothing is forgotten, the bill only grows.
#include <algorithm>

#include "base/rng.h"
#include "sim/saved.h"
#include "sim/world_fixture.h"

namespace windlass::sim {
namespace {

using controllers::Policy;

template <typename T>
void collect(const cluster::State& state, std::vector<api::Object>& objects) {
  for (const auto& [key, object] : state.all<T>()) {
    // Through JSON, as a store keeps them.
    auto read = api::decode(api::encode(object));
    ASSERT_TRUE(read.ok()) << key << ": " << read.error().message();
    objects.push_back(*std::move(read));
  }
}

std::vector<api::Object> objects_of(const cluster::State& state) {
  std::vector<api::Object> objects;
  collect<api::Pod>(state, objects);  // before what owns them: order must not matter
  collect<api::ReplicaSet>(state, objects);
  collect<api::Deployment>(state, objects);
  collect<api::DaemonSet>(state, objects);
  collect<api::StatefulSet>(state, objects);
  collect<api::Job>(state, objects);
  collect<api::PriorityClass>(state, objects);
  collect<api::PodDisruptionBudget>(state, objects);
  collect<api::Node>(state, objects);
  collect<api::NodeClaim>(state, objects);
  collect<api::NodePool>(state, objects);
  collect<api::Ec2NodeClass>(state, objects);
  collect<api::ScaledObject>(state, objects);
  return objects;
}

void expect_books_in_order(const World& world, bool at_rest) {
  for (const auto& [id, instance] : world.cloud().instances()) {
    if (instance.terminated || instance.going || instance.claim.empty()) continue;
    EXPECT_NE(world.state().node_claims().find(instance.claim), nullptr) << id;
  }
  std::map<std::string, int> live;
  for (const auto& [id, instance] : world.cloud().instances()) {
    if (!instance.terminated && !instance.claim.empty()) ++live[instance.claim];
  }
  for (const auto& [claim, count] : live) EXPECT_EQ(count, 1) << claim << " was launched twice";
  if (!at_rest) return;
  for (const auto& [name, claim] : world.state().node_claims()) {
    if (world.now() - claim.meta.created < minutes(20) || claim.meta.deleted) continue;
    const auto instance = world.cloud().instances().find(claim.provider_id);
    ASSERT_NE(instance, world.cloud().instances().end()) << name << " never got an instance";
    EXPECT_FALSE(instance->second.terminated) << name;
  }
}

struct Restarts {
  Restarts(Scenario the_scenario, Policy the_policy)
      : scenario(std::move(the_scenario)), policy(the_policy) {
    open({});
  }
  void open(std::optional<std::vector<api::Object>> objects) {
    WorldOptions options;
    options.keep_raw = true;
    options.saved = saved;
    options.objects = std::move(objects);
    auto opened = World::open(scenario, policy, std::move(options));
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    world = std::move(*opened);
  }
  void save() {
    for (auto& [name, part] : world->take_saved()) {
      if (part.is_null()) {
        saved.erase(name);
      } else {
        saved[name] = std::move(part);
      }
    }
  }
  void restart() {
    save();
    std::vector<api::Object> objects = objects_of(world->state());
    world.reset();
    open(std::move(objects));
  }
  void run(Duration length) { ASSERT_TRUE(world->run_until(world->now() + length, {}).ok()); }

  Scenario scenario;
  Policy policy;
  std::map<std::string, Json> saved;
  std::unique_ptr<World> world;
};

Scenario eventful(uint64_t seed) {
  Scenario scenario = long_scenario(seed);
  scenario.cloud.spot_interruptions_per_h = 1;
  // The joint policy lets batch jobs wait: of long ones a day would not see the end.
  std::erase_if(scenario.training.jobs, [](const JobSpec& job) { return job.work_gpu_s > 2000; });
  return scenario;
}

class EveryPolicySaved : public testing::TestWithParam<Policy> {};

TEST_P(EveryPolicySaved, GoesOnFromAnyMoment) {
  for (const uint64_t seed : {1, 2}) {
    Restarts run(eventful(seed), GetParam());
    Rng moments(seed, "restarts");
    double cost = 0;
    uint64_t offered = 0;
    int jobs = 0;
    for (int i = 0; i < 12; ++i) {
      // Short spans hit launches, boots and drains on their way; long ones let things happen.
      const double longest_s = i % 2 == 0 ? 30 : 1200;
      run.run(from_seconds(moments.uniform() * longest_s));
      const Instant before = run.world->now();
      EXPECT_GE(run.world->cloud().cost_usd(), cost - 1e-9);
      cost = run.world->cloud().cost_usd();
      run.restart();
      EXPECT_EQ(run.world->now(), before);
      EXPECT_NEAR(run.world->cloud().cost_usd(), cost, 1e-9);
      EXPECT_NEAR(run.world->cloud().integrated_cost_usd(), cost, 1e-6);
      EXPECT_GE(run.world->inference().totals(0).offered, offered);
      offered = run.world->inference().totals(0).offered;
      EXPECT_GE(run.world->training().completed(), jobs);
      jobs = run.world->training().completed();
      run.run(seconds(1));
      expect_books_in_order(*run.world, false);
    }
    run.run(hours(3));
    expect_books_in_order(*run.world, true);
    EXPECT_EQ(run.world->training().completed(), run.world->training().submitted());
    EXPECT_GT(run.world->inference().totals(0).offered, offered);
    EXPECT_EQ(run.world->result(true).requests.offered, run.world->inference().totals(0).offered);
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, EveryPolicySaved,
                         testing::Values(Policy::kStock, Policy::kWindlass),
                         [](const auto& tested) {
                           return std::string(controllers::to_string(tested.param));
                         });

TEST(WorldSaved, ReadyPodsServeAtOnceAndOthersStartAgain) {
  Restarts run(long_scenario(1), Policy::kStock);
  run.run(minutes(10));
  const size_t servers = run.world->inference().servers().size();
  ASSERT_GT(servers, 0u);
  run.restart();
  EXPECT_EQ(run.world->inference().servers().size(), servers);
  const size_t pods = run.world->state().pods().size();
  run.run(seconds(20));
  EXPECT_GE(run.world->state().pods().size(), pods);
  EXPECT_GT(run.world->inference().fleets()[0].totals().completed, 0u);
}

TEST(WorldSaved, ControlsStayInForce) {
  Restarts run(long_scenario(1), Policy::kStock);
  run.run(minutes(1));
  run.world->set_traffic_factor(3);
  run.world->burst(2, minutes(10));
  run.world->block_capacity("g4dn.xlarge", std::nullopt);
  run.world->prometheus_outage(minutes(10));
  run.restart();
  EXPECT_DOUBLE_EQ(run.world->controls().traffic(), 6);
  EXPECT_EQ(run.world->cloud().blocked().count("g4dn.xlarge"), 1u);
  EXPECT_GT(run.world->exporters().outage_until(), run.world->now());
  run.run(minutes(11));
  EXPECT_DOUBLE_EQ(run.world->controls().traffic(), 3);
}

TEST(WorldSaved, OnlyWhatChangedIsSavedAgain) {
  Restarts run(long_scenario(1), Policy::kStock);
  run.run(minutes(5));
  EXPECT_GT(run.world->take_saved().size(), 3u);
  EXPECT_TRUE(run.world->take_saved().empty()) << "nothing has happened in between";
}

TEST(WorldSaved, ADamagedPartIsAnErrorNotACrash) {
  Restarts run(long_scenario(1), Policy::kStock);
  run.run(minutes(5));
  run.save();
  const auto whole = run.saved;
  const std::vector<api::Object> objects = objects_of(run.world->state());
  std::set<std::string> kinds;
  for (const auto& [name, part] : whole) {
    if (!kinds.insert(name.substr(0, name.find('/'))).second) continue;
    for (const Json& bad : {Json(7), Json("text"), Json::array({1}), Json{{"now", "soon"}}}) {
      auto saved = whole;
      saved[name] = bad;
      WorldOptions options;
      options.saved = saved;
      options.objects = objects;
      const auto opened = World::open(run.scenario, Policy::kStock, std::move(options));
      if (name == "clock" || name.starts_with(kInstancePart)) {
        EXPECT_FALSE(opened.ok()) << name << " " << bad;
      }
    }
  }
}

}  // namespace
}  // namespace windlass::sim

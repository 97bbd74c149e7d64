// A world of the short scenario that goes on for long, for tests that act on it from outside.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sim/world.h"

namespace windlass::sim {

inline Scenario long_scenario(uint64_t seed) {
  auto file = read_scenario("tests/scenarios/short.yaml", seed);
  WL_ASSERT(file.ok());
  for (const api::Finding& finding : file->errors) ADD_FAILURE() << finding.place << finding.text;
  Scenario scenario = std::move(file->scenario);
  scenario.duration = hours(48);
  scenario.cloud.spot_interruptions_per_h = 0;
  scenario.cloud.gaps.clear();
  scenario.metrics.outages.clear();
  return scenario;
}

struct RunningWorld {
  explicit RunningWorld(uint64_t seed = 1, controllers::Policy policy = controllers::Policy::kStock)
      : RunningWorld(long_scenario(seed), policy) {}
  RunningWorld(Scenario the_scenario, controllers::Policy policy, WorldOptions options = {})
      : scenario(std::move(the_scenario)) {
    options.keep_raw = true;
    auto opened = World::open(scenario, policy, std::move(options));
    WL_ASSERT(opened.ok());
    world = std::move(*opened);
  }

  void run(Duration length) { ASSERT_TRUE(world->run_until(world->now() + length, {}).ok()); }
  // One manifest as a client's write.
  void apply(const std::string& yaml) {
    const api::Manifests read = api::read_manifests(yaml, "test.yaml");
    for (const api::Finding& finding : read.errors) ADD_FAILURE() << finding.place << finding.text;
    for (api::Object object : read.objects) {
      std::visit(
          [&](auto& o) {
            if (o.meta.uid.empty()) o.meta.uid = "uid-" + std::to_string(++uids);
          },
          object);
      world->put(std::move(object));
    }
  }
  [[nodiscard]] const cluster::State& state() const { return world->state(); }
  // The live pods whose name begins so, in order.
  [[nodiscard]] std::vector<const api::Pod*> pods(const std::string& prefix) const {
    std::vector<const api::Pod*> found;
    for (const auto& [key, pod] : state().pods()) {
      if (pod.meta.name.starts_with(prefix) && !pod.meta.deleted) found.push_back(&pod);
    }
    return found;
  }

  Scenario scenario;
  std::unique_ptr<World> world;
  int uids = 0;
};

}  // namespace windlass::sim

// What all parts of the simulated world share: the scenario, the API's objects, the clock and its
// queue, random streams, and the hash of all that happens.
#pragma once

#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/rng.h"
#include "cluster/state.h"
#include "sim/event_queue.h"
#include "sim/scenario.h"

namespace windlass::sim {

struct Context {
  Context(const Scenario& the_scenario, catalog::Catalog catalog)
      : scenario(the_scenario), state(std::move(catalog)), now(the_scenario.start) {}

  // After `delay`, in order of time and of the call.
  void after(Duration delay, EventQueue::Work work) { events.at(now + delay, std::move(work)); }
  // A world that was opened again draws other numbers than before: those are used up.
  [[nodiscard]] Rng stream(std::string_view name) const { return {seed(), name}; }
  [[nodiscard]] uint64_t seed() const {
    if (opened == 0) return scenario.seed;
    Hash64 hash;
    hash.add(scenario.seed);
    hash.add(opened);
    return hash.value();
  }
  [[nodiscard]] double since_start_s() const { return (now - scenario.start).seconds(); }
  // Notes in the run's hash that something happened now.
  void note(std::string_view what, std::string_view object) {
    hash.add(now.ns);
    hash.add(what);
    hash.add(object);
  }

  const Scenario& scenario;
  // An API with people before it shows the world: what only they would miss is kept as well (raw
  // fields, messages, ReplicaSets). Off, nothing of that costs anything.
  bool served = false;
  uint64_t opened = 0;  // how often a former process had this world open
  cluster::State state;
  EventQueue events;
  Instant now;
  Hash64 hash;
};

}  // namespace windlass::sim

// Where everything that is shown comes from: the parts of the simulated world and the loop around
// it, as references and small functions, so that the feed and the metrics know neither sockets nor
// the world's main loop and tests can put plain values in their place. sources_of()
// (world_sources.h) fills in the world's part; the integrator the rest. What is referred to must
// outlive its readers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "cluster/state.h"
#include "sim/cloud.h"
#include "sim/prometheus/store.h"

namespace windlass::server::observe {

// How far a bound pod has come: until when its image is pulled and its weights are loaded, and when
// it becomes Ready.
struct PodTimes {
  Instant pull_until{};
  Instant load_until{};
  Instant ready_at{};
};

// One model's counters now. `latencies_ms` is in order of completion and may lack its oldest part;
// readers take the newest by how far `completed` has come since they last looked.
struct ModelReading {
  uint64_t offered = 0;
  uint64_t completed = 0;
  int waiting = 0;  // at the router and in servers
  int running = 0;
  int servers_ready = 0;        // not draining
  double generated_tokens = 0;  // so far, of servers gone too; only ever rises
  const std::vector<float>* latencies_ms = nullptr;
};

// What the same traffic and manifests would have cost so far under another policy.
struct PolicyCost {
  std::string name;
  double usd_per_hour = 0;
  double usd = 0;
};

// What the page's controls have brought about.
struct ControlsNow {
  double traffic_factor = 1;
  std::optional<Instant> burst_until;
  std::vector<std::pair<std::string, std::optional<Instant>>> blocked;  // type; nullopt: open end
  std::optional<Instant> prometheus_down_until;
};

// What the page's controls do. An error is shown to who asked (400). An empty function: refused.
struct ControlActions {
  std::function<Status(bool)> pause;
  std::function<Status(double)> speed;
  std::function<Status(double)> traffic_factor;
  std::function<Status(double factor, Duration length)> burst;
  std::function<Status(const std::string& node)> interrupt_node;
  std::function<Status(const std::string& instance_type, std::optional<Duration>)> block_capacity;
  std::function<Status(const std::string& instance_type)> unblock_capacity;
  std::function<Status(Duration)> prometheus_outage;
};

struct Sources {
  // Fixed for the run.
  std::string scenario;
  std::string policy;
  std::string version;
  Instant started{};  // simulated

  // The loop: simulated time, simulated seconds a wall second, and whether it stands.
  std::function<Instant()> now;
  std::function<double()> speed;
  std::function<bool()> paused;

  // The world.
  const cluster::State* state = nullptr;
  const std::map<std::string, sim::Instance>* instances = nullptr;  // by provider id
  const sim::prometheus::Store* store = nullptr;
  std::function<double()> cost_usd;
  std::function<double()> gpu_seconds_paid;
  std::function<double()> gpu_seconds_busy;
  std::function<std::optional<PodTimes>(const std::string& pod)> pod_times;
  // 0..1: how busy the pod's GPUs were lately.
  std::function<double(const std::string& pod)> busy_share;
  // In the order of state->models().
  std::function<std::vector<ModelReading>()> models;

  // May be empty: the element or figure is left out.
  std::function<std::vector<PolicyCost>()> other_policies;
  std::function<ControlsNow()> controls;
  ControlActions actions;
};

}  // namespace windlass::server::observe

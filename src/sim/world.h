// The simulated world under one policy: its parts, the ring's controllers, and the clock that runs
// them. simulate() runs it from end to end; `windlass up` keeps it beside a wall clock, writes into
// it what clients of the Kubernetes API wrote, and hears of every change. One thread.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "controllers/ring.h"
#include "controllers/wiring.h"
#include "sim/api_server.h"
#include "sim/cloud.h"
#include "sim/context.h"
#include "sim/exporters.h"
#include "sim/inference_plane.h"
#include "sim/kube_scheduler.h"
#include "sim/kubelet.h"
#include "sim/recorder.h"
#include "sim/run_result.h"
#include "sim/scenario.h"
#include "sim/training.h"
#include "sim/workloads.h"

namespace windlass::sim {

struct RunOptions {
  // Called about every simulated half hour, with the share of the run that is done (0..1).
  std::function<void(double)> progress;
  // One JSON line a decision; empty: not written.
  std::function<void(const std::string& json_line)> decisions;
  // Set from outside (Ctrl-C): the run ends at the next event and its result is partial.
  const std::atomic<bool>* stop = nullptr;
};

// Runs the scenario under the policy. Deterministic: scenario and seed give the same result, byte
// for byte, apart from wall_s, which is left 0 here. Error: a traffic file can't be read to its
// end.
Result<RunResult> simulate(const Scenario& scenario, controllers::Policy policy,
                           const RunOptions& options);

struct WorldOptions {
  // For an API in front of the world: pods keep what their template says beyond typed fields,
  // and pending pods say why.
  bool keep_raw = false;
  // Kubelets, cloud and autoscalers are clients of the API. A Node that no instance of this world
  // stands behind is as clients write it, and so are its pods' status and end; what autoscalers
  // read and write (pools, claims, scalers) is kept as written, and nobody acts on it.
  bool external = false;
  // Parts a former process saved (World::take_saved); empty: a new world.
  std::map<std::string, Json> saved;
  // Objects to begin with in place of the scenario's (a restart: those of the store).
  std::optional<std::vector<api::Object>> objects;
  // Inputs of elsewhere played into this world: answers triggers' queries in place of the simulated
  // Prometheus; and the joint policy's signals come from observe_signals() alone.
  std::function<cluster::QueryAnswer(const controllers::QueryMetrics::Query&, Instant now)> answer;
  bool foreign_signals = false;
};

class World {
 public:
  // The scenario must outlive the world. Error: a traffic source can't be opened, or a saved part
  // can't be read. Nothing has moved yet and no tap was called: the first run_until() or write
  // tells of what the world begins with.
  static Result<std::unique_ptr<World>> open(const Scenario& scenario, controllers::Policy policy,
                                             WorldOptions options);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] Instant now() const { return context_->now; }
  // When anything at all happens next by itself; kNever when idle.
  [[nodiscard]] Instant next_due() const;
  // Lets the world run up to `to`; what is due exactly then is left to the next call. After every
  // event asks `enough` (may be empty) and stops early on true. Afterwards now() is `to`, or the
  // time of the last event. `to` may lie beyond the scenario's duration, but the traffic ends
  // there. Error: the traffic's (a bad row).
  Status run_until(Instant to, const std::function<bool()>& enough);
  // What the run came to so far.
  RunResult result(bool partial);

  // What is there (for the API, the dashboard, metrics).
  [[nodiscard]] const Scenario& scenario() const { return scenario_; }
  [[nodiscard]] controllers::Policy policy() const { return policy_; }
  [[nodiscard]] bool external() const { return options_.external; }
  // A node (one that is not there, too) whose kubelet is a client's.
  [[nodiscard]] bool is_external(const std::string& node) const;
  [[nodiscard]] const cluster::State& state() const { return context_->state; }
  [[nodiscard]] const Cloud& cloud() const { return cloud_; }
  [[nodiscard]] const Kubelets& kubelets() const { return kubelets_; }
  [[nodiscard]] const InferencePlane& inference() const { return inference_; }
  [[nodiscard]] const Training& training() const { return training_; }
  [[nodiscard]] const Exporters& exporters() const { return exporters_; }
  [[nodiscard]] const Recorder& recorder() const { return recorder_; }

  // Taps. Every change of the State, in order, after the world's parts have seen it; the object is
  // to be read from state(), where it may be newer than the change, or there again after a removal.
  // A tap must not write into the world.
  std::function<void(const cluster::Change&)> on_change;
  std::function<void(std::string_view controller, const controllers::Decision&)> on_decision;

  // --- writes from outside, at now(): what a client of the API did ---
  // Created or changed; the world reacts at once. What the world itself says of an object (status,
  // where a pod is bound, uid, creation time) stays as it is. An object that is newly marked
  // deleted is ended as its kind demands: a pod by its kubelet, a NodeClaim by its finalizer.
  void put(api::Object object);
  // Gone from the API at once, with what it owned: a force-deleted pod, a deleted Deployment, a
  // Node removed by force (its pods are gone and its instance ends).
  void remove(cluster::Kind kind, const std::string& key);
  // What the model's servers said, see WorldOptions::foreign_signals.
  void observe_signals(const std::string& model, cluster::ModelSignals signals);

  // --- controls of the dashboard: what the scenario does not foresee, from now() on ---
  // So many times the declared traffic of all models, 0 to 1000 (0 stops it).
  void set_traffic_factor(double factor);
  // Multiplies that for a time; bursts at the same time multiply each other.
  void burst(double factor, Duration length);
  // The spot notice for the node's instance, now; false: no spot node, or already on its way.
  bool interrupt(const std::string& node);
  // Launches of the type find no capacity; nullopt: until unblocked.
  void block_capacity(const std::string& instance_type, std::optional<Instant> until);
  void unblock_capacity(const std::string& instance_type);
  // Prometheus answers nothing for so long.
  void prometheus_outage(Duration length);
  struct Burst {
    double factor = 1;
    Instant until{};
  };
  struct Controls {
    double traffic_factor = 1;             // without bursts
    std::vector<Burst> bursts;             // in force
    [[nodiscard]] double traffic() const;  // both together
  };
  [[nodiscard]] const Controls& controls() const { return controls_; }

  // --- for a restart ---
  // Parts that changed since the last call, by name; null: removed. To be kept in one transaction
  // with the objects, and given to open() by the next process (saved.h).
  std::map<std::string, Json> take_saved();
  // The part "clock" alone, which is cheap: for transactions in which nothing else of the world
  // changed.
  [[nodiscard]] Json saved_clock() const;

 private:
  World(const Scenario& scenario, controllers::Policy policy, WorldOptions options,
        InferencePlane inference, std::unique_ptr<Context> context);

  void connect();
  Status set_up();
  void set_models();
  void place_objects();
  void stamp(api::Object& object);
  void place_first_nodes(const StartSpec& start);
  void start_first_pods();
  void tick_signals();
  void perform(const controllers::Action& action);
  // Hands the changes to the in-cluster parts and the ring until all is quiet at this instant.
  void settle();
  void react(const cluster::Change& change);
  void log(std::string_view controller, const controllers::Decision& decision);
  void tell_bound(const api::Pod& pod);

  // world_writes.cc
  template <typename T>
  void put_as(T object);
  // Whether the status of the object is as clients write it.
  template <typename T>
  [[nodiscard]] bool told_by_clients(const T& object) const;
  void put_pod(api::Pod pod, const api::Pod* was, bool marked);
  void admit_pod(api::Pod& pod) const;
  void evict_intolerant(const std::string& node);
  void take_away(cluster::Kind kind, const std::string& key);
  void take_away_node(const std::string& key);
  [[nodiscard]] std::string uid_of(cluster::Kind kind, const std::string& key) const;
  void collect(const std::string& owner_uid);

  // world_controls.cc
  void plan_burst_end(const Burst& burst);

  // world_saved.cc
  static Status read_clock(const std::map<std::string, Json>& saved, Context& context);
  Status read_controls(const Json& controls);
  void forget_disruptions();
  void resume_nodes();
  Status resume();

  const Scenario& scenario_;
  controllers::Policy policy_;
  WorldOptions options_;
  std::unique_ptr<Context> context_;
  ApiServer api_;
  Cloud cloud_;
  Kubelets kubelets_;
  KubeScheduler scheduler_;
  Workloads workloads_;
  InferencePlane inference_;
  Training training_;
  Exporters exporters_;
  Recorder recorder_;
  controllers::Ring ring_;
  Controls controls_;
  SavedParts saved_;
  std::set<std::string> started_;  // pods whose kubelet has begun
  bool settled_ = false;           // no change waits for settle()
};

}  // namespace windlass::sim

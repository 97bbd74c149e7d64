// The live world: a real cluster behind the same ring of controllers that the simulation runs.
// Watchers fill the State, the ring decides, actions go to the API server, the cloud and the metric
// sources; what came of them returns as observations. All members keep the State warm; only the
// leader's ring runs. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/resources.h"
#include "cluster/state.h"
#include "controllers/ring.h"
#include "controllers/wiring.h"
#include "live/cloud/cloud.h"
#include "live/kube/acting_api.h"
#include "live/kube/api.h"
#include "live/kube/events.h"
#include "live/kube/watcher.h"
#include "live/run/object_sync.h"
#include "live/run/ownership.h"
#include "net/clock.h"
#include "net/guard.h"
#include "scaling/trigger_plan.h"

namespace windlass::live {

struct WorldOptions {
  controllers::Policy policy = controllers::Policy::kWindlass;
  controllers::WiringOptions wiring;
  OwnershipOptions ownership;  // with `observe`: decides, and changes nothing
  // Scaled objects of these namespaces only; empty: of all. Nodes belong to everybody.
  std::vector<std::string> namespaces;
  std::vector<cluster::InferenceModel> models;
  catalog::CatalogOptions catalog;
  std::string instance = "windlass";  // who writes Events
  uint64_t seed = 1;                  // of names and jitter; another one in every process
};

// A trigger to ask: where it stands beside what its plan says.
struct TriggerQuestion {
  std::string scaled_object;  // key
  api::StringMap metadata;    // of the trigger, for external scalers
  scaling::TriggerPlan plan;
};

struct WorldParts {
  kube::Api& api;
  net::Clock& clock;
  cloud::Cloud& cloud;
  // Asks the trigger's source; calls back once, later.
  std::function<void(const TriggerQuestion&, std::function<void(cluster::QueryAnswer)>)> ask;
  // Follows a trigger whose source tells by itself (external-push), until unwatch; may be empty.
  std::function<uint64_t(const TriggerQuestion&, std::function<void(bool active)>)> watch{};
  std::function<void(uint64_t)> unwatch{};
};

class World {
 public:
  World(WorldParts parts, WorldOptions options);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Begins to watch. Taps must be set before.
  void start();
  // Whether everything that was there has been seen, and who else runs here.
  [[nodiscard]] bool synced() const;
  // What it waits for before that, or what is amiss with a watch; for readiness and people.
  [[nodiscard]] std::vector<std::string> troubles() const;

  // From now on this process decides and acts (as soon as it is synced), as long as `may_act` says
  // so at the moment of every request.
  void lead(std::function<bool()> may_act);
  // Stops at once: nothing more is sent, what was assumed is taken back.
  void follow();
  [[nodiscard]] bool leading() const { return leading_; }
  [[nodiscard]] bool deciding() const { return ring_ != nullptr; }

  [[nodiscard]] const cluster::State& state() const { return state_; }
  [[nodiscard]] const ObjectSync& objects() const { return sync_; }
  [[nodiscard]] const Ownership& ownership() const { return ownership_; }
  [[nodiscard]] const std::map<std::string, std::unique_ptr<kube::Watcher>>& watchers() const {
    return watchers_;
  }
  [[nodiscard]] const controllers::Policy& policy() const { return options_.policy; }
  // Signals the joint policy decides by, from whoever scrapes the model's pods.
  void observe_signals(const std::string& model, cluster::ModelSignals signals);

  // --- taps ---
  std::function<void(std::string_view controller, const controllers::Decision&)> on_decision;
  // Before it is performed, or instead, when only observing.
  std::function<void(const controllers::Action&)> on_action;
  // From the first change that a pump found to the first request that came of it.
  std::function<void(Duration)> on_reaction;
  // What one look of a controller took; everything else waits meanwhile.
  std::function<void(std::string_view controller, Duration)> on_reconcile;
  // Every change of the State, whoever leads.
  std::function<void(const cluster::Change&)> on_change;
  // What the server says of pods and nodes (for a cloud that plays kubelet).
  std::function<void(const api::Object&)> on_object;
  std::function<void(cluster::Kind, const std::string& key)> on_gone;

 private:
  static constexpr Duration kGarbage = minutes(2);  // how often Karpenter collects

  void watch(const cluster::ApiResource& resource, const std::string& namespace_name);
  void take_put(const cluster::ApiResource& resource, const std::string& path,
                const std::string& key, std::string_view json);
  void wake();
  std::deque<cluster::Change> take_changes();
  void pump();
  void begin_deciding();
  [[nodiscard]] uint64_t requests_made() const { return sync_.stats().writes + asked_; }
  [[nodiscard]] bool clock_went_back();
  [[nodiscard]] bool may_act() const { return leading_ && (!may_act_ || may_act_()); }
  void tell(std::string_view controller, const controllers::Decision& decision);
  void tell_trouble(cluster::Kind kind, const std::string& key, const std::string& what,
                    const std::string& why);
  [[nodiscard]] kube::Involved involved(cluster::Kind kind, const std::string& key) const;

  // world_actions.cc
  void perform(const controllers::Action& action);
  void put(const controllers::PutObject& put);
  void evict(const std::string& pod);
  void launch(const controllers::Launch& launch);
  void take_launch(const std::string& claim, cloud::LaunchAnswer answer);
  void terminate(const std::string& provider_id, const std::string& claim);
  void terminated(const std::string& provider_id, const std::string& claim);
  void remove_node(const std::string& provider_id);
  void query(const controllers::QueryMetrics& query);
  void follow_pushes(const std::string& scaled_object);
  void drop_pushes(const std::string& scaled_object);
  void collect_garbage();
  void compare_instances(const std::vector<cloud::CloudInstance>& instances);

  // trigger_secrets.cc: Secrets and ConfigMaps that triggers name, read one by one.
  void keep_reading_references();
  void read_references_soon();
  void read_references(bool all);
  void read_reference(cluster::Kind kind, const std::string& key);

  WorldParts parts_;
  WorldOptions options_;
  kube::ActingApi acting_;  // what all writes go through
  cluster::State state_;
  ObjectSync sync_;
  Ownership ownership_;
  kube::EventRecorder events_;
  std::map<std::string, std::unique_ptr<kube::Watcher>> watchers_;  // by path
  std::set<std::string> unread_;  // objects that could not be read, not to say it twice
  std::map<std::pair<std::string, std::string>, std::string> troubles_told_;  // by object and what
  bool leading_ = false;
  std::function<bool()> may_act_;
  std::unique_ptr<controllers::Ring> ring_;
  uint64_t terms_ = 0;  // how often this process began to decide
  struct Pushes {
    int64_t generation = 0;  // of the object they were made for
    std::vector<uint64_t> watches;
  };
  std::map<std::string, Pushes> pushes_;  // by scaled object
  bool reading_soon_ = false;
  std::set<std::pair<cluster::Kind, std::string>> references_;  // read, or asked for
  bool woken_ = false;
  std::optional<Duration> seen_;  // steady; the first change since the last pump
  uint64_t asked_ = 0;            // requests besides those of objects: evictions, the cloud's
  net::Clock::TimerId due_ = 0;
  std::optional<Duration> offset_;  // wall less steady, at the last look

  struct Eviction {
    std::string uid;
    Duration again{};  // steady; not before
    Duration backoff = seconds(1);
  };
  std::map<std::string, Eviction> evictions_;  // by pod
  std::set<std::string> launching_;            // claims
  std::set<std::string> terminating_;          // provider ids
  // Releases of claims whose instance's fate is not known yet.
  std::map<std::string, api::NodeClaim> postponed_;
  net::Guard guard_;
};

}  // namespace windlass::live

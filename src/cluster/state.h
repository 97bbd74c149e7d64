// What is known now: typed objects with indexes, and the observations beside them. Changed by
// observations only (put, remove, observe_*); every change is queued for the ring, which turns it
// into keys to reconcile. Values handed out are valid until the next change. One thread.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

#include "api/object.h"
#include "catalog/catalog.h"
#include "cluster/observations.h"
#include "cluster/table.h"

namespace windlass::cluster {

// The objects in the order of api::Object's alternatives.
enum class Kind {
  kPod,
  kNode,
  kDeployment,
  kDaemonSet,
  kJob,
  kPriorityClass,
  kPodDisruptionBudget,
  kNodePool,
  kNodeClaim,
  kNodeClass,
  kScaledObject,
  kStatefulSet,
  kNamespace,
  kSecret,
  kConfigMap,
  kPersistentVolumeClaim,
  kPersistentVolume,
  kStorageClass,
  kCsiNode,
  kHorizontalPodAutoscaler,
  kScaledJob,
  kTriggerAuthentication,
  kNodeOverlay,
  kReplicaSet,
  kCronJob,
  kControllerRevision,
  // Observations beside objects.
  kQueryRound,
  kLaunchResult,
  kInterruption,
  kModelSignals,
};
std::string_view to_string(Kind kind);

struct Change {
  Kind kind;
  std::string key;
  bool removed = false;
  // A pod that is where and what it was, and ready or not: nothing that room depends on.
  bool readiness_only = false;
};

template <typename Variant>
struct TablesOfAlternatives;
template <typename... T>
struct TablesOfAlternatives<std::variant<T...>> {
  using Type = std::tuple<Table<T>...>;
};
template <typename Variant>
using TablesOf = typename TablesOfAlternatives<Variant>::Type;

// Whether a node class changes what its nodes can hold (EC2's formulas) or the catalogue's figures
// stand as they are.
enum class NodeClassUse { kApplied, kIgnored };

class State {
 public:
  explicit State(catalog::Catalog catalog, NodeClassUse use = NodeClassUse::kApplied);
  // Sums that are kept point at its objects: it may be moved, not copied.
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  State(State&&) = default;
  State& operator=(State&&) = default;

  // --- objects ---
  // The table of one kind of api::Object.
  template <typename T>
  [[nodiscard]] const Table<T>& all() const {
    return std::get<Table<T>>(tables_);
  }
  [[nodiscard]] const Table<api::Pod>& pods() const { return all<api::Pod>(); }
  [[nodiscard]] const Table<api::Node>& nodes() const { return all<api::Node>(); }
  [[nodiscard]] const Table<api::Deployment>& deployments() const { return all<api::Deployment>(); }
  [[nodiscard]] const Table<api::DaemonSet>& daemon_sets() const { return all<api::DaemonSet>(); }
  [[nodiscard]] const Table<api::Job>& jobs() const { return all<api::Job>(); }
  [[nodiscard]] const Table<api::PriorityClass>& priority_classes() const {
    return all<api::PriorityClass>();
  }
  [[nodiscard]] const Table<api::PodDisruptionBudget>& budgets() const {
    return all<api::PodDisruptionBudget>();
  }
  [[nodiscard]] const Table<api::NodePool>& node_pools() const { return all<api::NodePool>(); }
  [[nodiscard]] const Table<api::NodeClaim>& node_claims() const { return all<api::NodeClaim>(); }
  [[nodiscard]] const Table<api::Ec2NodeClass>& node_classes() const {
    return all<api::Ec2NodeClass>();
  }
  [[nodiscard]] const Table<api::ReplicaSet>& replica_sets() const {
    return all<api::ReplicaSet>();
  }
  [[nodiscard]] const Table<api::CronJob>& cron_jobs() const { return all<api::CronJob>(); }
  [[nodiscard]] const Table<api::ControllerRevision>& controller_revisions() const {
    return all<api::ControllerRevision>();
  }
  [[nodiscard]] const Table<api::ScaledObject>& scaled_objects() const {
    return all<api::ScaledObject>();
  }

  // Creates or replaces; gives it the next resource version. `readiness_only` goes into the Change:
  // who knows may say so.
  void put(api::Object object, bool readiness_only = false);
  // Nothing happens if it is not there.
  void remove(Kind kind, std::string_view key);
  [[nodiscard]] uint64_t resource_version() const { return version_; }
  // How often a former process had this state; names made from counters take it in, so that they
  // don't come again.
  void set_opened(uint64_t times) { opened_ = times; }
  [[nodiscard]] uint64_t opened() const { return opened_; }

  // --- indexes ---
  // Keys of the pods bound to the node, in order.
  [[nodiscard]] const std::set<std::string>& pods_on(std::string_view node) const;
  // What is bound to the node and not terminal: the pods in order of key, and what they request.
  // Summed up when asked for, and kept until one of them changes. Valid until the next change.
  struct Load {
    std::vector<const api::Pod*> pods;
    api::ResourceList requests;
    api::ResourceList of_daemons;  // the part of it that pods of DaemonSets request
  };
  [[nodiscard]] const Load& load_of(std::string_view node) const;
  // Keys of the pods bound to no node and not terminal, in order.
  [[nodiscard]] const std::set<std::string>& unbound_pods() const { return unbound_; }
  // Keys of the pods an object owns (by owner uid), in order; a Deployment's also through its
  // ReplicaSets.
  [[nodiscard]] const std::set<std::string>& pods_of(std::string_view owner_uid) const;
  // The Deployment that made the pod, itself or by a ReplicaSet; nullptr: none of those here.
  [[nodiscard]] const api::Deployment* deployment_of(const api::Pod& pod) const;
  [[nodiscard]] const api::Node* node_by_provider_id(std::string_view id) const;
  [[nodiscard]] const api::NodeClaim* claim_by_provider_id(std::string_view id) const;
  // The claim behind a node, or nullptr.
  [[nodiscard]] const api::NodeClaim* claim_of_node(std::string_view node) const;
  // Names of the nodes that go, in order: deleted or marked for disruption, or with a deleted
  // claim.
  [[nodiscard]] const std::set<std::string>& nodes_going() const { return nodes_going_; }
  // Allocatable less the requests of the pods bound to the node and not terminal.
  [[nodiscard]] api::ResourceList free_on(const api::Node& node) const;

  // --- observations beside objects ---
  [[nodiscard]] const catalog::Catalog& catalog() const { return catalog_; }
  // The catalogue as a node class sees it; the built-in view for an unknown class.
  [[nodiscard]] const catalog::Catalog& types_for(std::string_view node_class) const;

  void observe_query(const std::string& scaled_object, QueryRound round);
  [[nodiscard]] const QueryRound* query_round(std::string_view scaled_object,
                                              QueryPurpose purpose) const;

  void observe_launch(const std::string& claim, LaunchResult result);
  [[nodiscard]] const LaunchResult* launch_result(std::string_view claim) const;

  // No capacity for this offering until `until`.
  void observe_unavailable(const std::string& offering, Instant until);
  [[nodiscard]] bool unavailable(std::string_view offering, Instant now) const;
  [[nodiscard]] const std::map<std::string, Instant, std::less<>>& unavailable_offerings() const {
    return unavailable_;
  }

  // The cloud will take the instance away.
  void observe_interruption(const std::string& provider_id, std::string reason);
  [[nodiscard]] const std::map<std::string, std::string, std::less<>>& interruptions() const {
    return interruptions_;
  }

  void set_models(std::vector<InferenceModel> models) { models_ = std::move(models); }
  [[nodiscard]] const std::vector<InferenceModel>& models() const { return models_; }
  [[nodiscard]] const InferenceModel* model_of(std::string_view deployment) const;
  void observe_signals(const std::string& model, ModelSignals signals);
  [[nodiscard]] const ModelSignals* signals(std::string_view model) const;

  // --- changes since the last call, oldest first ---
  std::deque<Change> take_changes();

 private:
  // The object's place in the indexes is the one it had before; whatever else hangs on it is
  // forgotten. False: it has to be taken out and put in again.
  bool stays_in_place(const api::Pod& was, const api::Pod& is);
  bool stays_in_place(const api::Node& was, const api::Node& is);
  bool stays_in_place(const api::NodeClaim& was, const api::NodeClaim& is);
  bool stays_in_place(const api::Deployment& was, const api::Deployment& is);
  bool stays_in_place(const api::ReplicaSet& was, const api::ReplicaSet& is);
  template <typename T>
  bool stays_in_place(const T&, const T&) {
    return false;
  }
  void index(const api::Pod& pod);
  void unindex(const api::Pod& pod);
  void index(const api::Node& node);
  void index(const api::NodeClaim& claim);
  void index(const api::Ec2NodeClass& node_class);
  void index(const api::Deployment& deployment);
  void index(const api::ReplicaSet& replica_set);
  template <typename T>
  void index(const T&) {}
  void unindex(const api::Node& node);
  void unindex(const api::NodeClaim& claim);
  void unindex(const api::Deployment& deployment);
  void unindex(const api::ReplicaSet& replica_set);
  // Calls `f` with the uid of every owner of the pod, those of its ReplicaSets included.
  template <typename F>
  void for_each_owner(const api::Pod& pod, F f) const;
  template <typename T>
  void unindex(const T&) {}
  // After a change; nullptr: was or is not there. Nodes and claims decide who goes.
  void note_going(const api::Node* was, const api::Node* is);
  void note_going(const api::NodeClaim* was, const api::NodeClaim* is);
  template <typename T>
  void note_going(const T*, const T*) {}

  uint64_t version_ = 0;
  uint64_t opened_ = 0;
  std::deque<Change> changes_;
  TablesOf<api::Object> tables_;

  struct OnNode {
    std::set<std::string> keys;
    mutable std::optional<Load> load;
  };
  // Looked up, never walked over: their order would be no order.
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  template <typename T>
  using Index = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;
  Index<OnNode> pods_by_node_;
  Index<std::set<std::string>> pods_by_owner_;
  Index<std::vector<std::string>> owners_of_set_;  // by uid: uids
  Index<std::string> deployment_by_uid_;
  std::set<std::string> unbound_;
  Index<const api::Node*> node_by_provider_;
  Index<const api::NodeClaim*> claim_by_provider_;
  std::set<std::string> nodes_going_;

  catalog::Catalog catalog_;
  NodeClassUse node_class_use_;
  std::map<std::string, catalog::Catalog, std::less<>> types_by_class_;
  std::map<std::string, QueryRound, std::less<>> polls_;
  std::map<std::string, QueryRound, std::less<>> syncs_;
  std::map<std::string, LaunchResult, std::less<>> launch_results_;
  std::map<std::string, Instant, std::less<>> unavailable_;
  std::map<std::string, std::string, std::less<>> interruptions_;
  std::vector<InferenceModel> models_;
  std::map<std::string, ModelSignals, std::less<>> signals_;
};

}  // namespace windlass::cluster

// core/v1, apps/v1, batch/v1, policy/v1 and scheduling.k8s.io/v1: the fields Windlass reads or
// writes, as plain values. Volumes' kinds stand in storage.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"
#include "api/requirements.h"
#include "api/resources.h"
#include "api/selector.h"
#include "api/taints.h"

namespace windlass::api {

// A key of a Secret or ConfigMap in the pod's namespace.
struct ObjectKey {
  bool secret = false;  // else a ConfigMap
  std::string name;
  std::string key;
  bool operator==(const ObjectKey&) const = default;
};

struct HostPort {
  std::string ip = "0.0.0.0";  // 0.0.0.0 and :: stand for every address
  int32_t port = 0;
  std::string protocol = "TCP";
  bool operator==(const HostPort&) const = default;
};

struct Container {
  std::string name;
  std::string image;
  StringMap env;                              // literal values
  std::map<std::string, ObjectKey> env_from;  // valueFrom secretKeyRef and configMapKeyRef
  std::vector<HostPort> host_ports;
  ResourceList requests;  // limits stand in for absent requests, as the API server does
  ResourceList limits;
  bool restart_always = false;  // init containers only: a sidecar
};

struct NodeSelectorTerm {
  std::vector<RequirementSpec> match_expressions;
  bool operator==(const NodeSelectorTerm&) const = default;
};
struct PreferredNodeTerm {
  int weight = 1;
  NodeSelectorTerm term;
  bool operator==(const PreferredNodeTerm&) const = default;
};

struct TopologySpreadConstraint {
  int max_skew = 1;
  std::string topology_key;
  bool schedule_anyway = false;
  LabelSelector selector;
  std::optional<int> min_domains;   // fewer domains than this: the least count is 0
  bool honor_node_affinity = true;  // nodeAffinityPolicy
  bool honor_node_taints = false;   // nodeTaintsPolicy
  std::vector<std::string> match_label_keys;
  bool operator==(const TopologySpreadConstraint&) const = default;
};

struct PodAffinityTerm {
  std::string topology_key;
  LabelSelector selector;
  std::vector<std::string> namespaces;              // with no selector either: the pod's own
  std::optional<LabelSelector> namespace_selector;  // empty: every namespace
  std::vector<std::string> match_label_keys;
  std::vector<std::string> mismatch_label_keys;
  bool operator==(const PodAffinityTerm&) const = default;
};
struct PreferredPodTerm {
  int weight = 1;
  PodAffinityTerm term;
  bool operator==(const PreferredPodTerm&) const = default;
};
struct PodAffinity {
  std::vector<PodAffinityTerm> required;
  std::vector<PreferredPodTerm> preferred;
  bool operator==(const PodAffinity&) const = default;
};

// A volume that a claim stands behind; other kinds of volume take no part in placing.
struct PodVolume {
  std::string name;
  std::string claim;  // of an existing PVC; an ephemeral one is called POD-VOLUME
  bool ephemeral = false;
  std::string storage_class;  // ephemeral only; empty: the default class
  bool operator==(const PodVolume&) const = default;
};

struct PodSpec {
  std::vector<Container> containers;
  std::vector<Container> init_containers;
  ResourceList overhead;
  StringMap node_selector;
  std::vector<NodeSelectorTerm> required_node_terms;  // ORed
  std::vector<PreferredNodeTerm> preferred_node_terms;
  std::vector<Toleration> tolerations;
  std::vector<TopologySpreadConstraint> topology_spread;
  PodAffinity affinity;
  PodAffinity anti_affinity;
  std::vector<PodVolume> volumes;
  bool has_resource_claims = false;  // DRA
  std::string priority_class;
  std::optional<int32_t> priority;  // resolved from the class
  std::string node_name;
  std::string scheduler_name;
  Duration termination_grace = seconds(30);
};

enum class PodPhase { kPending, kRunning, kSucceeded, kFailed };

// Of a pod's labels and requests, so that a walk over all pods of a cluster need not follow them.
struct PodDigest {
  uint64_t labels = 0;            // a hash; 0: not made
  std::array<int64_t, 4> size{};  // cpu, memory, nvidia.com/gpu, pods, in milli-units
};

struct Pod {
  ObjectMeta meta;
  PodSpec spec;
  PodPhase phase = PodPhase::kPending;
  bool ready = false;
  std::optional<Instant> scheduled_at;         // PodScheduled=True
  std::optional<Instant> unschedulable_since;  // PodScheduled=False, reason Unschedulable
  std::string unschedulable_message;           // of that condition
  std::optional<Instant> started_at;
  std::optional<Instant> ready_at;
  std::string nominated_node;
  std::string ip;  // status.podIP
  RawObject raw;
  PodDigest digest;  // cluster::State makes it at every change

  [[nodiscard]] bool terminal() const {
    return phase == PodPhase::kSucceeded || phase == PodPhase::kFailed;
  }
  [[nodiscard]] bool daemon() const;  // owned by a DaemonSet
};

// Kubernetes' pod request formula (init containers, sidecars, overhead), plus pods: 1.
ResourceList pod_requests(const PodSpec& spec);
PodDigest digest_of(const Pod& pod);
// nodeSelector and the first required node term, and the heaviest preferred term if asked
// (Karpenter's reading; further OR terms come by relaxation).
Requirements pod_requirements(const PodSpec& spec, bool with_preference);

struct Node {
  ObjectMeta meta;
  std::string provider_id;
  bool unschedulable = false;
  std::vector<Taint> taints;
  ResourceList capacity;
  ResourceList allocatable;
  std::vector<Condition> conditions;  // Ready
  RawObject raw;
};

struct PodTemplate {
  StringMap labels;
  StringMap annotations;
  PodSpec spec;
};

// An absolute number or a percentage.
struct IntOrPercent {
  int32_t value = 0;
  bool percent = false;
};

// How a workload is rolled out (strategy, paused, limits of time and history) is read and never
// written: it is the user's alone, and stays in `raw`.
struct Deployment {
  ObjectMeta meta;
  int32_t replicas = 1;
  LabelSelector selector;
  PodTemplate pod_template;
  bool recreate = false;  // else RollingUpdate within the two limits
  IntOrPercent max_surge{25, true};
  IntOrPercent max_unavailable{25, true};
  Duration min_ready{};
  Duration progress_deadline = seconds(600);
  int32_t revision_history_limit = 10;
  bool paused = false;
  // status
  int64_t observed_generation = 0;
  int32_t status_replicas = 0;
  int32_t updated_replicas = 0;
  int32_t ready_replicas = 0;
  int32_t available_replicas = 0;
  int32_t unavailable_replicas = 0;
  std::vector<Condition> conditions;  // Available, Progressing
  RawObject raw;
};

struct ReplicaSet {
  ObjectMeta meta;
  int32_t replicas = 1;
  LabelSelector selector;
  PodTemplate pod_template;
  Duration min_ready{};
  // status
  int64_t observed_generation = 0;
  int32_t status_replicas = 0;
  int32_t ready_replicas = 0;
  int32_t available_replicas = 0;
  RawObject raw;
};

struct StatefulSet {
  ObjectMeta meta;
  int32_t replicas = 1;
  LabelSelector selector;
  PodTemplate pod_template;
  // volumeClaimTemplates: storage class by volume name; empty class: the default one.
  std::vector<std::pair<std::string, std::string>> volume_claims;
  bool parallel = false;   // podManagementPolicy; else one after the other
  bool on_delete = false;  // updateStrategy; else RollingUpdate down to `partition`
  int32_t partition = 0;
  Duration min_ready{};
  int32_t revision_history_limit = 10;
  // status
  int64_t observed_generation = 0;
  int32_t status_replicas = 0;
  int32_t ready_replicas = 0;
  int32_t available_replicas = 0;
  int32_t current_replicas = 0;
  int32_t updated_replicas = 0;
  std::string current_revision;
  std::string update_revision;
  RawObject raw;
};

struct DaemonSet {
  ObjectMeta meta;
  LabelSelector selector;
  PodTemplate pod_template;
  bool on_delete = false;  // updateStrategy; else RollingUpdate
  IntOrPercent max_unavailable{1, false};
  Duration min_ready{};
  int32_t revision_history_limit = 10;
  // status
  int64_t observed_generation = 0;
  int32_t desired_scheduled = 0;
  int32_t current_scheduled = 0;
  int32_t misscheduled = 0;
  int32_t ready_pods = 0;
  int32_t updated_scheduled = 0;
  int32_t available_pods = 0;
  RawObject raw;
};

struct Job {
  ObjectMeta meta;
  int32_t parallelism = 1;
  int32_t completions = 1;
  int32_t backoff_limit = 6;
  bool suspended = false;
  std::optional<Duration> active_deadline;
  std::optional<Duration> ttl_after_finished;
  PodTemplate pod_template;
  // status
  int32_t active = 0;
  int32_t ready_pods = 0;
  int32_t succeeded = 0;
  int32_t failed = 0;
  std::optional<Instant> started_at;
  std::optional<Instant> completed_at;
  std::vector<Condition> conditions;  // Complete, Failed, Suspended
  RawObject raw;

  // Complete or Failed: nothing is to run any more.
  [[nodiscard]] bool finished() const {
    return completed_at || is_true(conditions, "Failed") || is_true(conditions, "Complete");
  }
};

// The job template is kept as JSON alone, in `raw`: a Job is made from all its author wrote.
struct CronJob {
  // A Job of it that has not finished.
  struct Active {
    std::string name;
    std::string uid;
    bool operator==(const Active&) const = default;
  };
  enum class Concurrency { kAllow, kForbid, kReplace };
  ObjectMeta meta;
  std::string schedule;
  std::string time_zone;  // empty: UTC
  Concurrency concurrency = Concurrency::kAllow;
  bool suspended = false;
  std::optional<Duration> starting_deadline;
  int32_t successful_limit = 3;  // finished Jobs that are kept
  int32_t failed_limit = 1;
  // status
  std::vector<Active> active;
  std::optional<Instant> last_schedule;
  std::optional<Instant> last_success;
  RawObject raw;
};

// A former or present template of a StatefulSet or DaemonSet; `raw` holds it as "data".
struct ControllerRevision {
  ObjectMeta meta;
  int64_t revision = 0;
  RawObject raw;
};

struct Namespace {
  ObjectMeta meta;
  RawObject raw;
};

// Values never reach a log or a decision's reasons.
struct Secret {
  ObjectMeta meta;
  StringMap data;  // decoded
  RawObject raw;
};
struct ConfigMap {
  ObjectMeta meta;
  StringMap data;
  RawObject raw;
};

struct PriorityClass {
  ObjectMeta meta;
  int32_t value = 0;
  bool global_default = false;
  bool preempts = true;  // preemptionPolicy != Never
  RawObject raw;
};

// minAvailable XOR maxUnavailable.
struct PodDisruptionBudget {
  ObjectMeta meta;
  LabelSelector selector;
  std::optional<IntOrPercent> min_available;
  std::optional<IntOrPercent> max_unavailable;
  RawObject raw;
};

}  // namespace windlass::api

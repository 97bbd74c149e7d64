// karpenter.sh (v1; v1beta1 is converted when read) and karpenter.k8s.aws.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/core.h"

namespace windlass::api {

// Labels and annotations by their full names.
inline constexpr std::string_view kNodePoolLabel = "karpenter.sh/nodepool";
inline constexpr std::string_view kCapacityTypeLabel = "karpenter.sh/capacity-type";
inline constexpr std::string_view kRegisteredLabel = "karpenter.sh/registered";
inline constexpr std::string_view kInitializedLabel = "karpenter.sh/initialized";
inline constexpr std::string_view kDoNotDisrupt = "karpenter.sh/do-not-disrupt";
inline constexpr std::string_view kDisruptedTaint = "karpenter.sh/disrupted";
inline constexpr std::string_view kUnregisteredTaint = "karpenter.sh/unregistered";
inline constexpr std::string_view kTerminationFinalizer = "karpenter.sh/termination";
inline constexpr std::string_view kInstanceTypeLabel = "node.kubernetes.io/instance-type";
inline constexpr std::string_view kZoneLabel = "topology.kubernetes.io/zone";
inline constexpr std::string_view kRegionLabel = "topology.kubernetes.io/region";
inline constexpr std::string_view kArchLabel = "kubernetes.io/arch";
inline constexpr std::string_view kOsLabel = "kubernetes.io/os";
inline constexpr std::string_view kHostnameLabel = "kubernetes.io/hostname";
inline constexpr std::string_view kSpot = "spot";
inline constexpr std::string_view kOnDemand = "on-demand";
inline constexpr std::string_view kReserved = "reserved";
inline constexpr std::string_view kReservationIdLabel = "karpenter.k8s.aws/capacity-reservation-id";
inline constexpr std::string_view kReservationTypeLabel =
    "karpenter.k8s.aws/capacity-reservation-type";
// On an EC2NodeClass: instances left by reservation, "cr-1=4,cr-2=0". Karpenter asks EC2 and does
// not write it down; a plan made from files has nowhere else to learn it.
inline constexpr std::string_view kReservationsLeftAnnotation =
    "windlass.dev/capacity-reservations-left";

struct NodeClassRef {
  std::string group;
  std::string kind;
  std::string name;
  bool operator==(const NodeClassRef&) const = default;
};

struct Budget {
  IntOrPercent nodes{10, true};
  std::vector<std::string> reasons;  // empty: all of Underutilized, Empty, Drifted
  std::string schedule;              // cron, UTC; empty: always
  std::optional<Duration> duration;
};

enum class ConsolidationPolicy { kWhenEmpty, kWhenEmptyOrUnderutilized, kBalanced };

struct NodePool {
  ObjectMeta meta;
  // template
  StringMap labels;
  StringMap annotations;
  std::vector<Taint> taints;
  std::vector<Taint> startup_taints;
  std::vector<RequirementSpec> requirements;
  NodeClassRef node_class;
  std::optional<Duration> termination_grace;
  std::optional<Duration> expire_after = hours(720);  // nullopt: Never
  // disruption
  ConsolidationPolicy consolidation_policy = ConsolidationPolicy::kWhenEmptyOrUnderutilized;
  std::optional<Duration> consolidate_after = Duration{};  // nullopt: Never
  std::vector<Budget> budgets{Budget{}};
  ResourceList limits;
  int32_t weight = 0;
  std::optional<int32_t> replicas;  // a static pool
  std::vector<Condition> conditions;
  ResourceList status_resources;
  int32_t status_nodes = 0;
  RawObject raw;
};

struct NodeClaim {
  ObjectMeta meta;
  std::vector<Taint> taints;
  std::vector<Taint> startup_taints;
  std::vector<RequirementSpec> requirements;
  NodeClassRef node_class;
  ResourceList requests;
  std::optional<Duration> termination_grace;
  std::optional<Duration> expire_after;
  // status
  std::string node_name;
  std::string provider_id;
  std::string image_id;
  ResourceList capacity;
  ResourceList allocatable;
  std::vector<Condition> conditions;  // Launched, Registered, Initialized, Consolidatable, ...
  std::optional<Instant> last_pod_event;
  RawObject raw;

  [[nodiscard]] std::string pool() const;           // label karpenter.sh/nodepool
  [[nodiscard]] std::string instance_type() const;  // label, set at launch
  [[nodiscard]] std::string capacity_type() const;
  [[nodiscard]] std::string zone() const;
};

// status.capacityReservations
struct CapacityReservation {
  std::string id;
  std::string zone;
  std::string instance_type;
  std::string type = "default";  // or capacity-block
  bool active = true;
  std::optional<int32_t> available;  // for this cluster; kReservationsLeftAnnotation
  std::optional<Instant> ends;
  bool operator==(const CapacityReservation&) const = default;
};

struct Ec2NodeClass {
  ObjectMeta meta;
  std::string ami_family;  // AL2023, Bottlerocket, ...
  std::string ami_alias;
  std::optional<int32_t> max_pods;
  std::optional<int32_t> pods_per_core;
  ResourceList kube_reserved;
  ResourceList system_reserved;
  StringMap eviction_hard;
  std::optional<int64_t> root_volume_bytes;
  bool raid0 = false;  // instanceStorePolicy
  std::vector<CapacityReservation> reservations;
  std::vector<std::string> ami_ids;  // status.amis
  RawObject raw;
};

// karpenter.sh/v1alpha1: other prices or more resources than the provider tells of some types.
struct NodeOverlay {
  ObjectMeta meta;
  std::vector<RequirementSpec> requirements;
  std::optional<double> price_usd_per_hour;  // XOR price_adjustment
  std::string price_adjustment;              // "+10%", "-0.05"; empty: none
  ResourceList capacity;
  int32_t weight = 0;
  RawObject raw;
};

}  // namespace windlass::api

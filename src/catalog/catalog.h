// What can be bought: EC2 instance types with capacity, overhead, allocatable, labels and
// offerings. A Catalog is a value; nothing here reaches the network. Prices are us-east-1 Linux
// on-demand.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/karpenter.h"
#include "api/requirements.h"
#include "api/resources.h"

namespace windlass::catalog {

struct Offering {
  std::string zone;
  std::string capacity_type;  // on-demand, spot, reserved
  double usd_per_hour = 0;
  bool available = true;
  // reserved only: which reservation, its type (default, capacity-block) and instances left in it
  std::string reservation_id{};
  std::string reservation_type{};
  int32_t reservation_left = 0;
  // Chance that a launch now succeeds; the cost objective weighs it (1: nothing is known).
  double odds = 1;
  bool operator==(const Offering&) const = default;
};

struct InstanceType {
  std::string name;
  // Every label Karpenter and its AWS provider set for the type, zone and capacity type included
  // (In over its offerings).
  api::Requirements requirements;
  api::ResourceList capacity;
  api::ResourceList overhead;     // kube reserved + system reserved + eviction threshold
  api::ResourceList allocatable;  // capacity - overhead
  std::vector<Offering> offerings;
  std::string gpu_name;  // "t4"; empty without (nvidia) GPUs
  int gpu_count = 0;
  int64_t gpu_memory_mib = 0;  // of one GPU
  double network_mbps = 0;

  // Cheapest available offering that meets the requirements (zone, capacity type); nullptr if none.
  // Ties: zone name.
  [[nodiscard]] const Offering* cheapest(const api::Requirements& requirements) const;
};

struct Catalog {
  std::vector<InstanceType> types;  // sorted by name
  [[nodiscard]] const InstanceType* find(std::string_view name) const;
};

struct SpotPrice {
  std::string instance_type;
  double usd_per_hour = 0;
};
struct CatalogOptions {
  std::string region = "us-east-1";
  std::vector<std::string> zones{"us-east-1a", "us-east-1b", "us-east-1c"};
  bool spot = true;
  // Over the recorded median spot prices (17 GPU types); a type with neither has a spot offering
  // only if `spot_default_fraction` of its on-demand price is given.
  std::vector<SpotPrice> spot_prices;
  std::optional<double> spot_default_fraction;
};

// All EC2 types of the built-in table (1,370), as a node class of AL2023 defaults sees them. A type
// without an on-demand price has no on-demand offering.
Catalog built_in(const CatalogOptions& options);

// The same types with allocatable as this node class makes it (maxPods, podsPerCore, kubeReserved,
// systemReserved, evictionHard, instanceStorePolicy, root volume): Karpenter's formulas, reference
// karpenter.md 2.9. `base` is as built_in() makes it: its pods stand for the network's limit.
Catalog for_node_class(const Catalog& base, const api::Ec2NodeClass& node_class);

// The same types with the class' capacity reservations as offerings of capacity type reserved, at
// on-demand / 10,000,000 (what Karpenter's AWS provider prices them at), and the overlays' prices
// and resources (evaluated by weight, then name, both descending; karpenter.md 1.5).
Catalog with_reservations(const Catalog& base, const api::Ec2NodeClass& node_class);
Catalog with_overlays(const Catalog& base, const std::vector<const api::NodeOverlay*>& overlays);

}  // namespace windlass::catalog

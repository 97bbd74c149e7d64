#include "catalog/catalog.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "catalog/ec2_table.h"
#include "catalog/labels.h"
#include "catalog/node_capacity.h"

namespace windlass::catalog {
namespace {

// Spot price of a type in every zone, or 0 without a spot market.
double spot_price(const Ec2Facts& facts, const CatalogOptions& options) {
  for (const SpotPrice& price : options.spot_prices) {
    if (price.instance_type == facts.name) return price.usd_per_hour;
  }
  if (facts.spot_median_per_hour > 0) return facts.spot_median_per_hour;
  return facts.on_demand_per_hour * options.spot_default_fraction.value_or(0);
}

// In the order zone, capacity type ("on-demand" before "spot"), whatever order the options have:
// cheapest() keeps the first of equal prices.
std::vector<Offering> offerings_of(const Ec2Facts& facts, const CatalogOptions& options,
                                   const std::vector<std::string>& sorted_zones) {
  const double spot = options.spot ? spot_price(facts, options) : 0;
  std::vector<Offering> offerings;
  for (const std::string& zone : sorted_zones) {
    if (facts.on_demand_per_hour > 0) {
      offerings.push_back({zone, std::string(api::kOnDemand), facts.on_demand_per_hour, true});
    }
    if (spot > 0) offerings.push_back({zone, std::string(api::kSpot), spot, true});
  }
  return offerings;
}

// Without offerings both sets are empty, which is DoesNotExist, as in Karpenter.
void add_offering_labels(InstanceType& type) {
  std::vector<std::string> zones;
  std::vector<std::string> capacity_types;
  for (const Offering& offering : type.offerings) {
    zones.push_back(offering.zone);
    capacity_types.push_back(offering.capacity_type);
  }
  type.requirements.add(api::kZoneLabel, {api::Operator::kIn, zones});
  type.requirements.add(api::kCapacityTypeLabel, {api::Operator::kIn, capacity_types});
}

InstanceType make_type(const Ec2Facts& facts, const CatalogOptions& options,
                       const std::vector<std::string>& sorted_zones) {
  InstanceType type;
  type.name = facts.name;
  type.requirements = type_labels(facts, options.region);
  type.offerings = offerings_of(facts, options, sorted_zones);
  add_offering_labels(type);
  type.capacity = fixed_capacity(facts);
  apply_node_class(type, api::Ec2NodeClass{}, facts.eni_pods, facts.local_nvme_gb);
  // A fraction of a GPU (count 0) is not schedulable as nvidia.com/gpu, so it is none here.
  if (facts.device_count > 0 && type.capacity.has(api::kNvidiaGpu)) {
    type.gpu_name = facts.device;
    type.gpu_count = facts.device_count;
    type.gpu_memory_mib = facts.device_memory_mib;
  }
  type.network_mbps = facts.network_mbps;
  return type;
}

int64_t local_nvme_gb(const InstanceType& type) {
  if (!type.requirements.has(kLocalNvmeLabel)) return 0;
  const auto& values = type.requirements.get(kLocalNvmeLabel).values();
  if (values.size() != 1) return 0;
  const Result<int64_t> size = parse_int(*values.begin());
  return size.ok() ? *size : 0;
}

}  // namespace

const Offering* InstanceType::cheapest(const api::Requirements& wanted) const {
  const api::Requirement& zone = wanted.get(api::kZoneLabel);
  const api::Requirement& capacity_type = wanted.get(api::kCapacityTypeLabel);
  const Offering* best = nullptr;
  for (const Offering& offering : offerings) {
    if (!offering.available) continue;
    if (!zone.has(offering.zone) || !capacity_type.has(offering.capacity_type)) continue;
    const bool better = best == nullptr || offering.usd_per_hour < best->usd_per_hour ||
                        (offering.usd_per_hour == best->usd_per_hour && offering.zone < best->zone);
    if (better) best = &offering;
  }
  return best;
}

const InstanceType* Catalog::find(std::string_view name) const {
  const auto it = std::lower_bound(
      types.begin(), types.end(), name,
      [](const InstanceType& type, std::string_view wanted) { return type.name < wanted; });
  return it != types.end() && it->name == name ? &*it : nullptr;
}

Catalog built_in(const CatalogOptions& options) {
  std::vector<std::string> zones = options.zones;
  std::sort(zones.begin(), zones.end());
  zones.erase(std::unique(zones.begin(), zones.end()), zones.end());
  Catalog catalog;
  catalog.types.reserve(ec2_table().size());
  for (const Ec2Facts& facts : ec2_table()) {
    catalog.types.push_back(make_type(facts, options, zones));
  }
  return catalog;
}

Catalog for_node_class(const Catalog& base, const api::Ec2NodeClass& node_class) {
  Catalog result = base;
  for (InstanceType& type : result.types) {
    // The base was made without maxPods, so its pods are the CNI's limit.
    const int64_t eni_pods = type.capacity.milli(api::kPods) / 1000;
    apply_node_class(type, node_class, eni_pods, local_nvme_gb(type));
  }
  return result;
}

}  // namespace windlass::catalog

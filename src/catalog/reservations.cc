// Capacity reservations as offerings (reference karpenter.md 2.7, 3).
#include <algorithm>
#include <tuple>

#include "catalog/catalog.h"

namespace windlass::catalog {
namespace {

// So cheap that a reservation goes before everything else, and still in the order of list prices.
constexpr double kReservedPriceDivisor = 10'000'000;
// Of a reservation whose count nobody wrote down one instance is relied on: being listed says that
// it is there, not how much of it.
constexpr int32_t kLeftIfUnknown = 1;

// Types without a list price (those sold in capacity blocks alone) cost nothing, as at the
// provider.
double on_demand_price(const InstanceType& type) {
  for (const Offering& offering : type.offerings) {
    if (offering.capacity_type == api::kOnDemand) return offering.usd_per_hour;
  }
  return 0;
}

Offering offering_of(const InstanceType& type, const api::CapacityReservation& reservation) {
  Offering out;
  out.zone = reservation.zone;
  out.capacity_type = api::kReserved;
  out.usd_per_hour = on_demand_price(type) / kReservedPriceDivisor;
  out.reservation_id = reservation.id;
  out.reservation_type = reservation.type;
  out.reservation_left = reservation.available.value_or(kLeftIfUnknown);
  out.available = reservation.active && out.reservation_left > 0;
  return out;
}

// The labels that follow from the offerings: a set can only be narrowed, so they are put anew.
void restate_labels(InstanceType& type) {
  std::vector<std::string> zones;
  std::vector<std::string> capacity_types;
  std::vector<std::string> ids;
  std::vector<std::string> kinds;
  for (const Offering& offering : type.offerings) {
    zones.push_back(offering.zone);
    capacity_types.push_back(offering.capacity_type);
    if (offering.reservation_id.empty()) continue;
    ids.push_back(offering.reservation_id);
    kinds.push_back(offering.reservation_type);
  }
  api::Requirements labels;
  for (const auto& [key, requirement] : type.requirements) {
    const bool of_offerings = key == api::kZoneLabel || key == api::kCapacityTypeLabel ||
                              key == api::kReservationIdLabel || key == api::kReservationTypeLabel;
    if (!of_offerings) labels.add(key, requirement);
  }
  labels.add(api::kZoneLabel, {api::Operator::kIn, zones});
  labels.add(api::kCapacityTypeLabel, {api::Operator::kIn, capacity_types});
  labels.add(api::kReservationIdLabel, {api::Operator::kIn, ids});
  labels.add(api::kReservationTypeLabel, {api::Operator::kIn, kinds});
  type.requirements = std::move(labels);
}

// By zone, capacity type and reservation, as the rest of the catalogue is; of equal prices the
// first is taken.
void sort_offerings(std::vector<Offering>& offerings) {
  std::ranges::stable_sort(offerings, [](const Offering& a, const Offering& b) {
    return std::tie(a.zone, a.capacity_type, a.reservation_id) <
           std::tie(b.zone, b.capacity_type, b.reservation_id);
  });
}

}  // namespace

Catalog with_reservations(const Catalog& base, const api::Ec2NodeClass& node_class) {
  Catalog out = base;
  for (InstanceType& type : out.types) {
    bool changed = false;
    for (const api::CapacityReservation& reservation : node_class.reservations) {
      if (reservation.instance_type != type.name) continue;
      type.offerings.push_back(offering_of(type, reservation));
      changed = true;
    }
    if (!changed) continue;
    sort_offerings(type.offerings);
    restate_labels(type);
  }
  return out;
}

}  // namespace windlass::catalog

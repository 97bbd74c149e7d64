#include "scheduling/reservations.h"

#include <algorithm>
#include <set>

#include "scheduling/type_filter.h"

namespace windlass::scheduling {

void Reservations::learn(const catalog::Catalog& catalog) {
  for (const catalog::InstanceType& type : catalog.types) {
    for (const catalog::Offering& offering : type.offerings) {
      if (offering.capacity_type != api::kReserved) continue;
      const int32_t left = offering.available ? offering.reservation_left : 0;
      const auto [at, is_new] = left_.try_emplace(offering.reservation_id, left);
      if (!is_new) at->second = std::min(at->second, left);
    }
  }
}

int32_t Reservations::left(const std::string& id) const {
  const auto at = left_.find(id);
  return at == left_.end() ? 0 : at->second;
}

void Reservations::exchange(ReservationIds& held, ReservationIds wanted) {
  for (const std::string& id : held) {
    if (!std::ranges::binary_search(wanted, id)) ++left_[id];
  }
  for (const std::string& id : wanted) {
    if (!std::ranges::binary_search(held, id)) --left_[id];
  }
  held = std::move(wanted);
}

Reservations::Look Reservations::look(const catalog::Catalog& catalog, const TypeSet& types,
                                      const api::Requirements& requirements,
                                      const ReservationIds& held) const {
  std::set<std::string> all;
  const OfferingFilter filter(requirements);
  for (size_t i = types.next(0); i != TypeSet::kNone; i = types.next(i + 1)) {
    for (const catalog::Offering& offering : catalog.types[i].offerings) {
      if (offering.capacity_type != api::kReserved || !filter.admits(offering)) continue;
      all.insert(offering.reservation_id);
    }
  }
  Look out;
  for (const std::string& id : all) {
    out.all.push_back(id);
    if (left(id) > 0 || std::ranges::binary_search(held, id)) out.holdable.push_back(id);
  }
  return out;
}

api::Requirements reserved_as(const ReservationIds& ids) {
  api::Requirements out;
  out.add(api::kCapacityTypeLabel, {api::Operator::kIn, {std::string(api::kReserved)}});
  out.add(api::kReservationIdLabel, {api::Operator::kIn, ids});
  return out;
}

api::Requirements not_reserved() {
  api::Requirements out;
  out.add(api::kCapacityTypeLabel, {api::Operator::kNotIn, {std::string(api::kReserved)}});
  return out;
}

}  // namespace windlass::scheduling

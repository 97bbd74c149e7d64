// Capacity that is paid for already and counted (reference karpenter.md 2.7): a claim that could
// become a reserved instance holds one of every reservation it may still take, so that two claims
// never count on one instance. Strict: a pod whose reservations are all held waits for the next
// round. Fallback: it goes on without them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "scheduling/type_set.h"

namespace windlass::scheduling {

using ReservationIds = std::vector<std::string>;  // sorted

class Reservations {
 public:
  // Types may disagree on what is left of a reservation: the least counts.
  void learn(const catalog::Catalog& catalog);
  [[nodiscard]] bool none() const { return left_.empty(); }
  [[nodiscard]] int32_t left(const std::string& id) const;
  // Lets go of what is held and no longer wanted, takes what is new.
  void exchange(ReservationIds& held, ReservationIds wanted);

  struct Look {
    ReservationIds all;       // that these types could take
    ReservationIds holdable;  // of those: held by the claim already, or still to be had
  };
  [[nodiscard]] Look look(const catalog::Catalog& catalog, const TypeSet& types,
                          const api::Requirements& requirements, const ReservationIds& held) const;

 private:
  std::map<std::string, int32_t> left_;
};

// What a claim that holds these says: capacity type reserved, of one of them.
api::Requirements reserved_as(const ReservationIds& ids);
// What a claim says that goes on without reservations.
api::Requirements not_reserved();

}  // namespace windlass::scheduling

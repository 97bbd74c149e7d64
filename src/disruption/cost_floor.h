// A look at one node before the scheduler is asked: the least that a new node would cost if some of
// its pods are too large for every node that stays. In a settled cluster that rules out most nodes,
// and a simulation costs a thousand times as much as this.
//
// Worth knowing: it only ever says no where a simulation would. It compares cpu, memory, GPUs and
// pod count with what is free before daemons, and takes the cheapest offering of any pool that
// fits.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "disruption/candidates.h"
#include "disruption/propose.h"

namespace windlass::disruption {

class CostFloor {
 public:
  CostFloor(const Cluster& cluster, const std::vector<NodeView>& nodes);

  // USD/h; 0 if each pod fits on some other node by itself, infinity if one fits on no type.
  [[nodiscard]] double of(size_t node) const;

 private:
  using Size = std::array<int64_t, 4>;  // milli-units
  struct Room {
    const std::string* claim;
    const std::string* name;
    Size free;
  };
  struct Offer {
    double usd_per_hour;
    Size size;
  };
  static Size size_of(const api::ResourceList& list);
  static bool fits(const Size& pod, const Size& room);

  const std::vector<NodeView>& nodes_;
  std::vector<Room> rooms_;
  std::vector<Offer> offers_;  // cheapest first
};

}  // namespace windlass::disruption

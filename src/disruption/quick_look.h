// A look at one node before the scheduler is asked, at a thousandth of the cost: if some of its
// pods are too large for every node that stays, what would a new node cost at least, and might it
// be a spot node again? In a settled cluster that rules out most nodes.
//
// Worth knowing: it says no only where a simulation would. It compares cpu, memory, GPUs and pod
// count with what is free before daemons, and takes the cheapest offering of any pool that fits.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "disruption/candidates.h"
#include "disruption/propose.h"

namespace windlass::disruption {

class QuickLook {
 public:
  // Keeps references to the first two.
  QuickLook(const Cluster& cluster, const std::vector<NodeView>& nodes, const Options& options);

  // Why the node surely cannot be consolidated alone; empty: it has to be tried.
  [[nodiscard]] std::string why_hopeless(size_t node) const;

  // USD/h that the node's pods will cost at least in new nodes: 0 if each of them fits on some
  // other node by itself, infinity if one fits on no type.
  [[nodiscard]] double least_price(size_t node) const;

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
  bool spot_to_spot_;
  std::vector<Room> rooms_;
  std::vector<Offer> offers_;          // cheapest first
  bool new_nodes_may_be_spot_ = true;  // any that no pod of the node itself restricts
};

}  // namespace windlass::disruption

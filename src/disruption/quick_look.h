// A look at one node before the scheduler is asked, at a thousandth of the cost: if some of its
// pods are too large for every node that stays, what would new nodes cost at least, and might they
// be spot nodes again? In a settled cluster that rules out nearly all nodes.
//
// Worth knowing: it says no only where a simulation would. It compares cpu, memory, GPUs and pod
// count with what is free before daemons. Pods that fit on no other node must all be on new ones:
// on one, whose cheapest offering that holds their sum is the bound, or on several, which cost at
// least what their pods' shares do at the best price of any one resource.
#pragma once

#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "disruption/candidates.h"
#include "disruption/propose.h"
#include "disruption/room_tree.h"

namespace windlass::disruption {

class QuickLook {
 public:
  // Keeps references to the first two.
  QuickLook(const Cluster& cluster, const std::vector<NodeView>& nodes, const Options& options);

  // Why the node surely cannot be consolidated alone; empty: it has to be tried.
  [[nodiscard]] std::string why_hopeless(size_t node) const;

  // Whether several nodes surely can't go together with one cheaper node in their place.
  [[nodiscard]] bool hopeless_together(std::span<const size_t> nodes) const;

  // USD/h that the node's pods will cost at least in new nodes: 0 if each of them fits on some
  // other node by itself, infinity if no type holds what must be on one node.
  [[nodiscard]] double least_price(size_t node) const;

 private:
  struct Room {
    const std::string* claim;
    const std::string* name;
  };
  struct Offer {
    double usd_per_hour;
    Size size;
  };
  template <typename Leaves>  // bool of a Room
  [[nodiscard]] bool has_room(const Size& pod, Leaves leaves) const;
  [[nodiscard]] bool has_room_beside(const Size& pod, const Candidate& leaving) const;
  [[nodiscard]] double cheapest_for(const Size& size) const;

  const std::vector<NodeView>& nodes_;
  bool spot_to_spot_;
  bool one_new_node_;
  std::vector<Room> rooms_;
  RoomTree free_;                                                   // of rooms_
  std::vector<std::pair<Size, const std::string*>> uninitialized_;  // free, and whose
  std::vector<Offer> offers_;                                       // cheapest first
  std::array<double, 4> unit_usd_{};   // an hour of one milli-unit at the best price
  bool new_nodes_may_be_spot_ = true;  // any that no pod of the node itself restricts
};

}  // namespace windlass::disruption

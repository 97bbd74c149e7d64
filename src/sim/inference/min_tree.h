// The least of one int64 key a slot, and the slot that has it; of equal keys the lowest slot's.
// A tournament: changing a key costs log2(slots) comparisons, asking costs nothing. The fleet asks
// it which server acts next and which has the least outstanding requests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace windlass::sim {

class MinTree {
 public:
  static constexpr int64_t kNone = INT64_MAX;  // a slot that takes no part

  [[nodiscard]] int64_t min_key() const { return nodes_[1].key; }
  // Meaningful where min_key() isn't kNone.
  [[nodiscard]] uint32_t min_slot() const { return nodes_[1].slot; }

  // Appends a slot, numbered from 0.
  void add(int64_t key) {
    if (slots_ == leaves_) grow();
    set(static_cast<uint32_t>(slots_++), key);
  }

  void set(uint32_t slot, int64_t key) {
    size_t node = leaves_ + slot;
    nodes_[node].key = key;
    while (node > 1) {
      node /= 2;
      // <=: the left child holds the lower slots.
      const Node& left = nodes_[2 * node];
      const Node& right = nodes_[2 * node + 1];
      nodes_[node] = left.key <= right.key ? left : right;
    }
  }

 private:
  struct Node {
    int64_t key = kNone;
    uint32_t slot = 0;
  };

  void grow() {
    const std::vector<Node> old = nodes_;
    const size_t old_leaves = leaves_;
    leaves_ *= 2;
    nodes_.assign(2 * leaves_, Node{});
    for (size_t slot = 0; slot < leaves_; ++slot) {
      nodes_[leaves_ + slot].slot = static_cast<uint32_t>(slot);
    }
    for (size_t slot = 0; slot < old_leaves; ++slot) {
      set(static_cast<uint32_t>(slot), old[old_leaves + slot].key);
    }
  }

  size_t leaves_ = 1;
  size_t slots_ = 0;
  std::vector<Node> nodes_ = std::vector<Node>(2);  // [1] the root, [leaves_..] the slots
};

}  // namespace windlass::sim

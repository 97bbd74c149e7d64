// Free room of many nodes, searched in logarithmic time: which node at or after a position has
// room for a pod? A tree of maxima, resource by resource; a subtree whose maxima are too small is
// skipped whole. With it a look at every node of a cluster is near linear in their number.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace windlass::disruption {

using Size = std::array<int64_t, 4>;  // cpu, memory, GPUs, pods: milli-units

// A resource that the pod does not ask for never stands in the way.
bool fits(const Size& pod, const Size& room);

class RoomTree {
 public:
  static constexpr size_t kNone = SIZE_MAX;

  explicit RoomTree(const std::vector<Size>& rooms);
  // The first position >= `from` whose room fits the pod, or kNone.
  [[nodiscard]] size_t first_fit(const Size& pod, size_t from) const;

 private:
  [[nodiscard]] size_t search(size_t at, size_t low, size_t width, const Size& pod,
                              size_t from) const;

  size_t leaves_ = 1;         // a power of two
  std::vector<Size> maxima_;  // heap order, root at 1
};

}  // namespace windlass::disruption

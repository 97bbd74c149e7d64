#include "disruption/room_tree.h"

#include <algorithm>
#include <limits>

namespace windlass::disruption {

bool fits(const Size& pod, const Size& room) {
  for (size_t i = 0; i < pod.size(); ++i) {
    if (pod[i] > 0 && pod[i] > room[i]) return false;
  }
  return true;
}

RoomTree::RoomTree(const std::vector<Size>& rooms) {
  while (leaves_ < rooms.size()) leaves_ *= 2;
  Size nothing;
  nothing.fill(std::numeric_limits<int64_t>::min());
  maxima_.assign(2 * leaves_, nothing);
  std::ranges::copy(rooms, maxima_.begin() + static_cast<std::ptrdiff_t>(leaves_));
  for (size_t at = leaves_ - 1; at > 0; --at) {
    for (size_t i = 0; i < nothing.size(); ++i) {
      maxima_[at][i] = std::max(maxima_[2 * at][i], maxima_[2 * at + 1][i]);
    }
  }
}

size_t RoomTree::search(size_t at, size_t low, size_t width, const Size& pod, size_t from) const {
  if (low + width <= from || !fits(pod, maxima_[at])) return kNone;
  if (width == 1) return low;
  const size_t left = search(2 * at, low, width / 2, pod, from);
  return left != kNone ? left : search(2 * at + 1, low + width / 2, width / 2, pod, from);
}

size_t RoomTree::first_fit(const Size& pod, size_t from) const {
  const size_t found = search(1, 0, leaves_, pod, from);
  // A pod that asks for nothing fits even where no node is.
  const bool real =
      found != kNone && maxima_[leaves_ + found].front() != std::numeric_limits<int64_t>::min();
  return real ? found : kNone;
}

}  // namespace windlass::disruption

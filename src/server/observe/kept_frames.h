// Frames kept for looking back, within a bound of bytes: the newest closely, older ones ever more
// thinly.
#pragma once

#include <cstddef>
#include <deque>

#include "server/observe/frame.h"

namespace windlass::server::observe {

class KeptFrames {
 public:
  explicit KeptFrames(size_t bytes_max) : bytes_max_(bytes_max) {}

  // Later than all before it.
  void keep(FramePtr frame);
  // The one nearest in time, the earlier of two; null if none is kept.
  [[nodiscard]] FramePtr nearest(Instant time) const;
  [[nodiscard]] size_t size() const { return kept_.size(); }
  [[nodiscard]] size_t bytes() const { return bytes_; }
  [[nodiscard]] const FramePtr& newest() const { return kept_.back().frame; }
  [[nodiscard]] bool empty() const { return kept_.empty(); }

 private:
  struct Kept {
    FramePtr frame;
    size_t bytes = 0;  // beyond what the one before it holds
  };
  void drop_one();

  size_t bytes_max_;
  size_t bytes_ = 0;
  std::deque<Kept> kept_;
};

}  // namespace windlass::server::observe

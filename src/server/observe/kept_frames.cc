#include "server/observe/kept_frames.h"

#include <algorithm>

namespace windlass::server::observe {

void KeptFrames::keep(FramePtr frame) {
  const size_t bytes = own_bytes(*frame, kept_.empty() ? nullptr : kept_.back().frame.get());
  kept_.push_back({std::move(frame), bytes});
  bytes_ += bytes;
  // The newest stays, however large it is.
  while (bytes_ > bytes_max_ && kept_.size() > 1) drop_one();
}

// The one whose absence shows least: the gap it would leave, against how long ago it was. So gaps
// grow in proportion to age. Neither the first nor the last goes while there are others.
void KeptFrames::drop_one() {
  size_t victim = 0;
  double least = 0;
  const Instant now = kept_.back().frame->now;
  for (size_t i = 1; i + 1 < kept_.size(); ++i) {
    const double gap = (kept_[i + 1].frame->now - kept_[i - 1].frame->now).seconds();
    const double age = (now - kept_[i].frame->now).seconds() + 1;
    if (victim == 0 || gap / age < least) {
      victim = i;
      least = gap / age;
    }
  }
  bytes_ -= kept_[victim].bytes;
  kept_.erase(kept_.begin() + static_cast<ptrdiff_t>(victim));
  // What the dropped one shared with its successor is now the successor's own.
  Kept& next = kept_[victim];
  bytes_ -= next.bytes;
  next.bytes = own_bytes(*next.frame, victim == 0 ? nullptr : kept_[victim - 1].frame.get());
  bytes_ += next.bytes;
}

FramePtr KeptFrames::nearest(Instant time) const {
  if (kept_.empty()) return nullptr;
  const auto after =
      std::ranges::lower_bound(kept_, time, {}, [](const Kept& kept) { return kept.frame->now; });
  if (after == kept_.begin()) return after->frame;
  const auto before = std::prev(after);
  if (after == kept_.end()) return before->frame;
  return after->frame->now - time < time - before->frame->now ? after->frame : before->frame;
}

}  // namespace windlass::server::observe

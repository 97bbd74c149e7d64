// How long to wait after a failure: doubling with jitter, and from the start again after a while of
// health (client-go's exponential backoff manager, reference 1.2).
#pragma once

#include <algorithm>
#include <optional>

#include "base/rng.h"
#include "base/time.h"

namespace windlass::live::kube {

class Backoff {
 public:
  // The wait before the next try, for a failure at steady time `now`: 0.8 s, 1.6 s, ... 30 s, each
  // times 1 to 2. Two minutes without a failure make it 0.8 s again.
  Duration next(Duration now, Rng& rng) {
    if (!last_ || now - *last_ > kHealthy) base_ = kFirst;
    last_ = now;
    const auto jitter = static_cast<int64_t>(static_cast<double>(base_.ns) * rng.uniform());
    const Duration wait{base_.ns + jitter};
    base_ = std::min(base_ * 2, kMost);
    return wait;
  }

 private:
  static constexpr Duration kFirst = milliseconds(800);
  static constexpr Duration kMost = seconds(30);
  static constexpr Duration kHealthy = minutes(2);
  Duration base_ = kFirst;
  std::optional<Duration> last_;
};

}  // namespace windlass::live::kube

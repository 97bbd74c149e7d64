// Private to this room: a rate limit with bursts, by the stopwatch.
#pragma once

#include <algorithm>

#include "base/time.h"

namespace windlass::live::kube {

class TokenBucket {
 public:
  TokenBucket(double per_s, int burst, Duration now)
      : per_s_(per_s), burst_(std::max(burst, 1)), tokens_(burst_), filled_(now) {}

  bool take(Duration now) {
    fill(now);
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }
  // How long until take() succeeds.
  Duration wait(Duration now) {
    fill(now);
    return tokens_ >= 1 ? Duration{} : from_seconds((1 - tokens_) / per_s_) + nanoseconds(1);
  }

 private:
  void fill(Duration now) {
    tokens_ = std::min<double>(burst_, tokens_ + (now - filled_).seconds() * per_s_);
    filled_ = now;
  }

  double per_s_;
  int burst_;
  double tokens_;
  Duration filled_;
};

}  // namespace windlass::live::kube

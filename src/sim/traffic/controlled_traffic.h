// A Traffic whose rate can be turned while it runs: requests are left out (factor < 1) or taken
// several times (> 1) at the moment they would arrive, never ahead of it, so that turning takes
// effect at once and a factor of 0 reads no further than time goes. At factor 1 it hands out what
// the traffic gives, unchanged, and draws no random number.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/rng.h"
#include "sim/traffic/traffic.h"

namespace windlass::sim {

class ControlledTraffic {
 public:
  static constexpr double kGreatestFactor = 1000;

  ControlledTraffic(Traffic traffic, uint64_t seed);

  // From the next arrival on; clamped to [0, kGreatestFactor].
  void set_factor(double factor);
  [[nodiscard]] double factor() const { return factor_; }

  // When something may arrive next; INT64_MAX at the end.
  [[nodiscard]] int64_t next_ns() const {
    const int64_t upcoming = upcoming_ ? upcoming_->arrival.ns : INT64_MAX;
    return copies_.empty() ? upcoming : std::min(upcoming, copies_.front().arrival.ns);
  }
  // What arrives then, numbered in order; nullopt: it was left out. Not to be called at the end.
  std::optional<Request> take();
  // Leaves out all that arrives before `from`.
  void skip_until(Instant from);

  // The traffic's error, once everything before it was handed out.
  [[nodiscard]] const std::optional<Error>& error() const;

 private:
  void plan_copies(const Request& request);

  Traffic traffic_;
  Rng rng_;
  double factor_ = 1;
  uint64_t next_id_ = 0;
  std::optional<Request> upcoming_;
  std::vector<Request> copies_;  // a heap, the earliest in front; all before upcoming_
};

}  // namespace windlass::sim

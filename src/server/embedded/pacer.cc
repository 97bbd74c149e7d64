#include "server/embedded/pacer.h"

#include <algorithm>

namespace windlass::server::embedded {

Instant Pacer::target(Instant wall) const {
  if (paused_ || wall <= wall_) return simulated_;
  return simulated_ + from_seconds((wall - wall_).seconds() * speed_);
}

void Pacer::rebase(Instant wall) {
  simulated_ = target(wall);
  wall_ = std::max(wall, wall_);
}

void Pacer::reached(Instant simulated, Instant wall) {
  const Instant wanted = target(wall);
  if (wanted - simulated > from_seconds(speed_)) settle_at(simulated, wall);
}

void Pacer::settle_at(Instant simulated, Instant wall) {
  simulated_ = simulated;
  wall_ = std::max(wall, wall_);
}

void Pacer::set_speed(double speed, Instant wall) {
  rebase(wall);
  speed_ = speed;
}

void Pacer::set_paused(bool paused, Instant wall) {
  if (paused == paused_) return;
  rebase(wall);
  wall_ = wall;
  paused_ = paused;
}

}  // namespace windlass::server::embedded

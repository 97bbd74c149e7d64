// Simulated time against the wall's: where the world should be by now at a given speed. A world
// that can't keep up is not chased for ever: what it lags beyond a second of wall time is let go.
#pragma once

#include "base/time.h"

namespace windlass::server::embedded {

class Pacer {
 public:
  // `speed`: simulated seconds a second of wall time, > 0.
  Pacer(Instant simulated, Instant wall, double speed)
      : simulated_(simulated), wall_(wall), speed_(speed) {}

  // Where the world should be; never goes back.
  [[nodiscard]] Instant target(Instant wall) const;
  // The world is at `simulated` now. What it lags by more than it covers in a second is forgotten.
  void reached(Instant simulated, Instant wall);

  // Forgets what the world lags by: who stops or slows it means the world that is on show.
  void settle_at(Instant simulated, Instant wall);

  void set_speed(double speed, Instant wall);
  void set_paused(bool paused, Instant wall);
  [[nodiscard]] double speed() const { return speed_; }
  [[nodiscard]] bool paused() const { return paused_; }

 private:
  // Starts anew from where the target is.
  void rebase(Instant wall);

  Instant simulated_;  // at `wall_`
  Instant wall_;
  double speed_;
  bool paused_ = false;
};

}  // namespace windlass::server::embedded

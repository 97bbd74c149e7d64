// Time at the worlds' edge: what a wall clock says, what a stopwatch says, and work for later. The
// real one reads the system's clocks; tests bring a virtual one and run a week in a minute.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/time.h"
#include "net/event_loop.h"

namespace windlass::net {

class Clock {
 public:
  using TimerId = uint64_t;  // never 0
  virtual ~Clock() = default;
  // UTC; may jump (NTP, a suspended machine).
  [[nodiscard]] virtual Instant now() const = 0;
  // Since some fixed point; never goes back. Time-outs and lease expiry go by this one.
  [[nodiscard]] virtual Duration steady() const = 0;
  // Runs `work` once after `delay` of steady time, never inside this call.
  virtual TimerId after(Duration delay, std::function<void()> work) = 0;
  // Nothing happens if it has run or is unknown.
  virtual void cancel(TimerId timer) = 0;
};

// The system's clocks on the loop, which must outlive it.
std::unique_ptr<Clock> system_clock_on(EventLoop& loop);

}  // namespace windlass::net

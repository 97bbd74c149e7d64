// A clock that stands until it is told to go: for tests, which run weeks in moments. Timers run in
// order of time, then of their making.
#pragma once

#include <algorithm>
#include <map>
#include <utility>

#include "net/clock.h"

namespace windlass::net {

class VirtualClock : public Clock {
 public:
  explicit VirtualClock(Instant start) : wall_(start) {}

  [[nodiscard]] Instant now() const override { return wall_; }
  [[nodiscard]] Duration steady() const override { return steady_; }
  TimerId after(Duration delay, std::function<void()> work) override {
    const TimerId id = ++made_;
    timers_.emplace(std::pair(steady_ + std::max(delay, Duration{}), id), std::move(work));
    return id;
  }
  void cancel(TimerId timer) override {
    std::erase_if(timers_, [&](const auto& entry) { return entry.first.second == timer; });
  }

  // When the next timer is due, in steady time; Duration{INT64_MAX}: none is set.
  [[nodiscard]] Duration next() const {
    return timers_.empty() ? Duration{INT64_MAX} : timers_.begin()->first.first;
  }
  // Runs the timers due within `length`, each at its time, then stands at the end of it.
  void advance(Duration length) {
    const Duration end = steady_ + length;
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      const auto first = timers_.begin();
      move_to(std::max(first->first.first, steady_));
      const std::function<void()> work = std::move(first->second);
      timers_.erase(first);
      work();
    }
    move_to(end);
  }
  // The wall clock jumps, the stopwatch does not.
  void jump(Duration by) { wall_ = wall_ + by; }

 private:
  void move_to(Duration steady) {
    wall_ = wall_ + (steady - steady_);
    steady_ = steady;
  }

  Instant wall_;
  Duration steady_{};
  uint64_t made_ = 0;
  std::map<std::pair<Duration, TimerId>, std::function<void()>> timers_;
};

}  // namespace windlass::net

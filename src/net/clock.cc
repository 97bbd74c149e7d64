#include "net/clock.h"

#include <algorithm>
#include <ctime>
#include <event2/event.h>
#include <map>
#include <utility>

namespace windlass::net {

namespace {

class SystemClock : public Clock {
 public:
  explicit SystemClock(EventLoop& loop) : base_(loop.base()) {}
  SystemClock(const SystemClock&) = delete;
  SystemClock& operator=(const SystemClock&) = delete;
  ~SystemClock() override {
    for (const auto& [id, timer] : timers_) event_free(timer.handle);
  }

  [[nodiscard]] Instant now() const override { return {read(CLOCK_REALTIME)}; }
  // Goes on while a machine is suspended: a lease runs out meanwhile.
  [[nodiscard]] Duration steady() const override { return {read(CLOCK_BOOTTIME)}; }
  TimerId after(Duration delay, std::function<void()> work) override {
    const TimerId id = ++made_;
    Timer& timer = timers_[id];
    timer.clock = this;
    timer.id = id;
    timer.due = steady() + std::max(delay, Duration{});
    timer.work = std::move(work);
    timer.handle = evtimer_new(base_, &SystemClock::fire, &timer);
    arm(timer);
    return id;
  }
  void cancel(TimerId id) override {
    const auto found = timers_.find(id);
    if (found == timers_.end()) return;
    event_free(found->second.handle);
    timers_.erase(found);
  }

 private:
  struct Timer {
    SystemClock* clock = nullptr;
    TimerId id = 0;
    Duration due{};
    event* handle = nullptr;
    std::function<void()> work;
  };

  static int64_t read(clockid_t id) {
    timespec time{};
    clock_gettime(id, &time);
    return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
  }

  void arm(const Timer& timer) const {
    const int64_t us = (std::max<int64_t>(0, (timer.due - steady()).ns) + 999) / 1000;
    const timeval wait{static_cast<time_t>(us / 1'000'000),
                       static_cast<suseconds_t>(us % 1'000'000)};
    evtimer_add(timer.handle, &wait);
  }

  static void fire(evutil_socket_t, short, void* argument) {
    auto& timer = *static_cast<Timer*>(argument);
    SystemClock& clock = *timer.clock;
    // The loop counts from the start of its turn and by a coarse clock, so it may come early by
    // milliseconds. Deadlines are compared with steady(): early must not happen.
    if (clock.steady() < timer.due) {
      clock.arm(timer);
      return;
    }
    // Gone before the work runs: it may add and cancel timers, or end the clock.
    const std::function<void()> work = std::move(timer.work);
    clock.cancel(timer.id);
    work();
  }

  event_base* base_;
  TimerId made_ = 0;
  std::map<TimerId, Timer> timers_;  // nodes don't move: events point to them
};

}  // namespace

std::unique_ptr<Clock> system_clock_on(EventLoop& loop) {
  return std::make_unique<SystemClock>(loop);
}

}  // namespace windlass::net

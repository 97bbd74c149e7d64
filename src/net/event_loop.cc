#include "net/event_loop.h"

#include <algorithm>
#include <csignal>
#include <event2/event.h>
#include <list>
#include <mutex>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace windlass::net {

namespace {

timeval to_timeval(Duration d) {
  const int64_t us = std::max<int64_t>(0, d.ns / 1000);
  return {static_cast<time_t>(us / 1'000'000), static_cast<suseconds_t>(us % 1'000'000)};
}

}  // namespace

struct EventLoop::Impl {
  struct Timer {
    Impl* loop = nullptr;
    event* handle = nullptr;
    bool once = false;
    std::function<void()> work;
    std::list<Timer>::iterator self;
  };

  event_base* base = nullptr;
  std::list<Timer> timers;
  std::vector<std::function<void()>> turn_ends;
  bool stopped = false;
  // Work from other threads; the descriptor is readable while there is some.
  std::mutex posted_lock;
  std::vector<std::function<void()>> posted;
  int wake_fd = -1;
  event* wake = nullptr;

  static void run_posted(evutil_socket_t fd, short, void* argument) {
    auto& loop = *static_cast<Impl*>(argument);
    uint64_t ignored = 0;
    // Emptied before the work is taken: what is posted meanwhile wakes us again.
    [[maybe_unused]] const ssize_t got = read(fd, &ignored, sizeof ignored);
    std::vector<std::function<void()>> work;
    {
      const std::lock_guard lock(loop.posted_lock);
      work.swap(loop.posted);
    }
    for (const std::function<void()>& one : work) one();
  }

  Timer& add(bool once, std::function<void()> work) {
    timers.push_back({this, nullptr, once, std::move(work), {}});
    timers.back().self = std::prev(timers.end());
    return timers.back();
  }

  static void fire(evutil_socket_t, short, void* argument) {
    auto& timer = *static_cast<Timer*>(argument);
    if (!timer.once) {
      timer.work();
      return;
    }
    // Gone before the work runs: it may add timers or end the loop.
    const std::function<void()> work = std::move(timer.work);
    event_free(timer.handle);
    timer.loop->timers.erase(timer.self);
    work();
  }
};

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {
  // A peer that goes while we write is an error of that write, not the end of the program; OpenSSL
  // writes without MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
  event_config* config = event_config_new();
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  impl_->base = event_base_new_with_config(config);
  event_config_free(config);
  WL_ASSERT(impl_->base != nullptr);
  impl_->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  WL_ASSERT(impl_->wake_fd >= 0);
  impl_->wake =
      event_new(impl_->base, impl_->wake_fd, EV_READ | EV_PERSIST, &Impl::run_posted, impl_.get());
  event_add(impl_->wake, nullptr);
}

EventLoop::~EventLoop() {
  for (const Impl::Timer& timer : impl_->timers) event_free(timer.handle);
  event_free(impl_->wake);
  close(impl_->wake_fd);
  event_base_free(impl_->base);
}

void EventLoop::turn() {
  // At least one event's work is done, and all that this work makes ready at once.
  event_base_loop(impl_->base, EVLOOP_ONCE);
  for (size_t i = 0; i < impl_->turn_ends.size(); ++i) {
    const std::function<void()> work = impl_->turn_ends[i];  // which may add to the list
    work();
  }
}

void EventLoop::run() {
  constexpr unsigned kAll = EVENT_BASE_COUNT_ADDED | EVENT_BASE_COUNT_ACTIVE;
  constexpr int kOwn = 1;  // the wake-up of post()
  while (!impl_->stopped && event_base_get_num_events(impl_->base, kAll) > kOwn) turn();
  impl_->stopped = false;
}

void EventLoop::stop() { impl_->stopped = true; }

void EventLoop::after(Duration delay, std::function<void()> work) {
  Impl::Timer& timer = impl_->add(true, std::move(work));
  timer.handle = evtimer_new(impl_->base, &Impl::fire, &timer);
  const timeval wait = to_timeval(delay);
  evtimer_add(timer.handle, &wait);
}

void EventLoop::every(Duration period, std::function<void()> work) {
  Impl::Timer& timer = impl_->add(false, std::move(work));
  timer.handle = event_new(impl_->base, -1, EV_PERSIST, &Impl::fire, &timer);
  const timeval wait = to_timeval(period);
  event_add(timer.handle, &wait);
}

void EventLoop::on_turn_end(std::function<void()> work) {
  impl_->turn_ends.push_back(std::move(work));
}

void EventLoop::on_signal(int number, std::function<void()> work) {
  Impl::Timer& timer = impl_->add(false, std::move(work));
  timer.handle = evsignal_new(impl_->base, number, &Impl::fire, &timer);
  event_add(timer.handle, nullptr);
}

void EventLoop::post(std::function<void()> work) {
  {
    const std::lock_guard lock(impl_->posted_lock);
    impl_->posted.push_back(std::move(work));
  }
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t put = write(impl_->wake_fd, &one, sizeof one);
}

event_base* EventLoop::base() const { return impl_->base; }

}  // namespace windlass::net

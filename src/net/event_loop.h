// The loop that everything with sockets runs on: listeners, outgoing requests, timers and signals.
// One thread, but for post().
#pragma once

#include <functional>
#include <memory>

#include "base/time.h"

struct event_base;

namespace windlass::net {

class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  void run();   // until stop(), or until nothing is left that could ever happen
  void turn();  // one turn: waits until something happens, then does it
  void stop();  // may be called from a signal handler of on_signal
  void after(Duration delay, std::function<void()> work);
  void every(Duration period, std::function<void()> work);
  // Called at the end of every turn that did something: commits go here.
  void on_turn_end(std::function<void()> work);
  void on_signal(int number, std::function<void()> work);
  // From any thread: `work` runs on the loop's, in the order of posting. What is posted when the
  // loop ends is destroyed with it, unrun. Waiting for posts alone doesn't keep run() going.
  void post(std::function<void()> work);
  [[nodiscard]] event_base* base() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass::net

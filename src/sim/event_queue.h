// The simulated world's clock: events in order of time, then of arrival in the queue. Time jumps to
// the next event; nothing waits.
#pragma once

#include <functional>
#include <queue>
#include <vector>

#include "base/assert.h"
#include "base/time.h"

namespace windlass::sim {

class EventQueue {
 public:
  using Work = std::function<void()>;

  void at(Instant when, Work work) { queue_.push({when, sequence_++, std::move(work)}); }
  [[nodiscard]] Instant next() const { return queue_.empty() ? kNever : queue_.top().when; }
  // Takes the first event out; the caller sets its clock to next() before.
  Work pop() {
    WL_ASSERT(!queue_.empty());
    // top() is const, but the element is thrown away with the next line.
    Work work = std::move(const_cast<Event&>(queue_.top()).work);  // NOLINT
    queue_.pop();
    return work;
  }

 private:
  struct Event {
    Instant when;
    uint64_t sequence;
    Work work;
    bool operator<(const Event& o) const {  // the smallest is on top
      return when != o.when ? when > o.when : sequence > o.sequence;
    }
  };
  std::priority_queue<Event> queue_;
  uint64_t sequence_ = 0;
};

}  // namespace windlass::sim

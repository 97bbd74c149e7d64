#include "controllers/ring.h"

namespace windlass::controllers {

void Ring::enqueue(size_t controller, const std::string& key, Instant at) {
  const auto [it, fresh] = queued_.try_emplace({controller, key}, at);
  if (!fresh) {
    if (it->second <= at) return;
    queue_.erase({it->second, controller, key});
    it->second = at;
  }
  queue_.emplace(at, controller, key);
}

void Ring::start(const cluster::State& state, Instant now) {
  for (size_t i = 0; i < controllers_.size(); ++i) {
    std::vector<std::string> keys;
    controllers_[i]->start(state, keys);
    for (const std::string& key : keys) enqueue(i, key, now);
  }
}

void Ring::observe(const std::deque<cluster::Change>& changes, const cluster::State& state,
                   Instant now) {
  std::vector<std::string> keys;
  for (const cluster::Change& change : changes) {
    for (size_t i = 0; i < controllers_.size(); ++i) {
      keys.clear();
      controllers_[i]->touched(change, state, keys);
      for (const std::string& key : keys) enqueue(i, key, now);
    }
  }
}

Instant Ring::next_due() const { return queue_.empty() ? kNever : std::get<0>(*queue_.begin()); }

bool Ring::step(const cluster::State& state, Instant now, Step& step) {
  if (next_due() > now) return false;
  const auto [at, controller, key] = *queue_.begin();
  queue_.erase(queue_.begin());
  queued_.erase({controller, key});
  step.controller = controllers_[controller]->name();
  step.key = key;
  step.outcome = controllers_[controller]->reconcile(key, state, now);
  if (step.outcome.requeue_at) {
    // A past time would be due again at once and stop the clock.
    enqueue(controller, key, std::max(*step.outcome.requeue_at, now + nanoseconds(1)));
  }
  return true;
}

}  // namespace windlass::controllers

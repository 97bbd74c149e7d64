// The ring: turns changes of the state into keys, reconciles what is due, hands out actions. One
// key of one controller is never queued twice. Order: time, then controller (in order of wiring),
// then key; so a run is the same every time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "controllers/action.h"

namespace windlass::controllers {

// A controller: which keys a change touches, and what to do about one key. It may keep memory of
// its own (a batch window, a back-off); it reads the state and never waits.
class Controller {
 public:
  virtual ~Controller() = default;
  [[nodiscard]] virtual std::string_view name() const = 0;
  virtual void touched(const cluster::Change& change, const cluster::State& state,
                       std::vector<std::string>& keys) = 0;
  // Keys to reconcile once at the start, before any change.
  virtual void start(const cluster::State& /*state*/, std::vector<std::string>& /*keys*/) {}
  virtual Outcome reconcile(const std::string& key, const cluster::State& state, Instant now) = 0;
};

class Ring {
 public:
  explicit Ring(std::vector<std::unique_ptr<Controller>> controllers)
      : controllers_(std::move(controllers)) {}

  void start(const cluster::State& state, Instant now);
  // Queues what the changes touch, due at once.
  void observe(const std::deque<cluster::Change>& changes, const cluster::State& state,
               Instant now);
  // When the next key is due; kNever if none is queued.
  [[nodiscard]] Instant next_due() const;

  struct Step {
    std::string_view controller;
    std::string key;
    Outcome outcome;
  };
  // Reconciles the first key due at or before `now`; the caller performs the actions before the
  // next step. False if nothing is due.
  bool step(const cluster::State& state, Instant now, Step& step);

 private:
  void enqueue(size_t controller, const std::string& key, Instant at);

  std::vector<std::unique_ptr<Controller>> controllers_;
  std::set<std::tuple<Instant, size_t, std::string>> queue_;
  std::map<std::pair<size_t, std::string>, Instant> queued_;
};

}  // namespace windlass::controllers

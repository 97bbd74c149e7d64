// The newest decisions as the page shows them, within a bound of bytes, and what they say about
// pods that wait.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "base/time.h"
#include "cluster/state.h"
#include "controllers/action.h"

namespace windlass::server::observe {

class DecisionFeed {
 public:
  explicit DecisionFeed(size_t bytes_max) : bytes_max_(bytes_max) {}

  void note(Instant now, std::string_view controller, const controllers::Decision& decision);
  [[nodiscard]] uint64_t newest() const { return newest_; }
  // A JSON array, newest first: at most `count` with an id above `after` and up to `until`.
  [[nodiscard]] std::string json(uint64_t after, uint64_t until, size_t count) const;

  // Why the pod waits, as the last decision about it said; "" if none did.
  [[nodiscard]] std::string_view why_pending(std::string_view pod) const;
  // Forgets what is said of pods that wait no more.
  void forget_bound(const cluster::State& state);
  // The newest decision about replicas of a ScaledObject, or null.
  [[nodiscard]] const controllers::Decision* newest_scaling(std::string_view scaled_object) const;
  // Why the claim is going: the last decision that ends it; "" if none.
  [[nodiscard]] std::string_view why_ending(std::string_view claim) const;
  void forget_claims(const cluster::State& state);

 private:
  struct Entry {
    uint64_t id;
    std::string json;
  };
  void learn(std::string_view controller, const controllers::Decision& decision);

  size_t bytes_max_;
  size_t bytes_ = 0;
  uint64_t newest_ = 0;
  std::deque<Entry> entries_;  // oldest first
  std::map<std::string, std::string, std::less<>> pending_;
  std::map<std::string, std::string, std::less<>> ending_;  // by claim
  std::map<std::string, controllers::Decision, std::less<>> scaling_;
};

}  // namespace windlass::server::observe

// How a Deployment moves from its old ReplicaSets to its new one: which sizes come next. Plain
// arithmetic over values, as the Deployment controller has it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/time.h"

namespace windlass::sim::apps {

struct SetSize {
  std::string key;
  Instant created{};
  int32_t replicas = 0;  // spec
  int32_t pods = 0;      // status: there now
  int32_t available = 0;
  int32_t limit = 0;     // replicas + surge when it was last scaled; 0: unknown
  bool current = false;  // of the present template
};

struct RolloutLimits {
  int32_t replicas = 0;
  int32_t surge = 0;
  int32_t unavailable = 0;
  bool recreate = false;
};

// New sizes by key, of those that change; one step: what follows waits until it is seen.
std::map<std::string, int32_t> next_sizes(const std::vector<SetSize>& sets,
                                          const RolloutLimits& limits);
// All sets in proportion, where the Deployment was scaled in the middle of a rollout or while it
// is paused.
std::map<std::string, int32_t> scaled_sizes(const std::vector<SetSize>& sets,
                                            const RolloutLimits& limits);

}  // namespace windlass::sim::apps

#include "sim/apps/rollout.h"

#include <algorithm>
#include <cmath>

namespace windlass::sim::apps {
namespace {

int32_t total_of(const std::vector<SetSize>& sets, int32_t SetSize::*field) {
  int32_t sum = 0;
  for (const SetSize& set : sets) sum += set.*field;
  return sum;
}

// The old sets shrink, oldest first: pods that are not available go before any that is.
std::map<std::string, int32_t> shrink_old(const std::vector<SetSize>& sets, const SetSize& current,
                                          const RolloutLimits& limits) {
  std::vector<SetSize> old;
  for (const SetSize& set : sets) {
    if (!set.current && set.replicas > 0) old.push_back(set);
  }
  std::sort(old.begin(), old.end(), [](const SetSize& a, const SetSize& b) {
    return std::tie(a.created, a.key) < std::tie(b.created, b.key);
  });
  const int32_t must_stay = limits.replicas - limits.unavailable;
  int32_t may_go = total_of(sets, &SetSize::replicas) - must_stay -
                   std::max(0, current.replicas - current.available);
  std::map<std::string, int32_t> sizes;
  for (SetSize& set : old) {
    const int32_t gone = std::clamp(set.replicas - set.available, 0, std::max(0, may_go));
    if (gone == 0) continue;
    may_go -= gone;
    set.replicas -= gone;
    sizes[set.key] = set.replicas;
  }
  int32_t spare = std::min(may_go, total_of(sets, &SetSize::available) - must_stay);
  for (SetSize& set : old) {
    const int32_t gone = std::clamp(spare, 0, set.replicas);
    if (gone == 0) continue;
    spare -= gone;
    set.replicas -= gone;
    sizes[set.key] = set.replicas;
  }
  return sizes;
}

}  // namespace

std::map<std::string, int32_t> next_sizes(const std::vector<SetSize>& sets,
                                          const RolloutLimits& limits) {
  const auto current =
      std::find_if(sets.begin(), sets.end(), [](const SetSize& set) { return set.current; });
  if (current == sets.end()) return {};
  if (limits.recreate) {
    std::map<std::string, int32_t> down;
    bool gone = true;
    for (const SetSize& set : sets) {
      if (set.current) continue;
      if (set.replicas > 0) down[set.key] = 0;
      gone &= set.pods == 0;
    }
    if (!down.empty() || !gone) return down;
    if (current->replicas != limits.replicas) return {{current->key, limits.replicas}};
    return {};
  }
  if (current->replicas > limits.replicas) return {{current->key, limits.replicas}};
  const int32_t room = limits.replicas + limits.surge - total_of(sets, &SetSize::replicas);
  const int32_t grows = std::min(room, limits.replicas - current->replicas);
  if (grows > 0) return {{current->key, current->replicas + grows}};
  return shrink_old(sets, *current, limits);
}

std::map<std::string, int32_t> scaled_sizes(const std::vector<SetSize>& sets,
                                            const RolloutLimits& limits) {
  std::vector<SetSize> active;
  for (const SetSize& set : sets) {
    if (set.replicas > 0) active.push_back(set);
  }
  if (active.empty()) {
    // Nothing runs: the newest set is the one that grows.
    const auto newest =
        std::max_element(sets.begin(), sets.end(), [](const SetSize& a, const SetSize& b) {
          return std::tie(a.current, a.created, a.key) < std::tie(b.current, b.created, b.key);
        });
    if (newest == sets.end() || limits.replicas == 0) return {};
    return {{newest->key, limits.replicas}};
  }
  if (active.size() == 1) {
    if (active[0].replicas == limits.replicas) return {};
    return {{active[0].key, limits.replicas}};
  }
  const int32_t allowed = limits.replicas > 0 ? limits.replicas + limits.surge : 0;
  int32_t left = allowed - total_of(active, &SetSize::replicas);
  // The largest first; of equals the newest when growing, the oldest when shrinking.
  std::sort(active.begin(), active.end(), [&](const SetSize& a, const SetSize& b) {
    if (a.replicas != b.replicas) return a.replicas > b.replicas;
    return left > 0 ? a.created > b.created : a.created < b.created;
  });
  std::map<std::string, int32_t> sizes;
  for (SetSize& set : active) {
    if (left == 0) break;
    const double limit = set.limit > 0 ? set.limit : std::max(1, allowed - left);
    const double share = static_cast<double>(set.replicas) * allowed / limit;
    auto change = static_cast<int32_t>(std::lround(share)) - set.replicas;
    change = left > 0 ? std::clamp(change, 0, left) : std::clamp(change, left, 0);
    left -= change;
    set.replicas += change;
    sizes[set.key] = set.replicas;
  }
  // What rounding left over is the largest one's.
  sizes[active[0].key] = std::max(0, active[0].replicas + left);
  for (const SetSize& set : sets) {
    const auto it = sizes.find(set.key);
    if (it != sizes.end() && it->second == set.replicas) sizes.erase(it);
  }
  return sizes;
}

}  // namespace windlass::sim::apps

#include "scaling/scaling_policies.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

namespace windlass::scaling {
namespace {

using api::ScalingPolicy;
using api::SelectPolicy;

// Limits beyond int32 saturate: nothing is limited by them anyway.
int32_t to_int32(double value) {
  constexpr double kMax = std::numeric_limits<int32_t>::max();
  constexpr double kMin = std::numeric_limits<int32_t>::min();
  return static_cast<int32_t>(std::clamp(value, kMin, kMax));
}

DirectionRules with_defaults(const std::optional<api::ScalingRules>& given, Duration window,
                             std::vector<ScalingPolicy> policies) {
  DirectionRules rules{window, SelectPolicy::kMax, std::move(policies)};
  if (!given) return rules;
  rules.window = given->stabilization_window.value_or(window);
  rules.select = given->select;
  if (!given->policies.empty()) rules.policies = given->policies;
  return rules;
}

int64_t changed_within(const std::vector<HpaMemory::ScaleEvent>& events, Duration period,
                       Instant now) {
  int64_t sum = 0;
  for (const auto& event : events) {
    if (event.at > now - period) sum += event.change;
  }
  return sum;
}

// The replicas that the period began with. Releases from 1.33 count both directions' changes.
double period_start(int32_t current, const ScaleEvents& events, Duration period, Instant now) {
  return static_cast<double>(current - changed_within(events.ups, period, now) +
                             changed_within(events.downs, period, now));
}

// Percentages are floating-point products on purpose: 20 * (1 - 0.9) truncates to 1, and the
// controller that people compare with does the same.
int32_t allowed_up(const ScalingPolicy& policy, double start) {
  if (policy.type == ScalingPolicy::Type::kPods) return to_int32(start + policy.value);
  return to_int32(std::ceil(start * (1 + static_cast<double>(policy.value) / 100)));
}
int32_t allowed_down(const ScalingPolicy& policy, double start) {
  if (policy.type == ScalingPolicy::Type::kPods) return to_int32(start - policy.value);
  return to_int32(start * (1 - static_cast<double>(policy.value) / 100));
}

// The furthest point the policies allow, never on the wrong side of `current`.
int32_t policy_limit(bool up, int32_t current, const DirectionRules& rules,
                     const ScaleEvents& events, Instant now) {
  if (rules.select == SelectPolicy::kDisabled || rules.policies.empty()) return current;
  // Max means the biggest change: upwards the highest limit, downwards the lowest.
  const bool take_highest = (rules.select == SelectPolicy::kMax) == up;
  std::optional<int32_t> limit;
  for (const ScalingPolicy& policy : rules.policies) {
    const double start = period_start(current, events, policy.period, now);
    const int32_t allowed = up ? allowed_up(policy, start) : allowed_down(policy, start);
    const bool better = !limit || (take_highest ? allowed > *limit : allowed < *limit);
    if (better) limit = allowed;
  }
  return up ? std::max(*limit, current) : std::min(*limit, current);
}

Duration longest_period(const DirectionRules& rules) {
  Duration longest{};
  for (const auto& policy : rules.policies) longest = std::max(longest, policy.period);
  return longest;
}

}  // namespace

DirectionRules scale_up_rules(const api::Behavior& behavior) {
  return with_defaults(behavior.scale_up, Duration{},
                       {{ScalingPolicy::Type::kPods, 4, seconds(15)},
                        {ScalingPolicy::Type::kPercent, 100, seconds(15)}});
}

DirectionRules scale_down_rules(const api::Behavior& behavior, Duration default_window) {
  return with_defaults(behavior.scale_down, default_window,
                       {{ScalingPolicy::Type::kPercent, 100, seconds(15)}});
}

std::string_view reason_of(Limit by) {
  switch (by) {
    case Limit::kNone:
      return "DesiredWithinRange";
    case Limit::kMin:
      return "TooFewReplicas";
    case Limit::kMax:
      return "TooManyReplicas";
    case Limit::kRamp:
    case Limit::kUpRules:
      return "ScaleUpLimit";
    case Limit::kDownRules:
      return "ScaleDownLimit";
  }
  WL_UNREACHABLE("limit");
}

std::string words_of(const Limited& limited) {
  switch (limited.by) {
    case Limit::kNone:
      return {};
    case Limit::kMin:
      return fmt::format("raised to minReplicas {}", limited.replicas);
    case Limit::kMax:
      return fmt::format("limited to maxReplicas {}", limited.replicas);
    case Limit::kRamp:
      return fmt::format("limited to {} by the ramp of 2x or 4", limited.replicas);
    case Limit::kUpRules:
      return fmt::format("limited to {} by the scaleUp rules", limited.replicas);
    case Limit::kDownRules:
      return fmt::format("held at {} by the scaleDown rules", limited.replicas);
  }
  WL_UNREACHABLE("limit");
}

Limited limit_by_ramp(int32_t wish, int32_t current, Bounds bounds) {
  // scaleUpLimitFactor 2 and scaleUpLimitMinimum 4 of section 4.1.
  const int32_t ramp = to_int32(std::max(2.0 * current, 4.0));
  if (wish < bounds.min) {
    return {bounds.min, Limit::kMin};
  }
  if (wish > std::min(ramp, bounds.max)) {
    if (bounds.max > ramp) {
      return {ramp, Limit::kRamp};
    }
    return {bounds.max, Limit::kMax};
  }
  return {wish, Limit::kNone};
}

Limited limit_by_policies(int32_t wish, int32_t current, Bounds bounds, const DirectionRules& up,
                          const DirectionRules& down, const ScaleEvents& events, Instant now) {
  if (wish > current) {
    const int32_t limit = policy_limit(true, current, up, events, now);
    if (wish > std::min(limit, bounds.max)) {
      if (bounds.max > limit) {
        return {limit, Limit::kUpRules};
      }
      return {bounds.max, Limit::kMax};
    }
  } else if (wish < current) {
    const int32_t limit = policy_limit(false, current, down, events, now);
    if (wish < std::max(limit, bounds.min)) {
      if (bounds.min < limit) {
        return {limit, Limit::kDownRules};
      }
      return {bounds.min, Limit::kMin};
    }
  }
  return {wish, Limit::kNone};
}

void remember_change(int32_t from, int32_t to, const DirectionRules& up, const DirectionRules& down,
                     Instant now, HpaMemory& memory) {
  if (from == to) return;
  const bool grows = to > from;
  auto& events = grows ? memory.ups : memory.downs;
  const Instant cutoff = now - longest_period(grows ? up : down);
  const HpaMemory::ScaleEvent event{now, grows ? to - from : from - to};
  // As the controller does, one slot past its own direction's longest period is used again, and of
  // several the last one, even if the other direction's longer period still counted it.
  std::optional<size_t> outdated;
  for (size_t i = 0; i < events.size(); ++i) {
    if (events[i].at < cutoff) outdated = i;
  }
  if (outdated) {
    events[*outdated] = event;
  } else {
    events.push_back(event);
  }
}

}  // namespace windlass::scaling

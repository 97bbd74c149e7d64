#include "scaling/hpa.h"

#include <algorithm>

#include <fmt/format.h>

#include "scaling/hpa_metrics.h"
#include "scaling/scaling_policies.h"
#include "scaling/stabilization_window.h"

namespace windlass::scaling {
namespace {

double tolerance_of(const std::optional<api::ScalingRules>& rules, double otherwise) {
  return rules && rules->tolerance ? rules->tolerance->as_double() : otherwise;
}

Tolerance resolve_tolerance(const HpaInput& input, const HpaOptions& options) {
  if (input.behavior == nullptr) return {options.tolerance, options.tolerance};
  return {tolerance_of(input.behavior->scale_up, options.tolerance),
          tolerance_of(input.behavior->scale_down, options.tolerance)};
}

// A later condition of the same type replaces the earlier one, as in the object's status.
void set(HpaDecision& decision, std::string_view type, bool status, std::string_view reason) {
  const HpaCondition condition{type, status ? "True" : "False", reason};
  for (HpaCondition& known : decision.conditions) {
    if (known.type == condition.type) {
      known = condition;
      return;
    }
  }
  decision.conditions.push_back(condition);
}

// How a wish became the decision.
struct Normalized {
  int32_t stable = 0;  // after the stabilization windows
  bool held = false;   // they changed the wish
  Limited limited;
};

// Window, then rate, then bounds: the order decides what the conditions blame.
Normalized normalize(int32_t wish, const HpaInput& input, const HpaOptions& options, Instant now,
                     HpaMemory& memory, HpaDecision& decision) {
  const Bounds bounds{input.min_replicas, input.max_replicas};
  const int32_t current = input.spec_replicas;
  Normalized out;
  std::string_view reason = "ScaleDownStabilized";
  if (input.behavior == nullptr) {
    out.stable = stabilize_down(wish, options.downscale_stabilization, now, memory.recommendations);
    out.limited = limit_by_ramp(out.stable, current, bounds);
  } else {
    const DirectionRules up = scale_up_rules(*input.behavior);
    const DirectionRules down = scale_down_rules(*input.behavior, options.downscale_stabilization);
    out.stable = stabilize_both(wish, current, up.window, down.window, now, memory.recommendations);
    if (wish >= current) reason = "ScaleUpStabilized";
    out.limited =
        limit_by_policies(out.stable, current, bounds, up, down, {memory.ups, memory.downs}, now);
  }
  out.held = out.stable != wish;
  set(decision, "AbleToScale", true, out.held ? reason : "ReadyForNewScale");
  set(decision, "ScalingLimited", out.limited.replicas != out.stable, reason_of(out.limited.by));
  decision.replicas = out.limited.replicas;
  return out;
}

// Metrics are not asked: scaling is off, or replicas stand outside the bounds.
bool decide_without_metrics(const HpaInput& input, const HpaMemory& memory, HpaDecision& decision) {
  const int32_t current = input.spec_replicas;
  if (current == 0 && (input.min_replicas != 0 || !memory.scaled_to_zero)) {
    set(decision, "ScalingActive", false, "ScalingDisabled");
    decision.why = "scaling is disabled while the target has zero replicas";
    return true;
  }
  if (current > input.max_replicas) {
    decision.replicas = input.max_replicas;
    decision.why = fmt::format("{} replicas are above maxReplicas {}", current, input.max_replicas);
    return true;
  }
  if (current < input.min_replicas) {
    decision.replicas = input.min_replicas;
    decision.why = fmt::format("{} replicas are below minReplicas {}", current, input.min_replicas);
    return true;
  }
  return false;
}

void decide_by_metrics(const HpaInput& input, const HpaOptions& options, Instant now,
                       HpaMemory& memory, HpaDecision& decision) {
  const MetricsWish wish = wish_of_metrics(input, options, resolve_tolerance(input, options), now);
  for (size_t i = 0; i < wish.by_metric.size(); ++i) {
    decision.wanted_by_metric[i] = wish.by_metric[i].replicas;
  }
  set(decision, "ScalingActive", wish.replicas.has_value(),
      wish.replicas ? "ValidMetricFound" : wish.failure);
  if (!wish.replicas) {
    // Nothing is known, so nothing moves and the history gets no entry.
    if (input.always_explain) decision.why = words_of(input, wish);
    return;
  }
  // A wish that overflowed to a negative number counts as 0 (section 4.7, very large values).
  const Normalized end =
      normalize(std::max(*wish.replicas, 0), input, options, now, memory, decision);
  if (!input.always_explain && decision.replicas == input.spec_replicas) return;
  decision.why = words_of(input, wish);
  if (end.held) {
    decision.why += fmt::format("; the wishes of the stabilization window make it {}", end.stable);
  }
  const std::string limit = words_of(end.limited);
  if (!limit.empty()) decision.why += "; " + limit;
}

}  // namespace

HpaDecision evaluate_hpa(const HpaInput& input, const HpaOptions& options, Instant now,
                         HpaMemory& memory) {
  const int32_t current = input.spec_replicas;
  HpaDecision decision;
  decision.replicas = current;
  decision.wanted_by_metric.resize(input.metrics.size());
  decision.conditions.reserve(4);
  // A controller that has just started knows no history; what it finds counts as the last wish.
  if (memory.recommendations.empty()) memory.recommendations.push_back({now, current});
  set(decision, "AbleToScale", true, "SucceededGetScale");

  if (!decide_without_metrics(input, memory, decision)) {
    decide_by_metrics(input, options, now, memory, decision);
  }
  if (current != 0 || decision.replicas != 0) memory.scaled_to_zero = decision.replicas == 0;
  // Section 4.4: the condition belongs to HPAs that may reach zero only.
  if (input.min_replicas == 0) {
    set(decision, "ScaledToZero", memory.scaled_to_zero,
        memory.scaled_to_zero ? "ScaledToZero" : "NotScaledToZero");
  }
  if (decision.replicas == current) return decision;
  set(decision, "AbleToScale", true, "SucceededRescale");
  if (input.behavior != nullptr) {
    remember_change(current, decision.replicas, scale_up_rules(*input.behavior),
                    scale_down_rules(*input.behavior, options.downscale_stabilization), now,
                    memory);
  }
  return decision;
}

}  // namespace windlass::scaling

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
void set(HpaDecision& decision, const char* type, bool status, std::string reason) {
  HpaCondition condition{type, status ? "True" : "False", std::move(reason)};
  for (HpaCondition& known : decision.conditions) {
    if (known.type == condition.type) {
      known = std::move(condition);
      return;
    }
  }
  decision.conditions.push_back(std::move(condition));
}

struct Stabilized {
  int32_t replicas = 0;
  std::string reason;  // of AbleToScale when the window changed the wish
};

// Window, then rate, then bounds: the order decides what the conditions blame.
void normalize(int32_t wish, const HpaInput& input, const HpaOptions& options, Instant now,
               HpaMemory& memory, HpaDecision& decision) {
  const Bounds bounds{input.min_replicas, input.max_replicas};
  const int32_t current = input.spec_replicas;
  Stabilized stable;
  Limited limited;
  if (input.behavior == nullptr) {
    stable = {stabilize_down(wish, options.downscale_stabilization, now, memory.recommendations),
              "ScaleDownStabilized"};
    limited = limit_by_ramp(stable.replicas, current, bounds);
  } else {
    const DirectionRules up = scale_up_rules(*input.behavior);
    const DirectionRules down = scale_down_rules(*input.behavior, options.downscale_stabilization);
    stable = {stabilize_both(wish, current, up.window, down.window, now, memory.recommendations),
              wish >= current ? "ScaleUpStabilized" : "ScaleDownStabilized"};
    limited = limit_by_policies(stable.replicas, current, bounds, up, down,
                                {memory.ups, memory.downs}, now);
  }
  const bool held = stable.replicas != wish;
  set(decision, "AbleToScale", true, held ? stable.reason : "ReadyForNewScale");
  set(decision, "ScalingLimited", limited.replicas != stable.replicas, limited.reason);
  decision.replicas = limited.replicas;
  if (held) {
    decision.why +=
        fmt::format("; the wishes of the stabilization window make it {}", stable.replicas);
  }
  if (!limited.words.empty()) decision.why += "; " + limited.words;
}

// Metrics are not asked: scaling is off, or replicas stand outside the bounds.
bool decide_without_metrics(const HpaInput& input, HpaDecision& decision) {
  const int32_t current = input.spec_replicas;
  if (current == 0 && input.min_replicas != 0) {
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

}  // namespace

HpaDecision evaluate_hpa(const HpaInput& input, const HpaOptions& options, Instant now,
                         HpaMemory& memory) {
  const int32_t current = input.spec_replicas;
  HpaDecision decision;
  decision.replicas = current;
  decision.wanted_by_metric.resize(input.metrics.size());
  // A controller that has just started knows no history; what it finds counts as the last wish.
  if (memory.recommendations.empty()) memory.recommendations.push_back({now, current});
  set(decision, "AbleToScale", true, "SucceededGetScale");

  if (!decide_without_metrics(input, decision)) {
    const MetricsWish wish = wish_of_metrics(input, resolve_tolerance(input, options));
    decision.wanted_by_metric = wish.by_metric;
    decision.why = wish.why;
    set(decision, "ScalingActive", wish.replicas.has_value(),
        wish.replicas ? "ValidMetricFound" : "FailedGetExternalMetric");
    // Nothing is known, so nothing moves and the history gets no entry.
    if (!wish.replicas) return decision;
    // A wish that overflowed to a negative number counts as 0 (section 4.7, very large values).
    normalize(std::max(*wish.replicas, 0), input, options, now, memory, decision);
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

// hpa_metrics and trusted_readings: what the HPA of a ScaledObject gets to see (reference
// keda_hpa.md 1.6, 1.7, 3).
#include <fmt/format.h>

#include "scaling/composite_metric.h"
#include "scaling/fallback.h"
#include "scaling/scaled_object.h"

namespace windlass::scaling {
namespace {

using Source = HpaMetric::Source;

HpaMetric external_metric(const api::ScaledObject& object, const ScaledObjectPlan& plan, size_t i,
                          const TriggerReading& reading, const TargetState& target,
                          const ScaledObjectMemory& memory) {
  const TriggerPlan& trigger = plan.triggers[i];
  const MetricTarget goal =
      weighted({trigger.target_type, trigger.target_milli}, target.mean_weight);
  HpaMetric metric{trigger.metric_name, goal.type, goal.milli, {}};
  if (reading.ok()) {
    metric.reading.emplace<0>(1, quantise_milli(*reading));
    return metric;
  }
  // Until the threshold is passed the HPA sees the error, and holds.
  metric.reading = reading.error().message();
  if (fallback_due(object, plan, i, memory)) {
    const int32_t replicas = fallback_replicas(*object.fallback, target.replicas);
    const auto milli = value_for_replicas(goal, replicas, target.ready_pods);
    if (milli) metric.reading = std::vector<int64_t>{*milli};
  }
  return metric;
}

HpaMetric composite_metric(const api::ScaledObject& object, const ScaledObjectPlan& plan,
                           const std::vector<TriggerReading>& readings, const TargetState& target,
                           const ScaledObjectMemory& memory) {
  const ModifiersPlan& modifiers = *plan.modifiers;
  const MetricTarget goal =
      weighted({modifiers.target_type, modifiers.target_milli}, target.mean_weight);
  HpaMetric metric{"composite-metric", goal.type, goal.milli, {}};
  const Composite composite = combine(object, plan, readings, target, memory);
  if (composite.value || composite.milli) {
    metric.reading =
        std::vector<int64_t>{composite.value ? quantise_milli(*composite.value) : *composite.milli};
  } else {
    metric.reading = composite.error;
  }
  return metric;
}

HpaMetric resource_metric(const TriggerPlan& trigger, const TriggerReading& reading) {
  HpaMetric metric{trigger.metric_name, trigger.target_type, trigger.target_milli, {}};
  metric.source = trigger.container.empty() ? Source::kResource : Source::kContainerResource;
  if (!reading.ok()) metric.reading = reading.error().message();
  return metric;
}

}  // namespace

std::vector<HpaMetric> hpa_metrics(const api::ScaledObject& object, const ScaledObjectPlan& plan,
                                   const std::vector<TriggerReading>& readings,
                                   const TargetState& target, ScaledObjectMemory& memory) {
  count_reads(plan, readings, memory);
  std::vector<HpaMetric> metrics;
  metrics.reserve(plan.triggers.size());
  // KEDA sorts by type's name: ContainerResource, External, Resource. A formula keeps Resource
  // metrics beside it and loses ContainerResource ones.
  const auto add_resources = [&](bool of_container) {
    for (size_t i = 0; i < readings.size(); ++i) {
      const TriggerPlan& trigger = plan.triggers[i];
      if (!trigger.is_resource() || trigger.container.empty() == of_container) continue;
      metrics.push_back(resource_metric(trigger, readings[i]));
    }
  };
  if (!plan.modifiers) add_resources(true);
  if (plan.modifiers) {
    metrics.push_back(composite_metric(object, plan, readings, target, memory));
  } else {
    for (size_t i = 0; i < readings.size(); ++i) {
      if (plan.triggers[i].is_resource()) continue;
      metrics.push_back(external_metric(object, plan, i, readings[i], target, memory));
    }
  }
  add_resources(false);
  return metrics;
}

std::vector<TriggerReading> trusted_readings(const ScaledObjectPlan& plan,
                                             std::vector<TriggerReading> readings, Instant now,
                                             ScaledObjectMemory& memory) {
  const OptIns& opt_ins = plan.opt_ins;
  if (!opt_ins.max_sample_age) return readings;
  memory.held.resize(plan.triggers.size());
  for (size_t i = 0; i < readings.size(); ++i) {
    if (plan.triggers[i].is_resource()) continue;
    TriggerReading& reading = readings[i];
    ScaledObjectMemory::Held& held = memory.held[i];
    const bool old = reading.sampled_at && now - *reading.sampled_at > *opt_ins.max_sample_age;
    if (reading.ok() && !reading.from_nothing && !old) {
      held = {*reading, now};
      continue;
    }
    const bool may_hold = held.value && (!opt_ins.hold_last || now - held.at <= *opt_ins.hold_last);
    if (may_hold) {
      reading = TriggerReading(*held.value);
    } else if (reading.ok()) {
      reading =
          Error(old ? fmt::format("the sample is {} old, more than {} allows",
                                  to_string(now - *reading.sampled_at), kMaxSampleAge)
                    : fmt::format("an empty answer, which {} does not take for 0", kMaxSampleAge));
    }
  }
  return readings;
}

}  // namespace windlass::scaling

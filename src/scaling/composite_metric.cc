#include "scaling/composite_metric.h"

#include <fmt/format.h>

#include "scaling/fallback.h"

namespace windlass::scaling {
namespace {

constexpr const char* kNoReadyPod = "no pod is ready, so a Value target has no fallback";

void stand_in(const api::Fallback& fallback, const ModifiersPlan& modifiers,
              const TargetState& target, Composite& out) {
  const MetricTarget metric =
      weighted({modifiers.target_type, modifiers.target_milli}, target.mean_weight);
  out.milli =
      value_for_replicas(metric, fallback_replicas(fallback, target.replicas), target.ready_pods);
  if (!out.milli) out.error = kNoReadyPod;
}

}  // namespace

Composite combine(const api::ScaledObject& object, const ScaledObjectPlan& plan,
                  const std::vector<TriggerReading>& readings, const TargetState& target,
                  const ScaledObjectMemory& memory) {
  const ModifiersPlan& modifiers = *plan.modifiers;
  Composite out;
  for (size_t i = 0; i < readings.size(); ++i) {
    if (plan.triggers[i].is_resource() || readings[i].ok()) continue;
    if (!fallback_due(object, plan, i, memory)) {
      // One trigger's error is the whole query's, whether or not the formula uses the trigger.
      out.error =
          fmt::format("{}: {}", plan.triggers[i].metric_name, readings[i].error().message());
      return out;
    }
    out.fallback = true;
    if (object.fallback->behavior == api::FallbackBehavior::kScalingModifiers) continue;
    stand_in(*object.fallback, modifiers, target, out);
    return out;
  }
  std::vector<std::optional<double>> values;
  values.reserve(modifiers.triggers.size());
  for (const size_t i : modifiers.triggers) {
    values.push_back(readings[i].ok() ? std::optional(*readings[i]) : std::nullopt);
  }
  const auto result = modifiers.formula.evaluate(values);
  if (!result.ok()) {
    out.error = "formula: " + result.error().message();
  } else if (result->has_value()) {
    out.value = *result;
  } else if (out.fallback) {
    stand_in(*object.fallback, modifiers, target, out);
  } else {
    out.error = "the formula gives nil";
  }
  return out;
}

}  // namespace windlass::scaling

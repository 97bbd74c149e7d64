#include "scaling/fallback.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace windlass::scaling {
namespace {

__extension__ using Int128 = __int128;

// As the adapter prints values: NaN, infinities and negatives are 0, three decimals into a
// quantity.
int64_t quantise_milli(double value) {
  if (!std::isfinite(value) || value < 0) return 0;
  const auto quantity = Quantity::parse(fmt::format("{:.3f}", value));
  WL_ASSERT(quantity.ok());
  return quantity->milli();
}

}  // namespace

void count_read(const std::string& metric, bool ok, ScaledObjectMemory& memory) {
  int32_t& failures = memory.failures[metric];
  if (ok) {
    failures = 0;
  } else if (failures < std::numeric_limits<int32_t>::max()) {
    ++failures;
  }
}

bool fallback_due(const api::ScaledObject& object, const std::string& metric,
                  const ScaledObjectMemory& memory) {
  if (!object.fallback) return false;
  const auto it = memory.failures.find(metric);
  return it != memory.failures.end() && it->second > object.fallback->failure_threshold;
}

int32_t fallback_replicas(const api::Fallback& fallback, int32_t current) {
  switch (fallback.behavior) {
    case api::FallbackBehavior::kCurrentReplicas:
      return current;
    case api::FallbackBehavior::kCurrentReplicasIfHigher:
      return std::max(current, fallback.replicas);
    case api::FallbackBehavior::kCurrentReplicasIfLower:
      return std::min(current, fallback.replicas);
    // scalingModifiers needs a formula, which objects here do not carry; without one its result
    // is nil and KEDA takes the static count.
    case api::FallbackBehavior::kScalingModifiers:
    case api::FallbackBehavior::kStatic:
      return fallback.replicas;
  }
  WL_UNREACHABLE("fallback behavior");
}

std::optional<int64_t> fallback_milli(const api::Fallback& fallback, const TriggerPlan& plan,
                                      int32_t current, int32_t ready_pods) {
  Int128 milli = Int128{plan.target_milli} * fallback_replicas(fallback, current);
  if (plan.target_type == api::MetricTargetType::kValue) {
    if (ready_pods <= 0) return std::nullopt;
    milli /= ready_pods;
  }
  return static_cast<int64_t>(std::min(milli, Int128{std::numeric_limits<int64_t>::max()}));
}

std::vector<HpaMetric> hpa_metrics(const api::ScaledObject& object,
                                   const std::vector<TriggerPlan>& plans,
                                   const std::vector<TriggerReading>& readings, int32_t current,
                                   int32_t ready_pods, ScaledObjectMemory& memory) {
  WL_ASSERT(plans.size() == readings.size());
  std::vector<HpaMetric> metrics;
  for (size_t i = 0; i < plans.size(); ++i) {
    const TriggerPlan& plan = plans[i];
    HpaMetric metric{plan.metric_name, plan.target_type, plan.target_milli, {}};
    count_read(plan.metric_name, readings[i].ok(), memory);
    if (readings[i].ok()) {
      metric.reading = std::vector<int64_t>{quantise_milli(*readings[i])};
    } else {
      // Until the threshold is passed the HPA sees the error, and holds.
      metric.reading = readings[i].error().message();
      if (fallback_due(object, plan.metric_name, memory)) {
        const auto milli = fallback_milli(*object.fallback, plan, current, ready_pods);
        if (milli) metric.reading = std::vector<int64_t>{*milli};
      }
    }
    metrics.push_back(std::move(metric));
  }
  return metrics;
}

}  // namespace windlass::scaling

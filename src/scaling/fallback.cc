#include "scaling/fallback.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace windlass::scaling {
namespace {

__extension__ using Int128 = __int128;

}  // namespace

int64_t quantise_milli(double value) {
  if (!std::isfinite(value) || value <= 0) return 0;
  // Whole numbers are exact in thousandths; printing is for the rest, whose third decimal is
  // rounded from the exact binary value.
  if (value < 9e12 && value == std::floor(value)) return static_cast<int64_t>(value) * 1000;
  const auto quantity = Quantity::parse(fmt::format("{:.3f}", value));
  WL_ASSERT(quantity.ok());
  return quantity->milli();
}

void count_reads(const ScaledObjectPlan& plan, const std::vector<TriggerReading>& readings,
                 ScaledObjectMemory& memory) {
  WL_ASSERT(plan.triggers.size() == readings.size());
  memory.failures.resize(plan.triggers.size());
  for (size_t i = 0; i < readings.size(); ++i) {
    int32_t& failures = memory.failures[i];
    if (plan.triggers[i].is_resource() || readings[i].ok()) {
      failures = 0;
    } else if (failures < std::numeric_limits<int32_t>::max()) {
      ++failures;
    }
  }
}

bool fallback_due(const api::ScaledObject& object, const ScaledObjectPlan& plan, size_t trigger,
                  const ScaledObjectMemory& memory) {
  if (!object.fallback || (plan.modifiers && !plan.modifiers->fallback_works)) return false;
  return memory.failures[trigger] > object.fallback->failure_threshold;
}

int32_t fallback_replicas(const api::Fallback& fallback, int32_t current) {
  switch (fallback.behavior) {
    case api::FallbackBehavior::kCurrentReplicas:
      return current;
    case api::FallbackBehavior::kCurrentReplicasIfHigher:
      return std::max(current, fallback.replicas);
    case api::FallbackBehavior::kCurrentReplicasIfLower:
      return std::min(current, fallback.replicas);
    // The count is for a formula that gives nil.
    case api::FallbackBehavior::kScalingModifiers:
    case api::FallbackBehavior::kStatic:
      return fallback.replicas;
  }
  WL_UNREACHABLE("fallback behavior");
}

MetricTarget weighted(MetricTarget target, double mean_weight) {
  if (mean_weight == 1 || target.type != api::MetricTargetType::kAverageValue) return target;
  const double milli = static_cast<double>(target.milli) * mean_weight;
  target.milli = std::max<int64_t>(1, static_cast<int64_t>(std::min(milli, 9.2e18)));
  return target;
}

std::optional<int64_t> value_for_replicas(const MetricTarget& metric, int32_t replicas,
                                          int32_t ready_pods) {
  Int128 milli = Int128{metric.milli} * replicas;
  if (metric.type == api::MetricTargetType::kValue) {
    if (ready_pods <= 0) return std::nullopt;
    milli /= ready_pods;
  }
  return static_cast<int64_t>(std::min(milli, Int128{std::numeric_limits<int64_t>::max()}));
}

}  // namespace windlass::scaling

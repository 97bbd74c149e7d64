// KEDA's fallback: what stands in for a metric that has failed too often (reference keda_hpa.md
// 1.6). Private to this room.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "scaling/scaled_object.h"

namespace windlass::scaling {

// Counts a read of every trigger but cpu and memory: a success resets the trigger's failures, a
// failure adds one. KEDA counts reads of both paths, the poll loop's and the HPA's, in one counter.
void count_reads(const ScaledObjectPlan& plan, const std::vector<TriggerReading>& readings,
                 ScaledObjectMemory& memory);

// Whether the trigger has failed more than failureThreshold times (strictly), and fallback is
// there.
bool fallback_due(const api::ScaledObject& object, const ScaledObjectPlan& plan, size_t trigger,
                  const ScaledObjectMemory& memory);

// The replicas the fallback stands for.
int32_t fallback_replicas(const api::Fallback& fallback, int32_t current);

// A metric's target, as the HPA meets it.
struct MetricTarget {
  api::MetricTargetType type = api::MetricTargetType::kAverageValue;
  int64_t milli = 0;
};
// With windlass.dev/gpu-weights an AverageValue target is per unit of weight.
MetricTarget weighted(MetricTarget target, double mean_weight);

// The value, in thousandths, that makes the HPA want those replicas: target * R for AverageValue,
// target * R / ready for Value, cut off below a thousandth. nullopt: a Value target with no ready
// pod has no such value.
std::optional<int64_t> value_for_replicas(const MetricTarget& metric, int32_t replicas,
                                          int32_t ready_pods);

// As the adapter prints values: NaN, infinities and negatives are 0, three decimals into a
// quantity, in thousandths.
int64_t quantise_milli(double value);

}  // namespace windlass::scaling

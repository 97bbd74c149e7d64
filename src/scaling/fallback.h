// KEDA's fallback: what stands in for a metric that has failed too often (reference keda_hpa.md
// 1.6). Private to this room.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "scaling/scaled_object.h"

namespace windlass::scaling {

// Counts a read: a success resets the metric's failures, a failure adds one. KEDA counts reads of
// both paths, the poll loop's and the HPA's, in one counter.
void count_read(const std::string& metric, bool ok, ScaledObjectMemory& memory);

// Whether the metric has failed more than failureThreshold times (strictly).
bool fallback_due(const api::ScaledObject& object, const std::string& metric,
                  const ScaledObjectMemory& memory);

// The replicas the fallback stands for.
int32_t fallback_replicas(const api::Fallback& fallback, int32_t current);

// The value, in thousandths, that makes the HPA want those replicas: target * R for AverageValue,
// target * R / ready for Value, cut off below a thousandth. nullopt: a Value target with no ready
// pod has no such value.
std::optional<int64_t> fallback_milli(const api::Fallback& fallback, const TriggerPlan& plan,
                                      int32_t current, int32_t ready_pods);

}  // namespace windlass::scaling

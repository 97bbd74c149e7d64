// Metrics measured at the target's pods (Resource, ContainerResource, Pods): which pods count, and
// what is assumed of those that are not ready or have no sample (reference keda_hpa.md 4.2).
// Private to this room.
#pragma once

#include "base/time.h"
#include "scaling/hpa.h"
#include "scaling/hpa_metrics.h"

namespace windlass::scaling {

// Precondition: metric.source is one of the three, and its reading is no error.
MetricWish wish_of_pods(const HpaMetric& metric, const HpaInput& input, const HpaOptions& options,
                        const Tolerance& tolerance, Instant now);

}  // namespace windlass::scaling

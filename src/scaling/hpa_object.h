// A HorizontalPodAutoscaler of a manifest as the evaluation takes it, without its readings.
#pragma once

#include <vector>

#include "api/autoscaling.h"
#include "scaling/hpa.h"

namespace windlass::scaling {

// The HPA's metrics in its order, each with its target; the readings, samples and requests are
// still to be filled in. Without metrics: cpu at 80 % of requests (reference keda_hpa.md 4.1).
std::vector<HpaMetric> metrics_of(const api::HorizontalPodAutoscaler& hpa);

}  // namespace windlass::scaling

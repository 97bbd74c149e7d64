// What an external scaler's replies mean (reference keda_hpa.md 3): pure functions of its messages.
// Only the gRPC build includes this.
#pragma once

#include <cstdint>
#include <externalscaler.pb.h>
#include <string>
#include <vector>

#include "base/result.h"

namespace windlass::live::external {

struct MetricTarget {
  std::string metric;  // as the scaler calls it
  int64_t milli = 0;   // above 0
};
// The one metric a scaler names. The error says what is wrong with its answer.
Result<MetricTarget> read_target(const externalscaler::GetMetricSpecResponse& reply);
// Values, one a message; none at all is an error, as is one that is no number.
Result<std::vector<double>> read_values(const externalscaler::GetMetricsResponse& reply);

}  // namespace windlass::live::external

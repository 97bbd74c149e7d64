// What a trigger of type external says to Windlass' scaler in its metadata: which model on which
// GPU, what its users are promised, and where its signals are asked
// (docs/reference/external-scaler.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"
#include "base/result.h"
#include "base/time.h"
#include "catalog/service_profile.h"
#include "scaling/trigger_plan.h"

namespace windlass::live::external {

enum Signal { kArrivals, kWaiting, kInputMean, kOutputMean, kInputP95, kOutputP95, kSignals };

struct DemandSpec {
  std::string metric;  // "windlass-llama-2-7b"
  // What one replica is: given outright, or by model and GPU, whose profile and SLO it follows
  // from.
  std::optional<double> replica_requests_per_s;
  catalog::ServiceProfile profile;
  Duration slo{};  // P95, end to end
  Duration lead{};
  int32_t max = 0;
  double scale_in_headroom = 0.2;
  // Of the signals that are asked; the others' plans are not set.
  std::optional<scaling::TriggerPlan> queries[kSignals];
};

// The error lists all that is wrong.
Result<DemandSpec> read_demand_spec(const api::StringMap& metadata);

}  // namespace windlass::live::external

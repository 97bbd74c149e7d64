// The HorizontalPodAutoscaler's rules for External metrics, whole: desired replicas a metric,
// several metrics, bounds, ramp or behavior, stabilization. Rules of Kubernetes 1.33-1.37
// (reference keda_hpa.md section 4; section named at each step in the source).
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/keda.h"
#include "base/time.h"

namespace windlass::scaling {

struct HpaMetric {
  std::string name;
  api::MetricTargetType target_type = api::MetricTargetType::kAverageValue;
  int64_t target_milli = 0;  // > 0
  // The answer: item values in milli units (rounded up item by item), or why there is none.
  std::variant<std::vector<int64_t>, std::string> reading;
};

struct HpaOptions {
  Duration sync_period = seconds(15);
  Duration downscale_stabilization = seconds(300);
  double tolerance = 0.1;
};

struct HpaInput {
  int32_t min_replicas = 1;
  int32_t max_replicas = 1;
  const api::Behavior* behavior = nullptr;  // null: the controller's legacy path
  int32_t spec_replicas = 0;                // S, of the scale subresource
  int32_t status_replicas = 0;              // T
  int32_t ready_pods = 0;                   // Running and Ready; Value targets only
  std::vector<HpaMetric> metrics;
};

// What the controller remembers between syncs of one HPA.
struct HpaMemory {
  struct Recommendation {
    Instant at;
    int32_t replicas;
  };
  struct ScaleEvent {
    Instant at;
    int32_t change;  // > 0
  };
  std::vector<Recommendation> recommendations;
  std::vector<ScaleEvent> ups;
  std::vector<ScaleEvent> downs;
};

struct HpaCondition {
  std::string type;    // AbleToScale, ScalingActive, ScalingLimited
  std::string status;  // True, False
  std::string reason;
};

struct HpaDecision {
  int32_t replicas = 0;                  // what spec.replicas is to be; equal to S: leave it
  std::vector<HpaCondition> conditions;  // an absent type keeps its former value
  std::vector<std::optional<int32_t>> wanted_by_metric;  // in the order of the metrics
  // In words: "s1-prometheus wants 7 (33/5); limited to 4 by the ramp of 2x or 4".
  std::string why;
};

// One sync. Never fails: what is wrong with metrics shows in the conditions.
HpaDecision evaluate_hpa(const HpaInput& input, const HpaOptions& options, Instant now,
                         HpaMemory& memory);

}  // namespace windlass::scaling

// The HorizontalPodAutoscaler's rules, whole: desired replicas a metric (Resource,
// ContainerResource, Pods, Object, External), several metrics, bounds, zero, ramp or behavior,
// stabilization. Rules of Kubernetes 1.33-1.37 (reference keda_hpa.md section 4; section named at
// each step in the source).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/autoscaling.h"
#include "api/core.h"
#include "base/time.h"

namespace windlass::scaling {

// A pod of the target's selector, as the rules of unready and missing pods look at it (4.2).
struct HpaPod {
  api::PodPhase phase = api::PodPhase::kRunning;
  bool deleted = false;  // has a deletionTimestamp
  // The Ready condition: absent, or its status and when that changed last.
  std::optional<bool> ready = true;
  Instant ready_changed{};
  std::optional<Instant> started;  // status.startTime
};

// One pod's share of a Resource, ContainerResource or Pods metric, milli units.
struct HpaPodSample {
  int64_t usage_milli = 0;
  Instant at{};                   // when its window ended
  Duration window = seconds(60);  // that the usage is an average of
};

struct HpaMetric {
  using Source = api::HpaMetricSpec::Source;
  std::string name;
  api::MetricTargetType target_type = api::MetricTargetType::kAverageValue;
  int64_t target_milli = 0;  // > 0; of Utilization: percent, not milli
  // External, Object: item values in milli units (rounded up item by item). The text is why there
  // is no answer, for any source.
  std::variant<std::vector<int64_t>, std::string> reading;
  Source source = Source::kExternal;
  // The other sources, a pod each in the order of HpaInput::pods: its sample if the metrics API had
  // one; and what it requests of the resource (Utilization only; nullopt: a container has none).
  std::vector<std::optional<HpaPodSample>> samples{};
  std::vector<std::optional<int64_t>> requests_milli{};
};

struct HpaOptions {
  Duration sync_period = seconds(15);
  Duration downscale_stabilization = seconds(300);
  double tolerance = 0.1;
  Duration cpu_initialization_period = seconds(300);
  Duration initial_readiness_delay = seconds(30);
};

struct HpaInput {
  int32_t min_replicas = 1;  // 0: HPAScaleToZero, for Object and External metrics
  int32_t max_replicas = 1;
  const api::Behavior* behavior = nullptr;  // null: the controller's legacy path
  int32_t spec_replicas = 0;                // S, of the scale subresource
  int32_t status_replicas = 0;              // T
  int32_t ready_pods = 0;                   // Running and Ready; Value targets only
  std::vector<HpaMetric> metrics;
  std::vector<HpaPod> pods;  // Resource, ContainerResource and Pods metrics only
  // Whether `why` is written at every sync, or only at those that change replicas. Words cost more
  // than the decision.
  bool always_explain = true;
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
  // The HPA itself brought the target to zero (condition ScaledToZero). Zero replicas that somebody
  // else asked for switch scaling off.
  bool scaled_to_zero = false;
};

// All three are constants of the program.
struct HpaCondition {
  std::string_view type;    // AbleToScale, ScalingActive, ScalingLimited, ScaledToZero
  std::string_view status;  // True, False
  std::string_view reason;
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

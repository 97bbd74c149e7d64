// KEDA's part of a ScaledObject: what its triggers ask of the world, whether it is active, and the
// steps to and from zero (reference keda_hpa.md 1.1, 1.5, 1.6, 2.1). The steps between min and max
// are the HPA's (hpa.h) over the metrics made here.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/keda.h"
#include "base/result.h"
#include "base/time.h"
#include "scaling/hpa.h"

namespace windlass::scaling {

// A trigger with its metadata read and checked.
struct TriggerPlan {
  enum class Kind { kPrometheus, kCron };
  Kind kind = Kind::kPrometheus;
  std::string metric_name;  // "s0-prometheus", "s1-cron-UTC-..."
  api::MetricTargetType target_type = api::MetricTargetType::kAverageValue;
  int64_t target_milli = 0;
  double activation = 0;  // active when value > activation
  // prometheus
  std::string server_address;
  std::string query;
  bool ignore_null_values = true;
  Duration timeout = seconds(3);
  // cron
  std::string cron_start;
  std::string cron_end;
  std::string timezone;
  double cron_replicas = 0;
};

// All triggers, or one error that lists every bad field of every trigger ("triggers[0].threshold:
// ..."). Unknown metadata keys are ignored, as KEDA does; they come back in `ignored`
// ("triggers[0].metadata.metricName: ignored ..."). Trigger types other than prometheus and cron
// are an error that names the type and the accepted ones.
Result<std::vector<TriggerPlan>> plan_triggers(const api::ScaledObject& object,
                                               std::vector<std::string>* ignored);

// What a Prometheus answered: the elements' values, or an error text.
struct PrometheusAnswer {
  std::vector<double> values;  // one an element of the vector
  std::string error;           // not empty: no answer
};
// KEDA's table of section 2.1: one element gives its value; none gives 0 or an error by
// ignoreNullValues; more than one is an error; NaN and infinities count as null.
Result<double> read_prometheus(const TriggerPlan& plan, const PrometheusAnswer& answer);
// desiredReplicas inside the window, else 0 (test: next(end) <= next(start)), in the trigger's
// zone.
Result<double> read_cron(const TriggerPlan& plan, Instant now);

// autoscaling.keda.sh/paused or paused-replicas is set: no polls' steps and no HPA.
bool is_paused(const api::ScaledObject& object);
// The behavior the HPA gets: the object's own, with a direction disabled where the annotation
// paused-scale-in or paused-scale-out says so. nullopt: the HPA's legacy path.
std::optional<api::Behavior> hpa_behavior(const api::ScaledObject& object);

struct ScaledObjectMemory {
  std::map<std::string, int32_t> failures;  // by metric, reset by a success
};

// A reading of one trigger: its raw value or why there is none.
using TriggerReading = Result<double>;

struct PollDecision {
  bool active = false;
  std::optional<int32_t> set_replicas;     // 0 <-> N steps, or up to min; nullopt: leave them
  std::optional<Instant> last_active;      // the new status.lastActiveTime
  std::vector<api::Condition> conditions;  // Ready, Active, Fallback
  std::string why;
};
// One round of KEDA's scale loop (section 1.5). `current` is spec.replicas of the target.
// `object.last_active` is what the former round said.
PollDecision evaluate_poll(const api::ScaledObject& object, const std::vector<TriggerPlan>& plans,
                           const std::vector<TriggerReading>& readings, int32_t current,
                           Instant now, ScaledObjectMemory& memory);

// The HPA's metrics from the same readings: NaN, infinite and negative become 0, %.3f into milli,
// fallback where the failure threshold is passed (section 1.6).
std::vector<HpaMetric> hpa_metrics(const api::ScaledObject& object,
                                   const std::vector<TriggerPlan>& plans,
                                   const std::vector<TriggerReading>& readings, int32_t current,
                                   int32_t ready_pods, ScaledObjectMemory& memory);

}  // namespace windlass::scaling

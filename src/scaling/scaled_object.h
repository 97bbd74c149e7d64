// KEDA's part of a ScaledObject: what its triggers ask of the world, whether it is active, and the
// steps to and from zero (reference keda_hpa.md 1.1-1.8, 2.1). The steps between min and max are
// the HPA's (hpa.h) over the metrics made here.
//
// plan_scaled_object reads the object once; evaluate_poll, hpa_metrics and trusted_readings are
// then asked over and over, and are pure but for the memory they are given.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/keda.h"
#include "base/result.h"
#include "base/time.h"
#include "scaling/formula.h"
#include "scaling/hpa.h"
#include "scaling/opt_ins.h"
#include "scaling/trigger_plan.h"

namespace windlass::scaling {

// advanced.scalingModifiers, compiled.
struct ModifiersPlan {
  Formula formula;
  std::vector<size_t> triggers;  // the formula's values: these triggers', in the formula's order
  api::MetricTargetType target_type = api::MetricTargetType::kAverageValue;
  int64_t target_milli = 0;
  double activation = 0;
  // KEDA lets fallback work only when the target is written as a whole number.
  bool fallback_works = true;
};

// autoscaling.keda.sh/paused, paused-replicas, paused-scale-in, paused-scale-out,
// force-activation (section 1.3).
struct PauseAnnotations {
  bool paused = false;
  std::optional<int32_t> replicas;  // paused-replicas: hold this count
  bool scale_in = false;            // no steps to zero or idle
  bool scale_out = false;           // no steps from zero or idle
  bool force_active = false;
  std::string error;  // paused-replicas is no count; such an object is paused all the same
};

// Everything about a ScaledObject that its spec and annotations say, read once.
struct ScaledObjectPlan {
  std::vector<TriggerPlan> triggers;
  std::optional<ModifiersPlan> modifiers;
  PauseAnnotations pause;
  std::optional<api::Behavior> behavior;  // hpa_behavior()
  OptIns opt_ins;
  bool only_resources = false;  // cpu and memory triggers alone
};

// The plan, or one error that lists everything wrong with triggers, formula and Windlass' own
// annotations. `values`: one a trigger, or none at all. `ignored` as of plan_triggers.
Result<ScaledObjectPlan> plan_scaled_object(const api::ScaledObject& object,
                                            std::span<const ResolvedValues> values = {},
                                            std::vector<std::string>* ignored = nullptr);

// autoscaling.keda.sh/paused or paused-replicas is set: no polls' steps and no HPA.
bool is_paused(const api::ScaledObject& object);
// The behavior the HPA gets: the object's own, with a direction disabled where the annotation
// paused-scale-in or paused-scale-out says so. nullopt: the HPA's legacy path.
std::optional<api::Behavior> hpa_behavior(const api::ScaledObject& object);
// The HPA's name, and the bounds it gets: KEDA never gives it a minimum of 0.
std::string hpa_name(const api::ScaledObject& object);
inline int32_t hpa_min(const api::ScaledObject& object) {
  return object.min() > 0 ? object.min() : 1;
}

struct ScaledObjectMemory {
  std::vector<int32_t> failures;  // a trigger each: failed reads since the last good one
  // For trusted_readings: each trigger's last value that was fresh enough.
  struct Held {
    std::optional<double> value;
    Instant at{};
  };
  std::vector<Held> held;
};

// The target as it is now.
struct TargetState {
  int32_t replicas = 0;    // spec.replicas
  int32_t ready_pods = 0;  // Running and Ready
  double mean_weight = 1;  // of its pods (mean_gpu_weight), for windlass.dev/gpu-weights
  // Whether `why` is written at every round, or only at those that change replicas.
  bool always_explain = true;
};

struct PollDecision {
  bool active = false;
  std::optional<int32_t> set_replicas;     // 0 <-> N steps, or up to min; nullopt: leave them
  std::optional<Instant> last_active;      // the new status.lastActiveTime
  std::vector<api::Condition> conditions;  // Ready, Active, Fallback, Paused
  std::string why;
};
// One round of KEDA's scale loop (section 1.5). `readings`: one a trigger; those of cpu and memory
// are not looked at. `object.last_active` is what the former round said.
PollDecision evaluate_poll(const api::ScaledObject& object, const ScaledObjectPlan& plan,
                           const std::vector<TriggerReading>& readings, const TargetState& target,
                           Instant now, ScaledObjectMemory& memory);

// The HPA's metrics from the same readings: NaN, infinite and negative become 0, %.3f into milli,
// fallback where the failure threshold is passed (section 1.6), composite-metric in place of all
// External ones with scaling modifiers (1.7). Sorted as KEDA sorts them, by type. A cpu or memory
// trigger's metric has no samples yet (the caller has them), or the reading's error.
std::vector<HpaMetric> hpa_metrics(const api::ScaledObject& object, const ScaledObjectPlan& plan,
                                   const std::vector<TriggerReading>& readings,
                                   const TargetState& target, ScaledObjectMemory& memory);

// The opt-in sample-age limit (windlass.dev/max-sample-age): a reading that failed, held nothing or
// is older than the limit gives way to the last good one, for as long as windlass.dev/hold-last
// says; after that it is an error. Without the annotation the readings as they are.
std::vector<TriggerReading> trusted_readings(const ScaledObjectPlan& plan,
                                             std::vector<TriggerReading> readings, Instant now,
                                             ScaledObjectMemory& memory);

}  // namespace windlass::scaling

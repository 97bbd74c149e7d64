// evaluate_poll: whether a ScaledObject is active, and the steps to and from zero or idle that only
// KEDA itself takes (reference keda_hpa.md 1.5, the decision table).
#include <fmt/format.h>

#include "base/text.h"
#include "scaling/fallback.h"
#include "scaling/pause_annotations.h"
#include "scaling/scaled_object.h"

namespace windlass::scaling {
namespace {

// What the triggers say together.
struct TriggerState {
  bool active = false;
  bool error = false;     // some trigger failed and no fallback stands in for it
  bool fallback = false;  // some trigger's fallback stands in
  std::string words;
};

TriggerState read_triggers(const api::ScaledObject& object, const std::vector<TriggerPlan>& plans,
                           const std::vector<TriggerReading>& readings, int32_t current,
                           ScaledObjectMemory& memory) {
  TriggerState state;
  std::vector<std::string> words;
  for (size_t i = 0; i < plans.size(); ++i) {
    const TriggerPlan& plan = plans[i];
    count_read(plan.metric_name, readings[i].ok(), memory);
    if (readings[i].ok()) {
      // Strictly greater, on the raw float: a value at the activation threshold is inactive.
      const double value = *readings[i];
      const bool active = value > plan.activation;
      state.active = state.active || active;
      words.push_back(fmt::format("{} is {}, {} activation {}", plan.metric_name, value,
                                  active ? "above" : "not above", plan.activation));
      continue;
    }
    // A Value target's fallback divides by the ready pods, of which a target at zero has none.
    const bool computable = plan.target_type != api::MetricTargetType::kValue || current > 0;
    if (computable && fallback_due(object, plan.metric_name, memory)) {
      state.active = true;
      state.fallback = true;
      words.push_back(fmt::format("{} failed {} times, its fallback stands in", plan.metric_name,
                                  memory.failures[plan.metric_name]));
    } else {
      state.error = true;
      words.push_back(
          fmt::format("{} failed: {}", plan.metric_name, readings[i].error().message()));
    }
  }
  state.words = join(words, ", ");
  return state;
}

struct Round {
  const api::ScaledObject& object;
  const PauseAnnotations& pause;
  int32_t current = 0;
  Instant now{};
  PollDecision& out;

  void condition(const char* type, const char* status, const char* reason,
                 std::string message) const {
    api::set_condition(out.conditions, {type, status, reason, std::move(message), now});
  }
  void scale_to(int32_t replicas) const {
    out.set_replicas = replicas;
    out.why += fmt::format("; {} -> {} replicas", current, replicas);
  }
};

void decide_active(const Round& round, bool error) {
  const int32_t min = round.object.min();
  const bool below_min = round.object.idle_replicas && round.current < min;
  if (below_min || round.current == 0) {
    if (round.pause.scale_out) {
      round.out.why += "; paused-scale-out blocks the step up";
      return;
    }
    // Never straight to N: how large the value is plays no part at activation.
    round.out.last_active = round.now;
    round.scale_to(min > 0 ? min : 1);
  } else if (error) {
    // KEDA does not refresh lastActiveTime here, so a cool-down may already be over when the last
    // working trigger falls silent.
    round.condition("Ready", "Unknown", "PartialTriggerError", "some triggers do not work");
  } else {
    round.out.last_active = round.now;
  }
}

bool cooled_down(const Round& round) {
  const auto& object = round.object;
  if (!object.last_active) return object.meta.created + object.initial_cooldown < round.now;
  return *object.last_active + object.cooldown < round.now;
}

void step_to_zero_or_idle(const Round& round) {
  if (round.pause.scale_in) {
    round.out.why += "; paused-scale-in blocks the step down";
  } else if (cooled_down(round)) {
    round.scale_to(round.object.idle_replicas.value_or(0));
  } else {
    round.out.why += "; cooling down";
    round.condition("Active", "False", "ScalerCooldown", "no trigger is active; cooling down");
  }
}

void decide_inactive(const Round& round, bool error) {
  const auto& object = round.object;
  const bool idle = object.idle_replicas.has_value();
  if (error && object.fallback && object.fallback->replicas != 0) {
    round.out.why += "; waiting for the fallback";
  } else if (error && !object.fallback) {
    // Unknown demand is not zero demand.
    round.condition("Ready", "False", "TriggerError", "triggers do not work");
  } else if ((idle && round.current > *object.idle_replicas) ||
             (round.current > 0 && object.min() == 0)) {
    step_to_zero_or_idle(round);
  } else if (!idle && round.current < object.min()) {
    round.scale_to(object.min());
  }
}

void decide_paused(const Round& round) {
  round.out.why = "paused by annotation";
  round.condition("Paused", "True", "ScaledObjectPaused", "paused by annotation");
  if (round.pause.replicas && *round.pause.replicas != round.current) {
    round.scale_to(*round.pause.replicas);
  }
}

}  // namespace

PollDecision evaluate_poll(const api::ScaledObject& object, const std::vector<TriggerPlan>& plans,
                           const std::vector<TriggerReading>& readings, int32_t current,
                           Instant now, ScaledObjectMemory& memory) {
  WL_ASSERT(plans.size() == readings.size());
  PollDecision out;
  out.last_active = object.last_active;
  const auto annotations = read_pause_annotations(object);
  const PauseAnnotations pause = annotations.ok() ? *annotations : PauseAnnotations{};
  const Round round{object, pause, current, now, out};
  if (!annotations.ok()) {
    out.why = annotations.error().message();
    round.condition("Ready", "False", "ScaledObjectCheckFailed", out.why);
    return out;
  }
  if (pause.paused) {
    decide_paused(round);
    return out;
  }
  if (api::is_true(object.conditions, "Paused")) {
    round.condition("Paused", "False", "ScaledObjectUnpaused", "no longer paused");
  }

  const TriggerState state = read_triggers(object, plans, readings, current, memory);
  out.active = state.active || pause.force_active;
  out.why = state.words;
  if (pause.force_active) out.why += "; forced active by annotation";
  round.condition("Fallback", state.fallback ? "True" : "False",
                  state.fallback ? "FallbackExists" : "NoFallbackFound",
                  state.fallback ? "a fallback stands in for a metric" : "no fallback is in use");
  // With an error Ready keeps what it was, unless a branch below says otherwise.
  if (!state.error) round.condition("Ready", "True", "ScaledObjectReady", "ready for scaling");
  if (out.active) {
    round.condition("Active", "True", "ScalerActive", "a trigger is active");
    decide_active(round, state.error);
  } else {
    round.condition("Active", "False", "ScalerNotActive", "no trigger is active");
    decide_inactive(round, state.error);
  }
  return out;
}

}  // namespace windlass::scaling

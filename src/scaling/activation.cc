// evaluate_poll: whether a ScaledObject is active, and the steps to and from zero or idle that only
// KEDA itself takes (reference keda_hpa.md 1.5, the decision table).
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "scaling/composite_metric.h"
#include "scaling/fallback.h"
#include "scaling/scaled_object.h"

namespace windlass::scaling {
namespace {

// What the triggers say together.
struct TriggerState {
  bool active = false;
  bool error = false;     // some trigger failed and no fallback stands in for it
  bool fallback = false;  // some trigger's fallback stands in
  std::optional<Composite> composite;
};

// Strictly greater, on the raw float: a value at the activation threshold is inactive.
bool is_active(const TriggerPlan& trigger, const TriggerReading& reading) {
  return reading.active.value_or(*reading > trigger.activation);
}

// A Value target's fallback divides by the ready pods, of which a target at zero has none.
bool stands_in(const api::ScaledObject& object, const ScaledObjectPlan& plan, size_t i,
               const TargetState& target, const ScaledObjectMemory& memory) {
  const bool computable =
      plan.triggers[i].target_type != api::MetricTargetType::kValue || target.ready_pods > 0;
  return computable && fallback_due(object, plan, i, memory);
}

TriggerState read_triggers(const api::ScaledObject& object, const ScaledObjectPlan& plan,
                           const std::vector<TriggerReading>& readings, const TargetState& target,
                           const ScaledObjectMemory& memory) {
  TriggerState state;
  // cpu and memory say nothing about activity: alone they keep the target up, beside others they
  // have no voice.
  if (plan.only_resources) state.active = true;
  if (plan.modifiers) {
    state.composite = combine(object, plan, readings, target, memory);
    const Composite& composite = *state.composite;
    state.error = !composite.value && !composite.milli;
    state.fallback = composite.fallback && !state.error;
    state.active = composite.value ? *composite.value > plan.modifiers->activation
                                   : composite.milli.has_value();
    return state;
  }
  for (size_t i = 0; i < readings.size(); ++i) {
    if (plan.triggers[i].is_resource()) continue;
    if (readings[i].ok()) {
      state.active = state.active || is_active(plan.triggers[i], readings[i]);
    } else if (stands_in(object, plan, i, target, memory)) {
      state.active = true;
      state.fallback = true;
    } else {
      state.error = true;
    }
  }
  return state;
}

std::string words_of(const TriggerState& state, const ScaledObjectPlan& plan) {
  const Composite& composite = *state.composite;
  if (composite.value) {
    const bool active = *composite.value > plan.modifiers->activation;
    return fmt::format("composite-metric is {}, {} activation {}{}", *composite.value,
                       active ? "above" : "not above", plan.modifiers->activation,
                       composite.fallback ? ", without the triggers that failed" : "");
  }
  return composite.milli ? "a trigger failed, the fallback stands in for composite-metric"
                         : "composite-metric failed: " + composite.error;
}

std::string words_of(const api::ScaledObject& object, const ScaledObjectPlan& plan,
                     const std::vector<TriggerReading>& readings, const TriggerState& state,
                     const TargetState& target, const ScaledObjectMemory& memory) {
  if (state.composite) return words_of(state, plan);
  std::vector<std::string> words;
  for (size_t i = 0; i < readings.size(); ++i) {
    const TriggerPlan& trigger = plan.triggers[i];
    if (trigger.is_resource()) {
      if (plan.only_resources) words.push_back(trigger.metric_name + " keeps the target up");
    } else if (!readings[i].ok()) {
      words.push_back(
          stands_in(object, plan, i, target, memory)
              ? fmt::format("{} failed {} times, its fallback stands in", trigger.metric_name,
                            memory.failures[i])
              : fmt::format("{} failed: {}", trigger.metric_name, readings[i].error().message()));
    } else if (readings[i].active) {
      words.push_back(fmt::format("{} is {}, its scaler says {}", trigger.metric_name, *readings[i],
                                  *readings[i].active ? "active" : "not active"));
    } else {
      words.push_back(fmt::format("{} is {}, {} activation {}", trigger.metric_name, *readings[i],
                                  is_active(trigger, readings[i]) ? "above" : "not above",
                                  trigger.activation));
    }
  }
  return join(words, ", ");
}

// The triggers without an answer, and why. Nothing in it changes from poll to poll for its own
// sake: it stands in a condition.
std::string failures_of(const ScaledObjectPlan& plan, const std::vector<TriggerReading>& readings) {
  std::vector<std::string> words;
  for (size_t i = 0; i < readings.size(); ++i) {
    if (plan.triggers[i].is_resource() || readings[i].ok()) continue;
    words.push_back(
        fmt::format("{}: {}", plan.triggers[i].metric_name, readings[i].error().message()));
  }
  return join(words, "; ");
}

// windlass.dev/straight-activation: what the metrics ask for from zero, as the HPA would count.
int32_t straight_wish(const api::ScaledObject& object, const ScaledObjectPlan& plan,
                      const std::vector<TriggerReading>& readings, const TriggerState& state,
                      const TargetState& target) {
  double wish = std::max(object.min(), 1);
  const auto ask = [&](MetricTarget goal, int64_t milli) {
    goal = weighted(goal, target.mean_weight);
    if (goal.milli <= 0) return;
    wish = std::max(wish, std::ceil(static_cast<double>(milli) / static_cast<double>(goal.milli)));
  };
  if (state.composite) {
    const Composite& composite = *state.composite;
    const int64_t milli =
        composite.value ? quantise_milli(*composite.value) : composite.milli.value_or(0);
    ask({plan.modifiers->target_type, plan.modifiers->target_milli}, milli);
  } else {
    for (size_t i = 0; i < readings.size(); ++i) {
      const TriggerPlan& trigger = plan.triggers[i];
      if (trigger.is_resource() || !readings[i].ok()) continue;
      ask({trigger.target_type, trigger.target_milli}, quantise_milli(*readings[i]));
    }
    if (state.fallback) wish = std::max(wish, static_cast<double>(object.fallback->replicas));
  }
  return static_cast<int32_t>(std::min(wish, static_cast<double>(object.max())));
}

struct Round {
  const api::ScaledObject& object;
  const PauseAnnotations& pause;
  int32_t current = 0;
  int32_t from_zero = 1;  // replicas that a step up from zero goes to
  Instant now{};
  PollDecision& out;
  std::string note{};      // joins the trigger's words in `why`
  std::string failures{};  // of triggers

  void condition(const char* type, const char* status, const char* reason,
                 std::string message) const {
    api::set_condition(out.conditions, {type, status, reason, std::move(message), now});
  }
  void scale_to(int32_t replicas) { out.set_replicas = replicas; }
};

void decide_active(Round& round, bool error) {
  const int32_t min = round.object.min();
  const bool below_min = round.object.idle_replicas && round.current < min;
  if (below_min || round.current == 0) {
    if (round.pause.scale_out) {
      round.note = "; paused-scale-out blocks the step up";
      return;
    }
    round.out.last_active = round.now;
    round.scale_to(round.from_zero);
  } else if (error) {
    // KEDA does not refresh lastActiveTime here, so a cool-down may already be over when the last
    // working trigger falls silent.
    round.condition("Ready", "Unknown", "PartialTriggerError",
                    "some triggers do not work: " + round.failures);
  } else {
    round.out.last_active = round.now;
  }
}

bool cooled_down(const Round& round) {
  const auto& object = round.object;
  if (!object.last_active) return object.meta.created + object.initial_cooldown < round.now;
  return *object.last_active + object.cooldown < round.now;
}

void step_to_zero_or_idle(Round& round) {
  if (round.pause.scale_in) {
    round.note = "; paused-scale-in blocks the step down";
  } else if (cooled_down(round)) {
    round.scale_to(round.object.idle_replicas.value_or(0));
  } else {
    round.note = "; cooling down";
    round.condition("Active", "False", "ScalerCooldown", "no trigger is active; cooling down");
  }
}

void decide_inactive(Round& round, bool error) {
  const auto& object = round.object;
  const bool idle = object.idle_replicas.has_value();
  if (error && object.fallback && object.fallback->replicas != 0) {
    round.note = "; waiting for the fallback";
  } else if (error && !object.fallback) {
    // Unknown demand is not zero demand.
    round.condition("Ready", "False", "TriggerError", "triggers do not work: " + round.failures);
  } else if ((idle && round.current > *object.idle_replicas) ||
             (round.current > 0 && object.min() == 0)) {
    step_to_zero_or_idle(round);
  } else if (!idle && round.current < object.min()) {
    round.scale_to(object.min());
  }
}

void decide_paused(Round& round) {
  round.condition("Paused", "True", "ScaledObjectPaused", "paused by annotation");
  const bool move = round.pause.replicas && *round.pause.replicas != round.current;
  if (move) round.scale_to(*round.pause.replicas);
  round.out.why = move ? fmt::format("paused by annotation; {} -> {} replicas", round.current,
                                     *round.pause.replicas)
                       : "paused by annotation";
}

void set_state_conditions(const Round& round, const TriggerState& state) {
  round.condition("Fallback", state.fallback ? "True" : "False",
                  state.fallback ? "FallbackExists" : "NoFallbackFound",
                  state.fallback ? "a fallback stands in for a metric" : "no fallback is in use");
  // With an error Ready keeps what it was, unless a branch of the decision says otherwise.
  if (!state.error) round.condition("Ready", "True", "ScaledObjectReady", "ready for scaling");
  if (round.out.active) {
    round.condition("Active", "True", "ScalerActive", "a trigger is active");
  } else {
    round.condition("Active", "False", "ScalerNotActive", "no trigger is active");
  }
}

}  // namespace

PollDecision evaluate_poll(const api::ScaledObject& object, const ScaledObjectPlan& plan,
                           const std::vector<TriggerReading>& readings, const TargetState& target,
                           Instant now, ScaledObjectMemory& memory) {
  WL_ASSERT(plan.triggers.size() == readings.size());
  PollDecision out;
  out.last_active = object.last_active;
  // Never straight to N, unless asked for: how large the value is plays no part at activation.
  Round round{object, plan.pause, target.replicas, std::max(object.min(), 1), now, out};
  if (!plan.pause.error.empty()) {
    out.why = plan.pause.error;
    round.condition("Ready", "False", "ScaledObjectCheckFailed", out.why);
    return out;
  }
  if (plan.pause.paused) {
    decide_paused(round);
    return out;
  }
  if (api::is_true(object.conditions, "Paused")) {
    round.condition("Paused", "False", "ScaledObjectUnpaused", "no longer paused");
  }

  count_reads(plan, readings, memory);
  const TriggerState state = read_triggers(object, plan, readings, target, memory);
  if (plan.opt_ins.straight_activation) {
    round.from_zero = straight_wish(object, plan, readings, state, target);
  }
  out.active = state.active || plan.pause.force_active;
  if (state.error) {
    round.failures = state.composite ? state.composite->error : failures_of(plan, readings);
  }
  set_state_conditions(round, state);
  if (out.active) {
    decide_active(round, state.error);
  } else {
    decide_inactive(round, state.error);
  }
  if (!target.always_explain && !out.set_replicas) return out;
  out.why = words_of(object, plan, readings, state, target, memory);
  if (plan.pause.force_active) out.why += "; forced active by annotation";
  out.why += round.note;
  if (out.set_replicas) {
    out.why += fmt::format("; {} -> {} replicas", target.replicas, *out.set_replicas);
  }
  return out;
}

}  // namespace windlass::scaling

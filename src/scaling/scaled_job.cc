#include "scaling/scaled_job.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"

namespace windlass::scaling {
namespace {

using Strategy = api::ScaledJobStrategy;

// Jobs that always run, and how many may be added to them. A minimum above the maximum is the
// maximum, and then nothing may be added.
struct Bounds {
  int64_t min = 0;
  int64_t added_max = 0;
};

Bounds bounds_of(const api::ScaledJob& object) {
  const int64_t max = object.max_replicas.value_or(100);
  const int64_t min = std::min<int64_t>(object.min_replicas.value_or(0), max);
  return {min, max - min};
}

struct Demand {
  bool active = false;
  double queue = 0;
  double max_value = 0;
};

Demand demand_of(const TriggerPlan& trigger, const TriggerReading& reading, const Bounds& bounds) {
  Demand out;
  if (!reading.ok()) return out;
  // As the metrics are handed out: no NaN, no infinity, nothing below 0.
  out.queue = std::isfinite(*reading) ? std::max(*reading, 0.0) : 0;
  out.active = reading.active.value_or(*reading > trigger.activation);
  if (trigger.target_milli > 0) {
    const double target = static_cast<double>(trigger.target_milli) / 1000;
    out.max_value = std::min(out.queue / target, static_cast<double>(bounds.added_max));
  }
  return out;
}

// Over the active triggers. Max and min go by queue length, whatever the targets are; an active
// trigger with an empty queue never wins a maximum, and gives way in a minimum.
Demand combine(const std::vector<Demand>& demands, Strategy::Combine how) {
  Demand out;
  int count = 0;
  for (const Demand& demand : demands) {
    if (!demand.active) continue;
    ++count;
    if (how == Strategy::Combine::kAvg || how == Strategy::Combine::kSum) {
      out = {true, out.queue + demand.queue, out.max_value + demand.max_value};
      continue;
    }
    const bool takes = how == Strategy::Combine::kMin ? out.queue == 0 || demand.queue < out.queue
                                                      : demand.queue > out.queue;
    if (takes) out = demand;
  }
  if (how == Strategy::Combine::kAvg && count > 0) {
    out.queue /= count;
    out.max_value /= count;
  }
  return out;
}

// A float as whole Jobs; what no cluster could run is cut off.
int64_t whole(double value) {
  return static_cast<int64_t>(std::clamp(std::ceil(value), 0.0, 1e15));
}

struct Limit {
  int64_t scale_to = 0;
  int64_t limit = 0;
  std::string_view by;
};

Limit by_strategy(const Strategy& strategy, const ScaledJobDecision& decision, const Bounds& bounds,
                  const JobCounts& jobs) {
  const int64_t max_scale = decision.max_scale;
  const int64_t running = jobs.running - bounds.min;
  const int64_t most = bounds.added_max;
  Limit out{decision.queue_length, max_scale - running, "default"};
  switch (strategy.kind) {
    case Strategy::Kind::kDefault:
      break;
    case Strategy::Kind::kCustom: {
      const auto share = parse_double(trim(strategy.running_job_percentage));
      if (!share.ok()) break;  // KEDA falls back to the default strategy
      const double counted = std::clamp(static_cast<double>(running) * *share, -1e15, 1e15);
      out.limit = std::min(
          max_scale - strategy.queue_length_deduction - static_cast<int64_t>(counted), most);
      out.by = "custom";
      break;
    }
    case Strategy::Kind::kAccurate:
      out.limit =
          max_scale + running - jobs.pending > most ? most - running : max_scale - jobs.pending;
      out.by = "accurate";
      break;
    case Strategy::Kind::kEager:
      out = {most, std::min(most - running - jobs.pending, max_scale), "eager"};
      break;
  }
  return out;
}

void set_conditions(const std::vector<TriggerReading>& readings, Instant now,
                    ScaledJobDecision& out) {
  const auto failed = std::ranges::count_if(readings, [](const auto& r) { return !r.ok(); });
  if (failed > 0) {
    api::set_condition(out.conditions, {"Ready", "Unknown", "PartialTriggerError",
                                        "some triggers do not work", now});
  } else {
    api::set_condition(out.conditions,
                       {"Ready", "True", "ScaledJobReady", "ready for scaling", now});
  }
  api::set_condition(
      out.conditions,
      out.active
          ? api::Condition{"Active", "True", "ScalerActive", "a trigger is active", now}
          : api::Condition{"Active", "False", "ScalerNotActive", "no trigger is active", now});
}

std::string words_of(const std::vector<TriggerPlan>& triggers,
                     const std::vector<TriggerReading>& readings) {
  std::vector<std::string> words;
  for (size_t i = 0; i < triggers.size(); ++i) {
    words.push_back(
        readings[i].ok()
            ? fmt::format("{} is {}", triggers[i].metric_name, *readings[i])
            : fmt::format("{} failed: {}", triggers[i].metric_name, readings[i].error().message()));
  }
  return join(words, ", ");
}

}  // namespace

Result<std::vector<TriggerPlan>> plan_scaled_job(const api::ScaledJob& object,
                                                 std::span<const ResolvedValues> values,
                                                 std::vector<std::string>* ignored) {
  std::vector<std::string> errors;
  for (size_t i = 0; i < object.triggers.size(); ++i) {
    const api::Trigger& trigger = object.triggers[i];
    if (trigger.type == "cpu" || trigger.type == "memory") {
      errors.push_back(
          fmt::format("triggers[{}].type: a ScaledJob takes no {} trigger", i, trigger.type));
    } else if (trigger.metric_type_given) {
      errors.push_back(fmt::format("triggers[{}].metricType: not allowed in a ScaledJob", i));
    }
    if (trigger.use_cached_metrics && ignored != nullptr) {
      ignored->push_back(fmt::format("triggers[{}].useCachedMetrics: ignored in a ScaledJob", i));
    }
  }
  if (!errors.empty()) return Error(join(errors, "; "));
  return plan_triggers(object.triggers, object.meta.namespace_name, values, ignored);
}

ScaledJobDecision evaluate_scaled_job(const api::ScaledJob& object,
                                      const std::vector<TriggerPlan>& triggers,
                                      const std::vector<TriggerReading>& readings,
                                      const JobCounts& jobs, Instant now) {
  WL_ASSERT(triggers.size() == readings.size());
  const Bounds bounds = bounds_of(object);
  std::vector<Demand> demands;
  for (size_t i = 0; i < triggers.size(); ++i) {
    demands.push_back(demand_of(triggers[i], readings[i], bounds));
  }
  const Demand demand = combine(demands, object.strategy.combine);
  ScaledJobDecision out;
  out.active = demand.active || bounds.min > 0;
  out.queue_length = whole(demand.queue);
  out.max_scale = whole(std::min(demand.max_value, static_cast<double>(bounds.added_max)));
  out.why = words_of(triggers, readings);
  set_conditions(readings, now, out);

  if (jobs.running < bounds.min) {
    out.create = bounds.min - jobs.running;
    out.why +=
        fmt::format("; {} of {} minimum Jobs run, create {}", jobs.running, bounds.min, out.create);
    return out;
  }
  const Limit limit = by_strategy(object.strategy, out, bounds, jobs);
  if (!out.active) {
    out.why += "; no trigger is active";
    return out;
  }
  out.create = std::max<int64_t>(0, std::min(limit.scale_to, limit.limit));
  out.why += fmt::format(
      "; the queue of {} is worth {} Jobs, {} run, {} pending: strategy {} allows {}, create {}",
      out.queue_length, out.max_scale, jobs.running, jobs.pending, limit.by,
      std::max<int64_t>(0, limit.limit), out.create);
  return out;
}

bool is_pending(const api::ScaledJobStrategy& strategy, std::span<const JobPod> pods) {
  const auto past_pending = [&](const JobPod& pod) {
    if (strategy.pending_pod_conditions.empty()) {
      return pod.phase == api::PodPhase::kRunning || pod.phase == api::PodPhase::kSucceeded;
    }
    return std::ranges::all_of(strategy.pending_pod_conditions, [&](const std::string& type) {
      return std::ranges::find(pod.true_conditions, type) != pod.true_conditions.end();
    });
  };
  return std::ranges::none_of(pods, past_pending);
}

}  // namespace windlass::scaling

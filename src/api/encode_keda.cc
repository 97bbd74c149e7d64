#include <array>

#include "api/encode.h"

namespace windlass::api {
namespace {

std::string_view text_of(FallbackBehavior behavior) {
  switch (behavior) {
    case FallbackBehavior::kStatic:
      return "static";
    case FallbackBehavior::kCurrentReplicas:
      return "currentReplicas";
    case FallbackBehavior::kCurrentReplicasIfHigher:
      return "currentReplicasIfHigher";
    case FallbackBehavior::kCurrentReplicasIfLower:
      return "currentReplicasIfLower";
    case FallbackBehavior::kScalingModifiers:
      return "scalingModifiers";
  }
  WL_UNREACHABLE("fallback behavior");
}

std::string_view text_of(ScaledJobStrategy::Kind kind) {
  static constexpr std::array<std::string_view, 4> kNames{"default", "custom", "accurate", "eager"};
  return kNames[static_cast<size_t>(kind)];
}

std::string_view text_of(ScaledJobStrategy::Combine combine) {
  static constexpr std::array<std::string_view, 4> kNames{"max", "min", "avg", "sum"};
  return kNames[static_cast<size_t>(combine)];
}

// KEDA's conditions have no time; API servers warn of every field their kinds don't have.
void write_keda_conditions(Json& parent, const std::vector<Condition>& conditions) {
  std::vector<Condition> timeless = conditions;
  for (Condition& condition : timeless) condition.changed = {};
  write_conditions(parent, timeless);
}

// What else a trigger may hold stays in the element it was read from.
void write_trigger(Json& out, const Trigger& trigger) {
  put_string(out, "type", trigger.type);
  put_string(out, "name", trigger.name);
  out["metadata"] = trigger.metadata;
  put_string(out, "metricType", std::string(text_of(trigger.metric_type)),
             trigger.metric_type_given ? "" : "AverageValue");
  put_bool(out, "useCachedMetrics", trigger.use_cached_metrics, false);
  if (!trigger.auth) {
    out.erase("authenticationRef");
    return;
  }
  within(out, "authenticationRef", [&](Json& ref) {
    put_string(ref, "name", trigger.auth->name);
    // Absent and "TriggerAuthentication" mean the same.
    if (trigger.auth->cluster) {
      ref["kind"] = "ClusterTriggerAuthentication";
    } else if (ref.value("kind", Json()) == "ClusterTriggerAuthentication") {
      ref.erase("kind");
    }
  });
}

void write_advanced(Json& spec, const ScaledObject& object) {
  within(spec, "advanced", [&](Json& advanced) {
    put_bool(advanced, "restoreToOriginalReplicaCount", object.restore_original_replicas, false);
    within(advanced, "horizontalPodAutoscalerConfig", [&](Json& hpa) {
      put_string(hpa, "name", object.hpa_name);
      write_behavior(hpa, object.behavior);
    });
    if (!object.modifiers) return;
    const ScalingModifiers& modifiers = *object.modifiers;
    within(advanced, "scalingModifiers", [&](Json& out) {
      put_string(out, "formula", modifiers.formula);
      put_string(out, "target", modifiers.target);
      put_string(out, "activationTarget", modifiers.activation_target);
      put_string(out, "metricType", std::string(text_of(modifiers.metric_type)), "AverageValue");
    });
  });
}

void write_strategy(Json& spec, const ScaledJobStrategy& strategy) {
  within(spec, "scalingStrategy", [&](Json& out) {
    // A text KEDA reads as the default stays.
    if (strategy.kind != ScaledJobStrategy::Kind::kDefault) {
      out["strategy"] = text_of(strategy.kind);
    }
    put_int(out, "customScalingQueueLengthDeduction", strategy.queue_length_deduction, 0);
    put_string(out, "customScalingRunningJobPercentage", strategy.running_job_percentage);
    put_strings(out, "pendingPodConditions", strategy.pending_pod_conditions);
    if (strategy.combine != ScaledJobStrategy::Combine::kMax) {
      out["multipleScalersCalculation"] = text_of(strategy.combine);
    }
  });
}

// Of one kind of source; each is written over the one of the same parameter.
void write_sources(Json& spec, const char* key, AuthSource::Kind kind,
                   const std::vector<AuthSource>& all) {
  std::vector<AuthSource> sources;
  for (const AuthSource& source : all) {
    if (source.kind == kind) sources.push_back(source);
  }
  put_each(spec, key, sources, "parameter", [](Json& out, const AuthSource& source) {
    put_string(out, "parameter", source.parameter);
    put_string(out, "name", source.name);
    put_string(out, "key", source.key);
    put_string(out, "containerName", source.container);
  });
}

}  // namespace

void write(Json& out, const ScaledObject& object) {
  write_meta(out, object.meta);
  within(out, "spec", [&](Json& spec) {
    within(spec, "scaleTargetRef", [&](Json& target) {
      put_string(target, "name", object.target_name);
      put_string(target, "kind", object.target_kind, "Deployment");
      put_string(target, "apiVersion", object.target_api_version, "apps/v1");
      put_string(target, "envSourceContainerName", object.env_source_container);
    });
    put_seconds(spec, "pollingInterval", object.polling_interval, seconds(30));
    put_seconds(spec, "initialCooldownPeriod", object.initial_cooldown, Duration{});
    put_seconds(spec, "cooldownPeriod", object.cooldown, seconds(300));
    put_int(spec, "idleReplicaCount", object.idle_replicas);
    put_int(spec, "minReplicaCount", object.min_replicas);
    put_int(spec, "maxReplicaCount", object.max_replicas);
    put_each(spec, "triggers", object.triggers, "type", write_trigger);
    if (object.fallback) {
      within(spec, "fallback", [&](Json& fallback) {
        fallback["failureThreshold"] = object.fallback->failure_threshold;
        fallback["replicas"] = object.fallback->replicas;
        put_string(fallback, "behavior", std::string(text_of(object.fallback->behavior)), "static");
      });
    } else {
      spec.erase("fallback");
    }
    write_advanced(spec, object);
  });
  within(out, "status", [&](Json& status) {
    write_keda_conditions(status, object.conditions);
    put_time(status, "lastActiveTime", object.last_active);
    put_string(status, "scaleTargetKind", object.status_target_kind);
    put_string(status, "triggersTypes", object.status_triggers);
    put_string(status, "authenticationsTypes", object.status_authentications);
  });
}

void write(Json& out, const ScaledJob& job) {
  write_meta(out, job.meta);
  within(out, "spec", [&](Json& spec) {
    within(spec, "jobTargetRef", [&](Json& target) { write_job_spec(target, job.job); });
    put_seconds(spec, "pollingInterval", job.polling_interval, seconds(30));
    put_int(spec, "successfulJobsHistoryLimit", job.successful_history, 100);
    put_int(spec, "failedJobsHistoryLimit", job.failed_history, 100);
    put_int(spec, "minReplicaCount", job.min_replicas);
    put_int(spec, "maxReplicaCount", job.max_replicas);
    write_strategy(spec, job.strategy);
    // The deprecated field says the same while there is no other.
    if (!spec.contains("rolloutStrategy") || spec.contains("rollout")) {
      within(spec, "rollout", [&](Json& rollout) {
        put_string(rollout, "strategy", job.gradual_rollout ? "gradual" : "immediate", "immediate");
      });
    }
    put_string(spec, "envSourceContainerName", job.env_source_container);
    put_each(spec, "triggers", job.triggers, "type", write_trigger);
  });
  within(out, "status", [&](Json& status) {
    write_keda_conditions(status, job.conditions);
    put_time(status, "lastActiveTime", job.last_active);
  });
}

void write(Json& out, const TriggerAuthentication& authentication) {
  write_meta(out, authentication.meta);
  Json& spec = out["spec"];
  if (!spec.is_object()) spec = Json::object();
  write_sources(spec, "secretTargetRef", AuthSource::Kind::kSecret, authentication.sources);
  write_sources(spec, "configMapTargetRef", AuthSource::Kind::kConfigMap, authentication.sources);
  write_sources(spec, "env", AuthSource::Kind::kEnv, authentication.sources);
}

}  // namespace windlass::api

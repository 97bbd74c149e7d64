#include "api/encode.h"

namespace windlass::api {
namespace {

std::string_view text_of(MetricTargetType type) {
  switch (type) {
    case MetricTargetType::kAverageValue:
      return "AverageValue";
    case MetricTargetType::kValue:
      return "Value";
    case MetricTargetType::kUtilization:
      return "Utilization";
  }
  WL_UNREACHABLE("metric type");
}

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

std::string_view text_of(SelectPolicy select) {
  switch (select) {
    case SelectPolicy::kMax:
      return "Max";
    case SelectPolicy::kMin:
      return "Min";
    case SelectPolicy::kDisabled:
      return "Disabled";
  }
  WL_UNREACHABLE("select policy");
}

// The HPA takes absent rules for its defaults and empty ones for rules, so both must survive.
void write_rules(Json& parent, const char* key, const std::optional<ScalingRules>& rules) {
  if (!rules) {
    parent.erase(key);
    return;
  }
  within(parent, key, [&](Json& out) {
    if (rules->stabilization_window) {
      put_seconds(out, "stabilizationWindowSeconds", *rules->stabilization_window, std::nullopt);
    } else {
      out.erase("stabilizationWindowSeconds");
    }
    put_string(out, "selectPolicy", std::string(text_of(rules->select)), "Max");
    put_each(out, "policies", rules->policies, "type", [](Json& p, const ScalingPolicy& policy) {
      p["type"] = policy.type == ScalingPolicy::Type::kPods ? "Pods" : "Percent";
      p["value"] = policy.value;
      put_seconds(p, "periodSeconds", policy.period, std::nullopt);
    });
    if (rules->tolerance) {
      put_quantity(out, "tolerance", *rules->tolerance);
    } else {
      out.erase("tolerance");
    }
  });
  // Empty rules and none are different things.
  if (!parent.contains(key)) parent[key] = Json::object();
}

// authenticationRef and what else a trigger may hold stay in the element it was read from.
void write_trigger(Json& out, const Trigger& trigger) {
  put_string(out, "type", trigger.type);
  put_string(out, "name", trigger.name);
  out["metadata"] = trigger.metadata;
  put_string(out, "metricType", std::string(text_of(trigger.metric_type)), "AverageValue");
  put_bool(out, "useCachedMetrics", trigger.use_cached_metrics, false);
}

}  // namespace

void write_behavior(Json& parent, const std::optional<Behavior>& behavior) {
  if (!behavior) {
    parent.erase("behavior");
    return;
  }
  Json& out = parent["behavior"];
  if (!out.is_object()) out = Json::object();
  write_rules(out, "scaleUp", behavior->scale_up);
  write_rules(out, "scaleDown", behavior->scale_down);
}

void write(Json& out, const ScaledObject& object) {
  write_meta(out, object.meta);
  within(out, "spec", [&](Json& spec) {
    within(spec, "scaleTargetRef", [&](Json& target) {
      put_string(target, "name", object.target_name);
      put_string(target, "kind", object.target_kind, "Deployment");
      put_string(target, "apiVersion", object.target_api_version, "apps/v1");
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
    within(spec, "advanced", [&](Json& advanced) {
      within(advanced, "horizontalPodAutoscalerConfig",
             [&](Json& hpa) { write_behavior(hpa, object.behavior); });
    });
  });
  within(out, "status", [&](Json& status) {
    write_conditions(status, object.conditions);
    put_time(status, "lastActiveTime", object.last_active);
  });
}

}  // namespace windlass::api

// ScaledObject of keda.sh/v1alpha1, with the rules of its CRD and of KEDA's webhook that one object
// can be judged by (reference keda_hpa.md 1.1, 1.2).
#include <algorithm>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/decode.h"
#include "base/text.h"

namespace windlass::api {
namespace {

constexpr int32_t kMost = INT32_MAX;

// These two become Resource metrics of the HPA; everything else an External one, with other rules.
bool is_resource_trigger(const Trigger& trigger) {
  return trigger.type == "cpu" || trigger.type == "memory";
}

void read_target(Reader target, ScaledObject& out) {
  out.target_name = target.at("name").required_string();
  out.target_kind = target.at("kind").string().value_or("Deployment");
  out.target_api_version = target.at("apiVersion").string().value_or("apps/v1");
  target.allow({"envSourceContainerName"});
  target.warn_unknown_keys();
}

// KEDA took the type from the metadata once and refuses to guess now; an External metric has no
// request that a utilisation could be a part of.
void check_metric_type(const Reader& field, const Trigger& trigger) {
  const bool resource = is_resource_trigger(trigger);
  if (resource && (!field.present() || trigger.metric_type == MetricTargetType::kValue)) {
    field.error(fmt::format("a {} trigger takes Utilization or AverageValue", trigger.type));
  }
  if (!resource && trigger.metric_type == MetricTargetType::kUtilization) {
    field.error("Utilization is for cpu and memory triggers only (accepted: AverageValue, Value)");
  }
}

// Metadata is checked for its type only: which keys a scaler takes is known where it is evaluated,
// and KEDA ignores those it does not know.
Trigger read_trigger(Reader item) {
  Trigger out;
  out.type = item.at("type").required_string();
  out.name = item.at("name").string().value_or("");
  Reader metadata = item.required("metadata");
  out.metadata = metadata.string_map();
  // Scalers of the external kind define their own keys.
  if (out.metadata.contains("metricName") && !out.type.starts_with("external")) {
    metadata.at("metricName").warning("metricName is obsolete and ignored by KEDA");
  }
  Reader metric_type = item.at("metricType");
  out.metric_type =
      metric_type
          .one_of<MetricTargetType>({{"AverageValue", MetricTargetType::kAverageValue},
                                     {"Value", MetricTargetType::kValue},
                                     {"Utilization", MetricTargetType::kUtilization}})
          .value_or(MetricTargetType::kAverageValue);
  check_metric_type(metric_type, out);
  Reader cached = item.at("useCachedMetrics");
  out.use_cached_metrics = cached.boolean().value_or(false);
  if (out.use_cached_metrics && (is_resource_trigger(out) || out.type == "cron")) {
    cached.error(fmt::format("a {} trigger has no metrics to keep", out.type));
  }
  item.allow({"authenticationRef"});
  item.warn_unknown_keys();
  return out;
}

// Names must differ because a formula refers to triggers by them.
void read_triggers(const Reader& list, ScaledObject& out) {
  std::set<std::string> names;
  for (Reader item : list.items()) {
    out.triggers.push_back(read_trigger(item));
    const std::string& name = out.triggers.back().name;
    if (!name.empty() && !names.insert(name).second) {
      item.at("name").error(fmt::format("\"{}\" is there twice", name.substr(0, 64)));
    }
  }
  if (list.present() && list.json().is_array() && out.triggers.empty()) {
    list.error("is empty (accepted: at least one trigger)");
  }
}

bool only_resource_triggers(const ScaledObject& object) {
  return !object.triggers.empty() &&
         std::all_of(object.triggers.begin(), object.triggers.end(), is_resource_trigger);
}

// A Resource metric is read by the HPA itself, so KEDA never learns that it failed: with such
// triggers alone there is nothing to fall back from.
void read_fallback(Reader fallback, bool has_formula, ScaledObject& out) {
  if (!fallback.present()) return;
  Fallback value;
  value.failure_threshold = fallback.required("failureThreshold").int32(0, kMost).value_or(0);
  value.replicas = fallback.required("replicas").int32(0, kMost).value_or(0);
  Reader behavior = fallback.at("behavior");
  using F = FallbackBehavior;
  value.behavior = behavior
                       .one_of<F>({{"static", F::kStatic},
                                   {"currentReplicas", F::kCurrentReplicas},
                                   {"currentReplicasIfHigher", F::kCurrentReplicasIfHigher},
                                   {"currentReplicasIfLower", F::kCurrentReplicasIfLower},
                                   {"scalingModifiers", F::kScalingModifiers}})
                       .value_or(F::kStatic);
  if (value.behavior == F::kScalingModifiers && !has_formula) {
    behavior.error("scalingModifiers needs advanced.scalingModifiers.formula");
  }
  if (only_resource_triggers(out) && !has_formula) {
    fallback.error("does not work with cpu and memory triggers alone");
  }
  fallback.warn_unknown_keys();
  out.fallback = value;
}

// Checked as KEDA does; the formula itself is not evaluated here. Returns whether there is one.
bool read_modifiers(Reader modifiers) {
  const std::string formula = modifiers.at("formula").string().value_or("");
  Reader target = modifiers.at("target");
  const std::string target_text = target.string().value_or("");
  (void)modifiers.at("activationTarget").string();
  (void)modifiers.at("metricType").one_of<int>({{"", 0}, {"AverageValue", 0}, {"Value", 1}});
  modifiers.warn_unknown_keys();
  if (formula.empty() && target_text.empty()) return false;
  if (formula.empty()) modifiers.at("formula").error("is missing (target and formula go together)");
  const auto number = parse_double(target_text);
  if (target_text.empty()) {
    target.error("is missing (target and formula go together)");
  } else if (!number.ok() || *number <= 0) {
    target.error(fmt::format("found {} (accepted: a number above 0)", describe(target.json())));
  }
  modifiers.warning("Windlass does not evaluate formulas: each trigger counts by itself");
  return !formula.empty();
}

struct Advanced {
  bool has_formula = false;
  bool has_hpa_name = false;
};

// What of the rest of the spec depends on `advanced` is handed back.
Advanced read_advanced(Reader advanced, ScaledObject& out) {
  Advanced found;
  (void)advanced.at("restoreToOriginalReplicaCount").boolean();
  Reader hpa = advanced.at("horizontalPodAutoscalerConfig");
  Reader name = hpa.at("name");
  const std::string hpa_name = name.string().value_or("");
  if (hpa_name.size() > 63) name.error("is longer than 63");
  found.has_hpa_name = !hpa_name.empty();
  out.behavior = read_behavior(hpa.at("behavior"));
  hpa.warn_unknown_keys();
  found.has_formula = read_modifiers(advanced.at("scalingModifiers"));
  advanced.warn_unknown_keys();
  return found;
}

// The order of idle, least and most replicas.
void check_bounds(Reader& spec, const ScaledObject& object) {
  if (object.min() > object.max()) {
    spec.at(object.min_replicas ? "minReplicaCount" : "maxReplicaCount")
        .error(fmt::format("the least replicas ({}) are more than the most ({})", object.min(),
                           object.max()));
  }
  if (object.idle_replicas) {
    // KEDA's quirk: an explicit minimum of 0 counts as 1 here, an absent one as 0.
    const int32_t least = object.min_replicas == 0 ? 1 : object.min();
    if (*object.idle_replicas >= least) {
      spec.at("idleReplicaCount")
          .error(fmt::format(
              "found {} (accepted: less than minReplicaCount, which is {})", *object.idle_replicas,
              object.min_replicas ? fmt::format("{}", *object.min_replicas) : "absent"));
    }
  }
  if (only_resource_triggers(object) && object.min() == 0) {
    spec.at("minReplicaCount")
        .error(
            "cpu and memory triggers alone can't start from 0 (accepted: "
            "1 or more)");
  }
}

// Above 0 and without an idle count nothing polls for 0 <-> 1 any more.
void warn_of_idle_settings(Reader& spec, const ScaledObject& object) {
  if (object.min() == 0 || object.idle_replicas) return;
  const bool cached = std::any_of(object.triggers.begin(), object.triggers.end(),
                                  [](const Trigger& t) { return t.use_cached_metrics; });
  if (spec.has("pollingInterval") && !cached) {
    spec.at("pollingInterval")
        .warning(
            "has no effect with minReplicaCount above 0: the HPA asks "
            "in its own rhythm");
  }
  if (spec.has("cooldownPeriod")) {
    spec.at("cooldownPeriod")
        .warning(
            "has no effect with minReplicaCount above 0: nothing is "
            "scaled to 0");
  }
}

void read_spec(Reader spec, ScaledObject& out) {
  Reader target = spec.required("scaleTargetRef");
  if (target.present()) read_target(std::move(target), out);
  const auto whole_seconds = [&](const char* key, int32_t low, Duration absent) {
    const auto value = spec.at(key).int32(low, kMost);
    return value ? seconds(*value) : absent;
  };
  out.polling_interval = whole_seconds("pollingInterval", 1, out.polling_interval);
  out.initial_cooldown = whole_seconds("initialCooldownPeriod", 0, out.initial_cooldown);
  out.cooldown = whole_seconds("cooldownPeriod", 0, out.cooldown);
  out.idle_replicas = spec.at("idleReplicaCount").int32(0, kMost);
  out.min_replicas = spec.at("minReplicaCount").int32(0, kMost);
  out.max_replicas = spec.at("maxReplicaCount").int32(1, kMost);
  read_triggers(spec.required("triggers"), out);
  const Advanced advanced = read_advanced(spec.at("advanced"), out);
  read_fallback(spec.at("fallback"), advanced.has_formula, out);
  // keda-hpa-<name> must fit 63 characters, too.
  const size_t longest = advanced.has_hpa_name ? 63 : 54;
  if (out.meta.name.size() > longest) {
    spec.error(
        fmt::format("the object's name has {} characters (accepted: up to {}, or 63 with "
                    "advanced.horizontalPodAutoscalerConfig.name)",
                    out.meta.name.size(), longest));
  }
  check_bounds(spec, out);
  warn_of_idle_settings(spec, out);
  spec.warn_unknown_keys();
}

// Ranges of autoscaling/v2. Defaults are left to the evaluation: for it, absent halves of a
// behavior and an absent behavior are different things.
std::optional<ScalingRules> read_rules(Reader rules) {
  if (!rules.expect_map()) return std::nullopt;
  ScalingRules out;
  if (const auto window = rules.at("stabilizationWindowSeconds").int32(0, 3600)) {
    out.stabilization_window = seconds(*window);
  }
  out.select = rules.at("selectPolicy")
                   .one_of<SelectPolicy>({{"Max", SelectPolicy::kMax},
                                          {"Min", SelectPolicy::kMin},
                                          {"Disabled", SelectPolicy::kDisabled}})
                   .value_or(SelectPolicy::kMax);
  Reader policies = rules.at("policies");
  for (Reader item : policies.items()) {
    ScalingPolicy policy;
    policy.type = item.required("type")
                      .one_of<ScalingPolicy::Type>({{"Pods", ScalingPolicy::Type::kPods},
                                                    {"Percent", ScalingPolicy::Type::kPercent}})
                      .value_or(ScalingPolicy::Type::kPods);
    policy.value = item.required("value").int32(1, kMost).value_or(1);
    policy.period = seconds(item.required("periodSeconds").int32(1, 1800).value_or(1));
    item.warn_unknown_keys();
    out.policies.push_back(policy);
  }
  if (policies.present() && policies.json().is_array() && out.policies.empty()) {
    policies.error("is empty (accepted: at least one policy, or no list)");
  }
  Reader tolerance = rules.at("tolerance");
  out.tolerance = tolerance.quantity();
  if (out.tolerance && *out.tolerance < Quantity()) {
    tolerance.error(fmt::format("found {} (accepted: 0 or more)", out.tolerance->to_string()));
  }
  rules.warn_unknown_keys();
  return out;
}

}  // namespace

std::optional<Behavior> read_behavior(Reader behavior) {
  if (!behavior.expect_map()) return std::nullopt;
  Behavior out;
  out.scale_up = read_rules(behavior.at("scaleUp"));
  out.scale_down = read_rules(behavior.at("scaleDown"));
  behavior.warn_unknown_keys();
  return out;
}

ScaledObject read_scaled_object(Reader root) {
  ScaledObject out;
  out.meta = read_meta(root.required("metadata"), Scope::kNamespaced);
  Reader spec = root.required("spec");
  if (spec.present()) read_spec(std::move(spec), out);
  // KEDA's conditions carry no times.
  Reader status = root.at("status");
  out.conditions = read_conditions(status.at("conditions"));
  out.last_active = status.at("lastActiveTime").time();
  root.allow({"apiVersion", "kind"});
  root.warn_unknown_keys();
  return out;
}

}  // namespace windlass::api

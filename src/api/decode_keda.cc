// ScaledObject of keda.sh/v1alpha1, with the rules of its CRD and of KEDA's webhook that one object
// can be judged by (reference keda_hpa.md 1.1, 1.2).
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/decode.h"
#include "base/text.h"

namespace windlass::api {
namespace {

constexpr int32_t kMost = INT32_MAX;

void read_target(Reader target, ScaledObject& out) {
  out.target_name = target.at("name").required_string();
  out.target_kind = target.at("kind").string().value_or("Deployment");
  out.target_api_version = target.at("apiVersion").string().value_or("apps/v1");
  out.env_source_container = target.at("envSourceContainerName").string().value_or("");
  target.warn_unknown_keys();
}

bool only_resource_triggers(const ScaledObject& object) {
  return !object.triggers.empty() &&
         std::all_of(object.triggers.begin(), object.triggers.end(), is_resource_trigger);
}

// A Resource metric is read by the HPA itself, so KEDA never learns that it failed: with such
// triggers alone there is nothing to fall back from.
void read_fallback(Reader fallback, ScaledObject& out) {
  if (!fallback.present()) return;
  const bool has_formula = out.modifiers.has_value();
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

// Formula and target go together; whether the formula can be read is known where it is evaluated.
std::optional<ScalingModifiers> read_modifiers(Reader modifiers) {
  ScalingModifiers out;
  out.formula = modifiers.at("formula").string().value_or("");
  Reader target = modifiers.at("target");
  out.target = target.string().value_or("");
  Reader activation = modifiers.at("activationTarget");
  out.activation_target = activation.string().value_or("");
  out.metric_type =
      modifiers.at("metricType")
          .one_of<MetricTargetType>({{"", MetricTargetType::kAverageValue},
                                     {"AverageValue", MetricTargetType::kAverageValue},
                                     {"Value", MetricTargetType::kValue}})
          .value_or(MetricTargetType::kAverageValue);
  modifiers.warn_unknown_keys();
  if (out.formula.empty() && out.target.empty()) return std::nullopt;
  if (out.formula.empty()) {
    modifiers.at("formula").error("is missing (target and formula go together)");
  }
  const auto number = parse_double(out.target);
  if (out.target.empty()) {
    target.error("is missing (target and formula go together)");
  } else if (!number.ok() || *number <= 0) {
    target.error(fmt::format("found {} (accepted: a number above 0)", describe(target.json())));
  }
  if (!out.activation_target.empty() && !parse_double(out.activation_target).ok()) {
    activation.error(fmt::format("found {} (accepted: a number)", describe(activation.json())));
  }
  if (out.formula.empty()) return std::nullopt;
  return out;
}

void read_advanced(Reader advanced, ScaledObject& out) {
  out.restore_original_replicas =
      advanced.at("restoreToOriginalReplicaCount").boolean().value_or(false);
  Reader hpa = advanced.at("horizontalPodAutoscalerConfig");
  Reader name = hpa.at("name");
  out.hpa_name = name.string().value_or("");
  if (out.hpa_name.size() > 63) name.error("is longer than 63");
  out.behavior = read_behavior(hpa.at("behavior"));
  hpa.warn_unknown_keys();
  out.modifiers = read_modifiers(advanced.at("scalingModifiers"));
  advanced.warn_unknown_keys();
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
  out.triggers = read_triggers(spec.required("triggers"), TriggersOf::kScaledObject);
  read_advanced(spec.at("advanced"), out);
  read_fallback(spec.at("fallback"), out);
  // keda-hpa-<name> must fit 63 characters, too.
  const size_t longest = out.hpa_name.empty() ? 54 : 63;
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

}  // namespace

ScaledObject read_scaled_object(Reader root) {
  ScaledObject out;
  out.meta = read_meta(root.required("metadata"), Scope::kNamespaced);
  Reader spec = root.required("spec");
  if (spec.present()) read_spec(std::move(spec), out);
  // KEDA's conditions carry no times.
  Reader status = root.at("status");
  out.conditions = read_conditions(status.at("conditions"));
  out.last_active = status.at("lastActiveTime").time();
  out.status_target_kind = status.at("scaleTargetKind").string().value_or("");
  out.status_triggers = status.at("triggersTypes").string().value_or("");
  out.status_authentications = status.at("authenticationsTypes").string().value_or("");
  root.allow({"apiVersion", "kind"});
  root.warn_unknown_keys();
  return out;
}

}  // namespace windlass::api

// HorizontalPodAutoscaler of autoscaling/v2, with the API server's rules that one object can be
// judged by (reference keda_hpa.md 3, 4).
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/decode.h"

namespace windlass::api {
namespace {

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
    policy.value = item.required("value").int32(1, INT32_MAX).value_or(1);
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

using Source = HpaMetricSpec::Source;

ScaleTarget read_scale_target(Reader ref) {
  ScaleTarget out;
  out.api_version = ref.at("apiVersion").string().value_or("");
  out.kind = ref.at("kind").required_string();
  out.name = ref.at("name").required_string();
  return out;
}

// Which of the targets a source may have; the API server wants exactly one of them, above 0.
void read_metric_target(Reader target, HpaMetricSpec& out) {
  const bool of_pods = out.source == Source::kResource || out.source == Source::kContainerResource;
  using T = MetricTargetType;
  const auto type = target.required("type").one_of<T>(
      {{"Utilization", T::kUtilization}, {"Value", T::kValue}, {"AverageValue", T::kAverageValue}});
  out.target_type = type.value_or(T::kAverageValue);
  Reader value = target.at("value");
  Reader average = target.at("averageValue");
  Reader utilization = target.at("averageUtilization");
  out.value = value.quantity();
  out.average_value = average.quantity();
  out.average_utilization = utilization.int32(1, INT32_MAX);
  for (const auto& [field, amount] :
       {std::pair{&value, out.value}, {&average, out.average_value}}) {
    if (amount && !(Quantity() < *amount)) field->error("must be above 0");
  }
  const Reader& second = of_pods ? utilization : value;
  const char* accepted = of_pods                       ? "averageUtilization or averageValue"
                         : out.source == Source::kPods ? "averageValue"
                                                       : "value or averageValue";
  const bool second_counts = out.source != Source::kPods && second.present();
  if (!average.present() && !second_counts) {
    target.error(fmt::format("has no amount (accepted: {})", accepted));
  } else if (average.present() && second_counts) {
    target.error(fmt::format("has two amounts (accepted: {})", accepted));
  }
}

void read_metric_name(Reader metric, HpaMetricSpec& out) {
  out.name = metric.at("name").required_string();
  out.selector = read_selector(metric.at("selector"));
}

HpaMetricSpec read_metric(Reader item) {
  HpaMetricSpec out;
  const auto source =
      item.required("type").one_of<Source>({{"Resource", Source::kResource},
                                            {"ContainerResource", Source::kContainerResource},
                                            {"Pods", Source::kPods},
                                            {"Object", Source::kObject},
                                            {"External", Source::kExternal}});
  if (!source) return out;
  out.source = *source;
  static constexpr const char* kFields[] = {"resource", "containerResource", "pods", "object",
                                            "external"};
  for (const char* field : kFields) {
    if (field == kFields[static_cast<size_t>(*source)] || !item.has(field)) continue;
    item.at(field).error("is not the source that type names");
  }
  Reader spec = item.required(kFields[static_cast<size_t>(*source)]);
  if (!spec.present()) return out;
  if (*source == Source::kResource || *source == Source::kContainerResource) {
    out.name = spec.at("name").required_string();
    if (*source == Source::kContainerResource) {
      out.container = spec.at("container").required_string();
    }
  } else {
    read_metric_name(spec.required("metric"), out);
    if (*source == Source::kObject)
      out.described = read_scale_target(spec.required("describedObject"));
  }
  Reader target = spec.required("target");
  if (target.present()) read_metric_target(std::move(target), out);
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

HorizontalPodAutoscaler read_horizontal_pod_autoscaler(Reader root) {
  HorizontalPodAutoscaler out;
  out.meta = read_meta(root.required("metadata"), Scope::kNamespaced);
  Reader spec = root.required("spec");
  if (spec.present()) {
    out.target = read_scale_target(spec.required("scaleTargetRef"));
    Reader least = spec.at("minReplicas");
    out.min_replicas = least.int32(0, INT32_MAX);
    Reader most = spec.required("maxReplicas");
    out.max_replicas = most.int32(1, INT32_MAX).value_or(1);
    bool from_outside = false;
    for (const Reader& item : spec.at("metrics").items()) {
      out.metrics.push_back(read_metric(item));
      const Source source = out.metrics.back().source;
      from_outside = from_outside || source == Source::kObject || source == Source::kExternal;
    }
    out.behavior = read_behavior(spec.at("behavior"));
    // Only what is measured outside of the pods can say that some are wanted again.
    if (out.min_replicas == 0 && !from_outside) {
      least.error("0 needs an Object or External metric (accepted: 1 or more)");
    }
    if (out.min() > out.max_replicas) {
      most.error(fmt::format("is less than minReplicas, which is {}", out.min()));
    }
    spec.warn_unknown_keys();
  }
  Reader status = root.at("status");
  out.conditions = read_conditions(status.at("conditions"));
  root.allow({"apiVersion", "kind"});
  root.warn_unknown_keys();
  return out;
}

}  // namespace windlass::api

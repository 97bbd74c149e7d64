// The triggers of ScaledObjects and ScaledJobs (reference keda_hpa.md 1.2).
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/decode.h"

namespace windlass::api {
namespace {

// KEDA took the type from the metadata once and refuses to guess now; an External metric has no
// request that a utilisation could be a part of.
void check_metric_type(const Reader& field, const Trigger& trigger, TriggersOf owner) {
  if (owner == TriggersOf::kScaledJob) {
    if (field.present()) field.error("is not for ScaledJobs, whose metrics are always averages");
    return;
  }
  const bool resource = is_resource_trigger(trigger);
  if (resource && (!field.present() || trigger.metric_type == MetricTargetType::kValue)) {
    field.error(fmt::format("a {} trigger takes Utilization or AverageValue", trigger.type));
  }
  if (!resource && trigger.metric_type == MetricTargetType::kUtilization) {
    field.error("Utilization is for cpu and memory triggers only (accepted: AverageValue, Value)");
  }
}

std::optional<AuthRef> read_auth_ref(Reader ref) {
  if (!ref.present()) return std::nullopt;
  AuthRef out;
  out.name = ref.at("name").required_string();
  out.cluster = ref.at("kind")
                    .one_of<bool>({{"", false},
                                   {"TriggerAuthentication", false},
                                   {"ClusterTriggerAuthentication", true}})
                    .value_or(false);
  ref.warn_unknown_keys();
  return out;
}

// Metadata is checked for its type only: which keys a scaler takes is known where it is evaluated,
// and KEDA ignores those it does not know.
Trigger read_trigger(Reader item, TriggersOf owner) {
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
  out.metric_type_given = metric_type.present();
  check_metric_type(metric_type, out, owner);
  Reader cached = item.at("useCachedMetrics");
  out.use_cached_metrics = cached.boolean().value_or(false);
  if (out.use_cached_metrics && (is_resource_trigger(out) || out.type == "cron")) {
    cached.error(fmt::format("a {} trigger has no metrics to keep", out.type));
  }
  if (out.use_cached_metrics && owner == TriggersOf::kScaledJob) {
    cached.warning("has no effect for a ScaledJob");
  }
  out.auth = read_auth_ref(item.at("authenticationRef"));
  item.warn_unknown_keys();
  return out;
}

}  // namespace

// These two become Resource metrics of the HPA; everything else an External one, with other rules.
bool is_resource_trigger(const Trigger& trigger) {
  return trigger.type == "cpu" || trigger.type == "memory";
}

// Names must differ because a formula refers to triggers by them.
std::vector<Trigger> read_triggers(const Reader& list, TriggersOf owner) {
  std::vector<Trigger> out;
  std::set<std::string> names;
  for (Reader item : list.items()) {
    out.push_back(read_trigger(item, owner));
    const std::string& name = out.back().name;
    if (!name.empty() && !names.insert(name).second) {
      item.at("name").error(fmt::format("\"{}\" is there twice", name.substr(0, 64)));
    }
  }
  if (list.present() && list.json().is_array() && out.empty()) {
    list.error("is empty (accepted: at least one trigger)");
  }
  return out;
}

}  // namespace windlass::api

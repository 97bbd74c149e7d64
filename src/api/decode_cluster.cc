#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/decode.h"

namespace windlass::api {
Node read_node(Reader root) {
  Node out;
  out.meta = read_meta(root.required("metadata"), Scope::kCluster);
  Reader spec = root.at("spec");
  out.provider_id = spec.at("providerID").string().value_or("");
  out.unschedulable = spec.at("unschedulable").boolean().value_or(false);
  out.taints = read_taints(spec.at("taints"));
  Reader status = root.at("status");
  out.capacity = status.at("capacity").resources();
  // A node that says nothing of what it keeps for itself gives all it has.
  out.allocatable = status.has("allocatable") ? status.at("allocatable").resources() : out.capacity;
  out.conditions = read_conditions(status.at("conditions"));
  return out;
}

PriorityClass read_priority_class(Reader root) {
  PriorityClass out;
  out.meta = read_meta(root.required("metadata"), Scope::kCluster);
  // Above a billion are Kubernetes' own classes.
  const bool system = out.meta.name.starts_with("system-");
  out.value =
      root.required("value").int32(INT32_MIN, system ? INT32_MAX : 1'000'000'000).value_or(0);
  out.global_default = root.at("globalDefault").boolean().value_or(false);
  out.preempts = root.at("preemptionPolicy")
                     .one_of<bool>({{"PreemptLowerPriority", true}, {"Never", false}})
                     .value_or(true);
  return out;
}

PodDisruptionBudget read_pod_disruption_budget(Reader root) {
  PodDisruptionBudget out;
  out.meta = read_meta(root.required("metadata"), Scope::kNamespaced);
  Reader spec = root.required("spec");
  out.selector = read_selector_or_nothing(spec.at("selector"));
  Reader min = spec.at("minAvailable");
  Reader max = spec.at("maxUnavailable");
  out.min_available = read_int_or_percent(min);
  out.max_unavailable = read_int_or_percent(max);
  if (min.present() && max.present()) {
    max.error("stands beside minAvailable (accepted: one of the two)");
  }
  return out;
}

}  // namespace windlass::api

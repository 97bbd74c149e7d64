#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/decode.h"

namespace windlass::api {
namespace {

// The API server refuses a workload that would not find its own pods.
void check_selects(const Reader& selector, const LabelSelector& labels, const PodTemplate& pods) {
  if (!selector.present()) return;
  if (labels.match_labels.empty() && labels.match_expressions.empty()) {
    selector.error("is empty (accepted: the labels of template.metadata)");
  } else if (!labels.matches(pods.labels)) {
    selector.error("does not match the labels of template.metadata");
  }
}

}  // namespace

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

Deployment read_deployment(Reader root) {
  Deployment out;
  out.meta = read_meta(root.required("metadata"), Scope::kNamespaced);
  Reader spec = root.required("spec");
  out.replicas = spec.at("replicas").int32(0, INT32_MAX).value_or(1);
  if (spec.present()) {
    Reader selector = spec.required("selector");
    out.selector = read_selector(selector);
    out.pod_template = read_pod_template(spec.required("template"));
    check_selects(selector, out.selector, out.pod_template);
  }
  Reader status = root.at("status");
  out.status_replicas = status.at("replicas").int32(0, INT32_MAX).value_or(0);
  out.ready_replicas = status.at("readyReplicas").int32(0, INT32_MAX).value_or(0);
  return out;
}

StatefulSet read_stateful_set(Reader root) {
  StatefulSet out;
  out.meta = read_meta(root.required("metadata"), Scope::kNamespaced);
  Reader spec = root.required("spec");
  out.replicas = spec.at("replicas").int32(0, INT32_MAX).value_or(1);
  if (spec.present()) {
    Reader selector = spec.required("selector");
    out.selector = read_selector(selector);
    out.pod_template = read_pod_template(spec.required("template"));
    check_selects(selector, out.selector, out.pod_template);
  }
  for (Reader claim : spec.at("volumeClaimTemplates").items()) {
    std::string name = claim.required("metadata").at("name").required_string();
    std::string storage_class = claim.required("spec").at("storageClassName").string().value_or("");
    out.volume_claims.emplace_back(std::move(name), std::move(storage_class));
  }
  Reader status = root.at("status");
  out.status_replicas = status.at("replicas").int32(0, INT32_MAX).value_or(0);
  out.ready_replicas = status.at("readyReplicas").int32(0, INT32_MAX).value_or(0);
  return out;
}

// Status is not read: which nodes a DaemonSet covers follows from its template.
DaemonSet read_daemon_set(Reader root) {
  DaemonSet out;
  out.meta = read_meta(root.required("metadata"), Scope::kNamespaced);
  Reader spec = root.required("spec");
  if (spec.present()) {
    Reader selector = spec.required("selector");
    out.selector = read_selector(selector);
    out.pod_template = read_pod_template(spec.required("template"));
    check_selects(selector, out.selector, out.pod_template);
  }
  return out;
}

void read_job_spec(Reader spec, RestartPolicy restart_policy, Job& out) {
  out.parallelism = spec.at("parallelism").int32(0, INT32_MAX).value_or(1);
  // Without completions a Job is a work queue: done when its pods are, so one success each.
  out.completions = spec.at("completions").int32(0, INT32_MAX).value_or(out.parallelism);
  out.backoff_limit = spec.at("backoffLimit").int32(0, INT32_MAX).value_or(6);
  if (!spec.present()) return;
  Reader pods = spec.required("template");
  out.pod_template = read_pod_template(pods);
  Reader pod_spec = pods.at("spec");
  if (!pod_spec.present()) return;
  const bool required = restart_policy == RestartPolicy::kRequired;
  (void)(required ? pod_spec.required("restartPolicy") : pod_spec.at("restartPolicy"))
      .one_of<int>({{"Never", 0}, {"OnFailure", 1}});
}

Job read_job(Reader root) {
  Job out;
  out.meta = read_meta(root.required("metadata"), Scope::kNamespaced);
  read_job_spec(root.required("spec"), RestartPolicy::kRequired, out);
  Reader status = root.at("status");
  out.succeeded = status.at("succeeded").int32(0, INT32_MAX).value_or(0);
  out.failed = status.at("failed").int32(0, INT32_MAX).value_or(0);
  out.completed_at = status.at("completionTime").time();
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

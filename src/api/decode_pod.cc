#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/decode.h"
#include "api/names.h"

namespace windlass::api {
namespace {

// Devices and other resources with a domain of their own can't be overcommitted.
bool is_extended(std::string_view resource) {
  const size_t slash = resource.find('/');
  return slash != std::string_view::npos && !resource.substr(0, slash).ends_with("kubernetes.io");
}

// Limits stand in for absent requests; the rest are the API server's own checks.
void read_container_resources(Reader resources, Container& out) {
  Reader requests = resources.at("requests");
  out.limits = resources.at("limits").resources();
  out.requests = requests.resources();
  for (const auto& [name, milli] : out.requests) {
    if (is_extended(name) && milli != out.limits.milli(name)) {
      requests.error(fmt::format("{} needs a limit equal to its request", name));
    } else if (out.limits.has(name) && milli > out.limits.milli(name)) {
      requests.error(fmt::format("{} is more than its limit", name));
    }
  }
  for (const auto& [name, milli] : out.limits) {
    if (!out.requests.has(name)) out.requests.set(name, milli);
  }
}

// restartPolicy Always makes an init container a sidecar; of plain containers it says nothing.
std::vector<Container> read_containers(const Reader& list, bool init) {
  std::vector<Container> out;
  for (Reader item : list.items()) {
    Container container;
    container.name = item.at("name").required_string();
    container.image = item.at("image").string().value_or("");
    for (Reader variable : item.at("env").items()) {
      const std::string name = variable.at("name").required_string();
      const auto value = variable.at("value").string();
      // Values from elsewhere (valueFrom) stay in raw.
      if (value) container.env[name] = *value;
    }
    read_container_resources(item.at("resources"), container);
    if (init) container.restart_always = item.at("restartPolicy").string() == "Always";
    out.push_back(std::move(container));
  }
  return out;
}

NodeSelectorTerm read_term(Reader term) {
  if (term.has("matchFields")) term.at("matchFields").warning("is not looked at");
  return {read_requirements(term.at("matchExpressions"), RequirementsOf::kPod)};
}

// Terms are kept apart: required ones are alternatives, of which placing takes the first and then,
// relaxed, the next.
void read_affinity(Reader affinity, PodSpec& out) {
  for (const std::string_view other : {"podAffinity", "podAntiAffinity"}) {
    Reader field = affinity.at(other);
    if (field.present())
      field.warning("is not looked at: Windlass places by nodes and spread only");
  }
  Reader node = affinity.at("nodeAffinity");
  Reader required = node.at("requiredDuringSchedulingIgnoredDuringExecution");
  if (required.present()) {
    const Reader terms = required.required("nodeSelectorTerms");
    for (const Reader& term : terms.items()) out.required_node_terms.push_back(read_term(term));
    if (terms.present() && out.required_node_terms.empty()) terms.error("is empty");
  }
  for (Reader item : node.at("preferredDuringSchedulingIgnoredDuringExecution").items()) {
    PreferredNodeTerm term;
    term.weight = item.required("weight").int32(1, 100).value_or(1);
    term.term = read_term(item.required("preference"));
    out.preferred_node_terms.push_back(std::move(term));
  }
}

// An empty key tolerates everything, which the API server takes from Exists only.
std::vector<Toleration> read_tolerations(const Reader& list) {
  std::vector<Toleration> out;
  for (Reader item : list.items()) {
    Toleration toleration;
    toleration.key = item.at("key").string().value_or("");
    toleration.op = item.at("operator")
                        .one_of<std::string>({{"Equal", "Equal"}, {"Exists", "Exists"}})
                        .value_or("Equal");
    Reader value = item.at("value");
    toleration.value = value.string().value_or("");
    toleration.effect = item.at("effect")
                            .one_of<std::string>({{"", ""},
                                                  {"NoSchedule", "NoSchedule"},
                                                  {"PreferNoSchedule", "PreferNoSchedule"},
                                                  {"NoExecute", "NoExecute"}})
                            .value_or("");
    toleration.seconds = item.at("tolerationSeconds").integer(INT64_MIN, INT64_MAX);
    if (toleration.key.empty() && toleration.op != "Exists") {
      item.error("without a key the operator must be Exists");
    }
    if (toleration.op == "Exists" && !toleration.value.empty()) {
      value.error("Exists takes no value");
    }
    out.push_back(std::move(toleration));
  }
  return out;
}

std::vector<TopologySpreadConstraint> read_topology_spread(const Reader& list) {
  std::vector<TopologySpreadConstraint> out;
  for (Reader item : list.items()) {
    TopologySpreadConstraint constraint;
    constraint.max_skew = item.required("maxSkew").int32(1, INT32_MAX).value_or(1);
    constraint.topology_key = stable_label(item.at("topologyKey").required_string());
    constraint.schedule_anyway =
        item.required("whenUnsatisfiable")
            .one_of<bool>({{"DoNotSchedule", false}, {"ScheduleAnyway", true}})
            .value_or(false);
    constraint.selector = read_selector_or_nothing(item.at("labelSelector"));
    out.push_back(std::move(constraint));
  }
  return out;
}

PodPhase read_phase(const Reader& phase) {
  // Unknown: the kubelet is out of reach, the pod still holds its place.
  return phase
      .one_of<PodPhase>({{"", PodPhase::kPending},
                         {"Pending", PodPhase::kPending},
                         {"Running", PodPhase::kRunning},
                         {"Unknown", PodPhase::kRunning},
                         {"Succeeded", PodPhase::kSucceeded},
                         {"Failed", PodPhase::kFailed}})
      .value_or(PodPhase::kPending);
}

// Times come from the conditions' transitions, as there are no fields for them.
void read_pod_status(Reader status, Pod& out) {
  out.phase = read_phase(status.at("phase"));
  out.started_at = status.at("startTime").time();
  out.nominated_node = status.at("nominatedNodeName").string().value_or("");
  const auto conditions = read_conditions(status.at("conditions"));
  if (const Condition* scheduled = find_condition(conditions, "PodScheduled")) {
    if (scheduled->status == "True") out.scheduled_at = scheduled->changed;
    if (scheduled->status == "False" && scheduled->reason == "Unschedulable") {
      out.unschedulable_since = scheduled->changed;
    }
  }
  if (is_true(conditions, "Ready")) {
    out.ready = true;
    out.ready_at = find_condition(conditions, "Ready")->changed;
  }
}

}  // namespace

PodSpec read_pod_spec(Reader spec) {
  PodSpec out;
  Reader containers = spec.required("containers");
  out.containers = read_containers(containers, false);
  if (containers.present() && containers.json().is_array() && out.containers.empty()) {
    containers.error("is empty (accepted: at least one container)");
  }
  out.init_containers = read_containers(spec.at("initContainers"), true);
  out.overhead = spec.at("overhead").resources();
  for (const auto& [key, value] : read_labels(spec.at("nodeSelector"))) {
    out.node_selector[stable_label(key)] = value;
  }
  read_affinity(spec.at("affinity"), out);
  out.tolerations = read_tolerations(spec.at("tolerations"));
  out.topology_spread = read_topology_spread(spec.at("topologySpreadConstraints"));
  out.priority_class = spec.at("priorityClassName").string().value_or("");
  out.priority = spec.at("priority").int32(INT32_MIN, INT32_MAX);
  out.node_name = spec.at("nodeName").string().value_or("");
  out.scheduler_name = spec.at("schedulerName").string().value_or("");
  // More than a century of grace would not fit a Duration.
  if (const auto grace = spec.at("terminationGracePeriodSeconds").integer(0, 3'155'760'000)) {
    out.termination_grace = seconds(*grace);
  }
  return out;
}

PodTemplate read_pod_template(Reader pod_template) {
  PodTemplate out;
  Reader meta = pod_template.at("metadata");
  out.labels = read_labels(meta.at("labels"));
  out.annotations = meta.at("annotations").string_map();
  Reader spec = pod_template.required("spec");
  if (spec.present()) out.spec = read_pod_spec(std::move(spec));
  return out;
}

Pod read_pod(Reader root) {
  Pod out;
  out.meta = read_meta(root.required("metadata"), Scope::kNamespaced);
  Reader spec = root.required("spec");
  if (spec.present()) out.spec = read_pod_spec(std::move(spec));
  read_pod_status(root.at("status"), out);
  return out;
}

}  // namespace windlass::api

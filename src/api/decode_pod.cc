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

// Literal values, and keys of Secrets and ConfigMaps; other sources (fields, resources) stay in
// raw.
void read_env(const Reader& list, Container& out) {
  for (Reader variable : list.items()) {
    const std::string name = variable.at("name").required_string();
    if (const auto value = variable.at("value").string()) {
      out.env[name] = *value;
      continue;
    }
    Reader from = variable.at("valueFrom");
    for (const bool secret : {true, false}) {
      Reader ref = from.at(secret ? "secretKeyRef" : "configMapKeyRef");
      if (!ref.present()) continue;
      // A name may be left out (Kubernetes takes it for "", which names nothing).
      out.env_from[name] = {secret, ref.at("name").string().value_or(""),
                            ref.at("key").string().value_or("")};
    }
  }
}

// On the host's own network every port of a container is a port of the host.
std::vector<HostPort> read_host_ports(const Reader& list, bool host_network) {
  std::vector<HostPort> out;
  for (Reader item : list.items()) {
    HostPort port;
    const auto inside = item.required("containerPort").int32(1, 65535);
    Reader host = item.at("hostPort");
    const auto outside = host.int32(0, 65535);
    if (host_network && outside.value_or(0) != 0 && inside && *outside != *inside) {
      host.error("must be the containerPort on the host's network");
    }
    port.port = outside.value_or(0) != 0 ? *outside : (host_network ? inside.value_or(0) : 0);
    if (const auto ip = item.at("hostIP").string(); ip && !ip->empty()) port.ip = *ip;
    port.protocol = item.at("protocol")
                        .one_of<std::string>({{"TCP", "TCP"}, {"UDP", "UDP"}, {"SCTP", "SCTP"}})
                        .value_or("TCP");
    if (port.port != 0) out.push_back(std::move(port));
  }
  return out;
}

// restartPolicy Always makes an init container a sidecar; of plain containers it says nothing.
std::vector<Container> read_containers(const Reader& list, bool init, PodSpec& spec,
                                       bool host_network) {
  std::vector<Container> out;
  for (Reader item : list.items()) {
    Container container;
    container.name = item.at("name").required_string();
    container.image = item.at("image").string().value_or("");
    read_env(item.at("env"), container);
    container.host_ports = read_host_ports(item.at("ports"), host_network);
    Reader resources = item.at("resources");
    read_container_resources(resources, container);
    if (!resources.at("claims").items().empty()) spec.has_resource_claims = true;
    if (init) container.restart_always = item.at("restartPolicy").string() == "Always";
    out.push_back(std::move(container));
  }
  return out;
}

std::vector<PodVolume> read_volumes(const Reader& list) {
  std::vector<PodVolume> out;
  for (Reader item : list.items()) {
    PodVolume volume;
    volume.name = item.at("name").required_string();
    Reader claim = item.at("persistentVolumeClaim");
    Reader ephemeral = item.at("ephemeral");
    if (claim.present()) {
      volume.claim = claim.at("claimName").required_string();
    } else if (ephemeral.present()) {
      volume.ephemeral = true;
      volume.storage_class = ephemeral.required("volumeClaimTemplate")
                                 .required("spec")
                                 .at("storageClassName")
                                 .string()
                                 .value_or("");
    } else {
      continue;
    }
    out.push_back(std::move(volume));
  }
  return out;
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
  out.ip = status.at("podIP").string().value_or("");
  const auto conditions = read_conditions(status.at("conditions"));
  if (const Condition* scheduled = find_condition(conditions, "PodScheduled")) {
    if (scheduled->status == "True") out.scheduled_at = scheduled->changed;
    if (scheduled->status == "False" && scheduled->reason == "Unschedulable") {
      out.unschedulable_since = scheduled->changed;
      out.unschedulable_message = scheduled->message;
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
  out.has_resource_claims = !spec.at("resourceClaims").items().empty();
  const bool host_network = spec.at("hostNetwork").boolean().value_or(false);
  out.containers = read_containers(containers, false, out, host_network);
  if (containers.present() && containers.json().is_array() && out.containers.empty()) {
    containers.error("is empty (accepted: at least one container)");
  }
  out.init_containers = read_containers(spec.at("initContainers"), true, out, host_network);
  out.overhead = spec.at("overhead").resources();
  for (const auto& [key, value] : read_labels(spec.at("nodeSelector"))) {
    out.node_selector[stable_label(key)] = value;
  }
  read_affinity(spec.at("affinity"), out);
  out.tolerations = read_tolerations(spec.at("tolerations"));
  out.topology_spread = read_topology_spread(spec.at("topologySpreadConstraints"));
  out.volumes = read_volumes(spec.at("volumes"));
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

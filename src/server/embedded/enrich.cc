#include "server/embedded/enrich.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/text.h"
#include "server/kinds/kind_rules.h"

namespace windlass::server::embedded {
namespace {

// An address that is always the same for a name, in the range pods get.
std::string made_up_address(std::string_view name, int first) {
  Hash64 hash;
  hash.add(name);
  const uint64_t bits = hash.value();
  return fmt::format("{}.{}.{}.{}", first, bits & 0xff, (bits >> 8) & 0xff,
                     1 + ((bits >> 16) & 0xff) % 254);
}

Json& condition(Json& status, std::string_view type) {
  Json& list = status["conditions"];
  if (!list.is_array()) list = Json::array();
  for (Json& one : list) {
    if (one.is_object() && one.value("type", std::string()) == type) return one;
  }
  list.push_back({{"type", type}});
  return list.back();
}

void set_condition(Json& status, std::string_view type, bool is_true, std::string_view reason,
                   std::optional<Instant> since) {
  Json& one = condition(status, type);
  one["status"] = is_true ? "True" : "False";
  if (reason.empty()) {
    one.erase("reason");
  } else {
    one["reason"] = reason;
  }
  if (since) one["lastTransitionTime"] = to_rfc3339(*since);
}

// Guaranteed, Burstable or BestEffort by requests and limits of cpu and memory.
std::string_view qos_class(const api::PodSpec& spec) {
  bool any = false;
  bool guaranteed = !spec.containers.empty();
  for (const api::Container& container : spec.containers) {
    for (const char* name : {"cpu", "memory"}) {
      const int64_t request = container.requests.milli(name);
      const int64_t limit = container.limits.milli(name);
      any = any || request > 0 || limit > 0;
      guaranteed = guaranteed && limit > 0 && (request == limit || request == 0);
    }
  }
  return guaranteed ? "Guaranteed" : any ? "Burstable" : "BestEffort";
}

std::string container_id(const api::Pod& pod, const std::string& container) {
  Hash64 hash;
  hash.add(pod.meta.uid);
  hash.add(container);
  return fmt::format("simulated://{0:016x}{0:016x}", hash.value());
}

Json container_status(const api::Pod& pod, const api::Container& container,
                      const StartProgress& progress, Instant now) {
  Json status{{"name", container.name}, {"image", container.image}, {"imageID", ""},
              {"restartCount", 0},      {"ready", pod.ready},       {"started", pod.ready}};
  Json& state = status["state"];
  if (pod.terminal()) {
    const bool good = pod.phase == api::PodPhase::kSucceeded;
    state["terminated"] = {{"exitCode", good ? 0 : 1}, {"reason", good ? "Completed" : "Error"}};
    if (pod.started_at) state["terminated"]["startedAt"] = to_rfc3339(*pod.started_at);
    status["ready"] = false;
    status["started"] = false;
  } else if (pod.phase == api::PodPhase::kRunning || (progress.known && now >= progress.pulled)) {
    // Pulled and running, though its program (weights, engine) may not be Ready yet.
    const Instant since = pod.started_at.value_or(progress.pulled);
    state["running"] = {{"startedAt", to_rfc3339(since)}};
    status["started"] = true;
    status["imageID"] = container.image;
    status["containerID"] = container_id(pod, container.name);
  } else {
    state["waiting"] = {{"reason", "ContainerCreating"}};
  }
  return status;
}

}  // namespace

Json encode_with_defaults(const api::Object& object) {
  Json out = api::encode(object);
  const std::string version = out.value("apiVersion", std::string());
  const size_t slash = version.find('/');
  const std::string group = slash == std::string::npos ? "" : version.substr(0, slash);
  kinds::set_defaults(group, api::kind_of(object), out);
  // The world counts generations of all it has; the API shows them where Kubernetes does.
  if (!kinds::has_generation(group, api::kind_of(object))) out["metadata"].erase("generation");
  return out;
}

std::string node_address(const std::string& node_name) {
  if (node_name.starts_with("ip-")) {
    const std::string host = node_name.substr(3, node_name.find('.') - 3);
    std::string address = host;
    std::replace(address.begin(), address.end(), '-', '.');
    if (std::count(address.begin(), address.end(), '.') == 3) return address;
  }
  return made_up_address(node_name, 10);
}

void enrich_pod(const api::Pod& pod, const StartProgress& progress, Instant now, Json& out) {
  Json& status = out["status"];
  if (!status.is_object()) status = Json::object();
  if (!status.contains("phase")) status["phase"] = "Pending";
  status["qosClass"] = qos_class(pod.spec);
  if (pod.spec.node_name.empty()) return;
  // A pulled image and a started program are Running to Kubernetes, Ready or not.
  const bool runs = !pod.terminal() && progress.known && now >= progress.pulled;
  if (runs && pod.phase == api::PodPhase::kPending) status["phase"] = "Running";
  status["hostIP"] = node_address(pod.spec.node_name);
  status["hostIPs"] = Json::array({{{"ip", status["hostIP"]}}});
  if (pod.phase != api::PodPhase::kPending || runs) {
    status["podIP"] = made_up_address(pod.meta.uid, 100);
    status["podIPs"] = Json::array({{{"ip", status["podIP"]}}});
  }
  const std::optional<Instant> bound = pod.scheduled_at ? pod.scheduled_at : pod.started_at;
  if (bound) status["startTime"] = to_rfc3339(*bound);
  set_condition(status, "Initialized", true, "", bound);
  set_condition(status, "PodScheduled", true, "", bound);
  const std::string_view why = pod.terminal() ? "PodCompleted" : "ContainersNotReady";
  const std::optional<Instant> since = pod.ready_at ? pod.ready_at : bound;
  set_condition(status, "ContainersReady", pod.ready, pod.ready ? "" : why, since);
  set_condition(status, "Ready", pod.ready, pod.ready ? "" : why, since);
  Json containers = Json::array();
  for (const api::Container& container : pod.spec.containers) {
    containers.push_back(container_status(pod, container, progress, now));
  }
  status["containerStatuses"] = std::move(containers);
}

void enrich_external_pod(const api::Pod& pod, Json& out) {
  Json& status = out["status"];
  if (!status.is_object()) status = Json::object();
  if (!status.contains("phase")) status["phase"] = "Pending";
  if (!status.contains("qosClass")) status["qosClass"] = qos_class(pod.spec);
  Json& metadata = out["metadata"];
  if (!pod.meta.deleted || metadata.contains("deletionGracePeriodSeconds")) return;
  const Duration grace = std::max(pod.spec.termination_grace, seconds(1));
  metadata["deletionGracePeriodSeconds"] = grace.ns / seconds(1).ns;
  const Instant end = *pod.meta.deleted + grace;
  metadata["deletionTimestamp"] = to_rfc3339({end.ns / 1'000'000'000 * 1'000'000'000});
}

void enrich_node(const api::Node& node, Json& out) {
  Json& status = out["status"];
  if (!status.is_object()) status = Json::object();
  status["addresses"] =
      Json::array({{{"type", "InternalIP"}, {"address", node_address(node.meta.name)}},
                   {{"type", "Hostname"}, {"address", node.meta.name}}});
  const auto arch = node.meta.labels.find("kubernetes.io/arch");
  status["nodeInfo"] = {{"architecture", arch == node.meta.labels.end() ? "amd64" : arch->second},
                        {"operatingSystem", "linux"},
                        {"osImage", "Windlass simulated node"},
                        {"kernelVersion", "simulated"},
                        {"kubeletVersion", "v1.34.0"},
                        {"kubeProxyVersion", ""},
                        {"containerRuntimeVersion", "simulated://1.0"},
                        {"machineID", node.meta.uid},
                        {"systemUUID", node.meta.uid},
                        {"bootID", node.meta.uid}};
  status["daemonEndpoints"] = {{"kubeletEndpoint", {{"Port", 10250}}}};
  struct Pressure {
    const char* type;
    const char* reason;
    const char* message;
  };
  for (const Pressure& pressure :
       {Pressure{"MemoryPressure", "KubeletHasSufficientMemory", "enough memory"},
        Pressure{"DiskPressure", "KubeletHasNoDiskPressure", "enough disk"},
        Pressure{"PIDPressure", "KubeletHasSufficientPID", "enough process ids"}}) {
    set_condition(status, pressure.type, false, pressure.reason, node.meta.created);
    condition(status, pressure.type)["message"] = pressure.message;
  }
}

}  // namespace windlass::server::embedded

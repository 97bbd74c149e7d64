#include <algorithm>
#include <set>

#include "api/encode.h"

namespace windlass::api {
namespace {

// The variable as the container has it, if it has it at all.
bool write_variable(Json& variable, const std::string& name, const Container& container) {
  if (const auto value = container.env.find(name); value != container.env.end()) {
    variable["name"] = name;
    variable["value"] = value->second;
    return true;
  }
  const auto source = container.env_from.find(name);
  if (source == container.env_from.end()) return false;
  variable["name"] = name;
  within(variable, "valueFrom", [&](Json& from) {
    within(from, source->second.secret ? "secretKeyRef" : "configMapKeyRef", [&](Json& ref) {
      put_string(ref, "name", source->second.name);
      put_string(ref, "key", source->second.key);
    });
  });
  return true;
}

// Values from elsewhere than Secrets and ConfigMaps stay; so do all places in the list.
void write_env(Json& out, const Container& container) {
  const auto found = out.find("env");
  const bool was_there = found != out.end();
  const Json old = was_there && found->is_array() ? *found : Json::array();
  std::set<std::string> written;
  Json list = Json::array();
  for (const Json& variable : old) {
    if (!variable.is_object() || !variable.contains("name")) continue;
    const auto name = variable["name"].get<std::string>();
    Json element = variable;
    if (!written.contains(name) && write_variable(element, name, container)) {
      written.insert(name);
    } else if (variable.contains("value")) {
      continue;
    }
    list.push_back(std::move(element));
  }
  const auto append = [&](const std::string& name) {
    Json element = Json::object();
    if (!written.contains(name) && write_variable(element, name, container)) {
      list.push_back(std::move(element));
    }
  };
  for (const auto& [name, value] : container.env) append(name);
  for (const auto& [name, source] : container.env_from) append(name);
  if (was_there || !list.empty()) out["env"] = std::move(list);
}

// Ports of a container that was read stay as they are, those of the pod alone among them.
void write_ports(Json& out, const std::vector<HostPort>& ports) {
  if (ports.empty() || out.contains("ports")) return;
  Json& list = out["ports"] = Json::array();
  for (const HostPort& port : ports) {
    Json element{{"containerPort", port.port}, {"hostPort", port.port}};
    put_string(element, "hostIP", port.ip, "0.0.0.0");
    put_string(element, "protocol", port.protocol, "TCP");
    list.push_back(std::move(element));
  }
}

// Volumes of other kinds, and all a volume says beside its claim, stay.
void write_volumes(Json& spec, const std::vector<PodVolume>& volumes) {
  if (volumes.empty()) return;
  Json& list = spec["volumes"];
  if (!list.is_array()) list = Json::array();
  for (const PodVolume& volume : volumes) {
    const auto same = [&](const Json& v) {
      return v.is_object() && v.value("name", Json()) == volume.name;
    };
    auto found = std::find_if(list.begin(), list.end(), same);
    if (found == list.end()) found = list.insert(list.end(), Json{{"name", volume.name}});
    if (!volume.ephemeral) {
      within(*found, "persistentVolumeClaim",
             [&](Json& claim) { put_string(claim, "claimName", volume.claim); });
      continue;
    }
    within(*found, "ephemeral", [&](Json& ephemeral) {
      within(ephemeral, "volumeClaimTemplate", [&](Json& t) {
        Json& claim_spec = t["spec"];
        if (!claim_spec.is_object()) claim_spec = Json::object();
        put_string(claim_spec, "storageClassName", volume.storage_class);
      });
    });
  }
}

// Mounts, probes and the rest stay in the container of the same name.
void write_containers(Json& spec, const char* key, const std::vector<Container>& containers,
                      bool init) {
  put_each(spec, key, containers, "name", [&](Json& c, const Container& container) {
    put_string(c, "name", container.name);
    put_string(c, "image", container.image);
    write_env(c, container);
    write_ports(c, container.host_ports);
    within(c, "resources", [&](Json& resources) {
      put_resources(resources, "requests", container.requests);
      put_resources(resources, "limits", container.limits);
    });
    if (init && container.restart_always) c["restartPolicy"] = "Always";
  });
}

std::string_view text_of(PodPhase phase) {
  switch (phase) {
    case PodPhase::kPending:
      return "Pending";
    case PodPhase::kRunning:
      return "Running";
    case PodPhase::kSucceeded:
      return "Succeeded";
    case PodPhase::kFailed:
      return "Failed";
  }
  WL_UNREACHABLE("pod phase");
}

// The text at `key`, or "" if there is none.
std::string text_at(const Json& map, const char* key) {
  if (!map.is_object()) return "";
  const auto found = map.find(key);
  return found != map.end() && found->is_string() ? found->get<std::string>() : "";
}

// The condition of this type, made if absent.
Json& condition_at(Json& status, std::string_view type) {
  Json& list = status["conditions"];
  if (!list.is_array()) list = Json::array();
  for (Json& condition : list) {
    if (text_at(condition, "type") == type) return condition;
  }
  list.push_back({{"type", type}});
  return list.back();
}

// Pod keeps two moments of the conditions: when it was placed (or found unplaceable) and when it
// became ready.
void write_pod_conditions(Json& status, const Pod& pod) {
  if (pod.scheduled_at || pod.unschedulable_since) {
    Json& scheduled = condition_at(status, "PodScheduled");
    scheduled["status"] = pod.scheduled_at ? "True" : "False";
    put_string(scheduled, "reason", pod.scheduled_at ? "" : "Unschedulable");
    put_string(scheduled, "message", pod.scheduled_at ? "" : pod.unschedulable_message);
    put_time(scheduled, "lastTransitionTime",
             pod.scheduled_at ? pod.scheduled_at : pod.unschedulable_since);
  }
  const auto found = status.find("conditions");
  const bool has_ready = found != status.end() && found->is_array() &&
                         std::any_of(found->begin(), found->end(),
                                     [](const Json& c) { return text_at(c, "type") == "Ready"; });
  if (!pod.ready && !has_ready) return;
  Json& ready = condition_at(status, "Ready");
  // Unknown is not ready, too.
  const bool says_ready = text_at(ready, "status") == "True";
  if (!ready.contains("status") || says_ready != pod.ready) {
    ready["status"] = pod.ready ? "True" : "False";
  }
  if (pod.ready) put_time(ready, "lastTransitionTime", pod.ready_at);
}

}  // namespace

void write_pod_spec(Json& out, const PodSpec& spec) {
  write_containers(out, "containers", spec.containers, false);
  write_containers(out, "initContainers", spec.init_containers, true);
  put_resources(out, "overhead", spec.overhead);
  put_string_map(out, "nodeSelector", spec.node_selector);
  write_affinity(out, spec);
  put_each(out, "tolerations", spec.tolerations, "key", [](Json& t, const Toleration& toleration) {
    put_string(t, "key", toleration.key);
    put_string(t, "operator", toleration.op, "Equal");
    put_string(t, "value", toleration.value);
    put_string(t, "effect", toleration.effect);
    if (toleration.seconds) {
      t["tolerationSeconds"] = *toleration.seconds;
    } else {
      t.erase("tolerationSeconds");
    }
  });
  write_topology_spread(out, spec.topology_spread);
  write_volumes(out, spec.volumes);
  put_string(out, "priorityClassName", spec.priority_class);
  put_int(out, "priority", spec.priority);
  put_string(out, "nodeName", spec.node_name);
  put_string(out, "schedulerName", spec.scheduler_name);
  put_seconds(out, "terminationGracePeriodSeconds", spec.termination_grace, seconds(30));
}

void write_pod_template(Json& out, const PodTemplate& pod_template) {
  within(out, "metadata", [&](Json& meta) {
    put_string_map(meta, "labels", pod_template.labels);
    put_string_map(meta, "annotations", pod_template.annotations);
  });
  within(out, "spec", [&](Json& spec) { write_pod_spec(spec, pod_template.spec); });
}

void write(Json& out, const Pod& pod) {
  write_meta(out, pod.meta);
  within(out, "spec", [&](Json& spec) { write_pod_spec(spec, pod.spec); });
  within(out, "status", [&](Json& status) {
    // "Unknown" reads as Running.
    const bool unknown = text_at(status, "phase") == "Unknown";
    if (!(unknown && pod.phase == PodPhase::kRunning)) {
      put_string(status, "phase", std::string(text_of(pod.phase)), "Pending");
    }
    put_time(status, "startTime", pod.started_at);
    put_string(status, "nominatedNodeName", pod.nominated_node);
    write_pod_conditions(status, pod);
  });
}

}  // namespace windlass::api

// Pods and Nodes, field by field as src/api/decode_pod.cc and decode_cluster.cc read them.
#include "live/kube/decode_fast.h"

#include <utility>

#include "api/names.h"

namespace windlass::live::kube {
namespace {

// Devices and the like, which can't be overcommitted.
bool is_extended_resource(std::string_view name) {
  const size_t slash = name.find('/');
  return slash != std::string_view::npos && !name.substr(0, slash).ends_with("kubernetes.io");
}

// Limits stand in for absent requests.
void read_requests(PlainJson& json, const Plain& requests, const Plain& limits,
                   api::Container& out) {
  out.limits = json.resources(limits);
  out.requests = json.resources(requests);
  for (const auto& [name, milli] : out.requests) {
    const int64_t limit = out.limits.milli(name);
    const bool limited = out.limits.has(name);
    if (is_extended_resource(name) ? milli != limit : limited && milli > limit) json.refuse();
  }
  for (const auto& [name, milli] : out.limits) {
    if (!out.requests.has(name)) out.requests.set(name, milli);
  }
}

void read_variables(PlainJson& json, const Plain& list, api::Container& out) {
  json.items(list, [&](const Plain& item) {
    const auto [name, value, from] = json.fields<3>(item, {"name", "value", "valueFrom"});
    const std::string key(json.required_string(name));
    if (value) {
      out.env[key] = json.text(value);
      return;
    }
    const auto [secret, config] = json.fields<2>(from, {"secretKeyRef", "configMapKeyRef"});
    for (const auto& [ref, is_secret] : {std::pair(secret, true), std::pair(config, false)}) {
      if (!ref) continue;
      const auto [ref_name, ref_key] = json.fields<2>(ref, {"name", "key"});
      out.env_from[key] = {is_secret, json.text(ref_name), json.text(ref_key)};
    }
  });
}

// On the host's own network every port of a container is a port of the host.
void read_ports(PlainJson& json, const Plain& list, bool host_network, api::Container& out) {
  json.items(list, [&](const Plain& item) {
    const auto [container_port, host_port, host_ip, protocol] =
        json.fields<4>(item, {"containerPort", "hostPort", "hostIP", "protocol"});
    const auto inside = json.integer(container_port, 1, 65535);
    const int64_t outside = json.integer(host_port, 0, 65535).value_or(0);
    if (!inside || (host_network && outside != 0 && outside != *inside)) return json.refuse();
    api::HostPort port;
    port.port = static_cast<int32_t>(outside != 0 ? outside : host_network ? *inside : 0);
    if (const auto ip = json.string(host_ip); ip && !ip->empty()) port.ip = *ip;
    port.protocol = json.one_of(protocol, "TCP", {"TCP", "UDP", "SCTP"});
    if (port.port != 0) out.host_ports.push_back(std::move(port));
  });
}

void read_container_list(PlainJson& json, const Plain& list, bool init, bool host_network,
                         api::PodSpec& out) {
  json.items(list, [&](const Plain& item) {
    const auto [name, image, env, ports, resources, restart_policy] =
        json.fields<6>(item, {"name", "image", "env", "ports", "resources", "restartPolicy"});
    const auto [requests, limits, claims] =
        json.fields<3>(resources, {"requests", "limits", "claims"});
    api::Container container;
    container.name = json.required_string(name);
    container.image = json.text(image);
    read_variables(json, env, container);
    read_ports(json, ports, host_network, container);
    read_requests(json, requests, limits, container);
    json.items(claims, [&](const Plain&) { out.has_resource_claims = true; });
    if (init) container.restart_always = json.string(restart_policy) == "Always";
    (init ? out.init_containers : out.containers).push_back(std::move(container));
  });
}

void read_pod_volumes(PlainJson& json, const Plain& list, api::PodSpec& out) {
  json.items(list, [&](const Plain& item) {
    const auto [name, claim, ephemeral] =
        json.fields<3>(item, {"name", "persistentVolumeClaim", "ephemeral"});
    api::PodVolume volume;
    volume.name = json.required_string(name);
    if (claim) {
      const auto [claim_name] = json.fields<1>(claim, {"claimName"});
      volume.claim = json.required_string(claim_name);
    } else if (ephemeral) {
      const auto [pattern] = json.fields<1>(ephemeral, {"volumeClaimTemplate"});
      const auto [spec] = json.fields<1>(pattern, {"spec"});
      if (!spec) return json.refuse();
      const auto [storage_class] = json.fields<1>(spec, {"storageClassName"});
      volume.ephemeral = true;
      volume.storage_class = json.text(storage_class);
    } else {
      return;
    }
    out.volumes.push_back(std::move(volume));
  });
}

void read_pod_tolerations(PlainJson& json, const Plain& list, api::PodSpec& out) {
  json.items(list, [&](const Plain& item) {
    const auto [key, op, value, effect, seconds] =
        json.fields<5>(item, {"key", "operator", "value", "effect", "tolerationSeconds"});
    api::Toleration toleration;
    toleration.key = json.text(key);
    toleration.op = json.one_of(op, "Equal", {"Equal", "Exists"});
    toleration.value = json.text(value);
    toleration.effect =
        json.one_of(effect, "", {"", "NoSchedule", "PreferNoSchedule", "NoExecute"});
    toleration.seconds = json.integer(seconds, INT64_MIN, INT64_MAX);
    const bool exists = toleration.op == "Exists";
    if (exists ? !toleration.value.empty() : toleration.key.empty()) json.refuse();
    out.tolerations.push_back(std::move(toleration));
  });
}

void read_spec(PlainJson& json, const Plain& spec, api::PodSpec& out) {
  const auto [containers, claims, host_network, init_containers, overhead, node_selector, affinity,
              tolerations, spread, volumes, priority_class, priority, node_name, scheduler, grace] =
      json.fields<15>(
          spec, {"containers", "resourceClaims", "hostNetwork", "initContainers", "overhead",
                 "nodeSelector", "affinity", "tolerations", "topologySpreadConstraints", "volumes",
                 "priorityClassName", "priority", "nodeName", "schedulerName",
                 "terminationGracePeriodSeconds"});
  json.items(claims, [&](const Plain&) { out.has_resource_claims = true; });
  const bool on_host = json.boolean(host_network);
  read_container_list(json, containers, false, on_host, out);
  if (out.containers.empty()) json.refuse();
  read_container_list(json, init_containers, true, on_host, out);
  out.overhead = json.resources(overhead);
  out.node_selector = json.labels(node_selector);
  for (const auto& [key, value] : out.node_selector) json.label_key(key);
  plain_affinity(json, affinity, out);
  read_pod_tolerations(json, tolerations, out);
  plain_topology_spread(json, spread, out);
  read_pod_volumes(json, volumes, out);
  out.priority_class = json.text(priority_class);
  if (const auto value = json.integer(priority, INT32_MIN, INT32_MAX)) {
    out.priority = static_cast<int32_t>(*value);
  }
  out.node_name = json.text(node_name);
  out.scheduler_name = json.text(scheduler);
  // More than a century of grace would not fit a Duration.
  if (const auto value = json.integer(grace, 0, 3'155'760'000)) {
    out.termination_grace = seconds(*value);
  }
}

api::PodPhase phase_of(std::string_view name) {
  if (name == "Running" || name == "Unknown") return api::PodPhase::kRunning;
  if (name == "Succeeded") return api::PodPhase::kSucceeded;
  if (name == "Failed") return api::PodPhase::kFailed;
  return api::PodPhase::kPending;
}

// Of several conditions of one type the first counts.
void read_status_of_pod(PlainJson& json, const Plain& status, api::Pod& out) {
  const auto [phase, start_time, nominated, conditions, ip] =
      json.fields<5>(status, {"phase", "startTime", "nominatedNodeName", "conditions", "podIP"});
  out.phase = phase_of(
      json.one_of(phase, "", {"", "Pending", "Running", "Unknown", "Succeeded", "Failed"}));
  out.started_at = json.time(start_time);
  out.nominated_node = json.text(nominated);
  out.ip = json.text(ip);
  bool had_scheduled = false;
  bool had_ready = false;
  json.items(conditions, [&](const Plain& item) {
    const PlainCondition condition = plain_condition(json, item);
    if (condition.type == "PodScheduled" && !std::exchange(had_scheduled, true)) {
      if (condition.status == "True") out.scheduled_at = condition.changed;
      if (condition.status == "False" && condition.reason == "Unschedulable") {
        out.unschedulable_since = condition.changed;
        out.unschedulable_message = condition.message;
      }
    } else if (condition.type == "Ready" && !std::exchange(had_ready, true)) {
      out.ready = condition.status == "True";
      if (out.ready) out.ready_at = condition.changed;
    }
  });
}

void read_node_taints(PlainJson& json, const Plain& list, api::Node& out) {
  json.items(list, [&](const Plain& item) {
    const auto [key, value, effect] = json.fields<3>(item, {"key", "value", "effect"});
    api::Taint taint;
    taint.key = json.required_string(key);
    taint.value = json.text(value);
    if (!effect) json.refuse();
    taint.effect = json.one_of(effect, "", {"NoSchedule", "PreferNoSchedule", "NoExecute"});
    if (!api::is_qualified_name(taint.key) || !api::is_label_value(taint.value)) json.refuse();
    out.taints.push_back(std::move(taint));
  });
}

// Items of lists don't say what they are.
void check_kind(PlainJson& json, const Plain& api_version, const Plain& kind,
                std::string_view wanted) {
  json.one_of(api_version, "v1", {"v1"});
  json.one_of(kind, wanted, {wanted});
}

}  // namespace

std::optional<api::Pod> fast_pod(std::string_view text) {
  const Plain root = parse_plain(text);
  if (!root) return std::nullopt;
  PlainJson json;
  const auto [api_version, kind, meta, spec, status] =
      json.fields<5>(root, {"apiVersion", "kind", "metadata", "spec", "status"});
  check_kind(json, api_version, kind, "Pod");
  std::optional<api::Pod> out(std::in_place);
  out->meta = plain_meta(json, meta, true);
  read_spec(json, spec, out->spec);
  read_status_of_pod(json, status, *out);
  if (!json.ok()) out.reset();
  return out;
}

std::optional<api::Node> fast_node(std::string_view text) {
  const Plain root = parse_plain(text);
  if (!root) return std::nullopt;
  PlainJson json;
  const auto [api_version, kind, meta, spec, status] =
      json.fields<5>(root, {"apiVersion", "kind", "metadata", "spec", "status"});
  check_kind(json, api_version, kind, "Node");
  const auto [provider_id, unschedulable, taints] =
      json.fields<3>(spec, {"providerID", "unschedulable", "taints"});
  const auto [capacity, allocatable, conditions] =
      json.fields<3>(status, {"capacity", "allocatable", "conditions"});
  std::optional<api::Node> out(std::in_place);
  out->meta = plain_meta(json, meta, false);
  out->provider_id = json.text(provider_id);
  out->unschedulable = json.boolean(unschedulable);
  read_node_taints(json, taints, *out);
  out->capacity = json.resources(capacity);
  // A node that says nothing of what it keeps for itself gives all it has.
  out->allocatable = allocatable ? json.resources(allocatable) : out->capacity;
  json.items(conditions, [&](const Plain& item) {
    const PlainCondition condition = plain_condition(json, item);
    out->conditions.push_back({std::string(condition.type), std::string(condition.status),
                               std::string(condition.reason), std::string(condition.message),
                               condition.changed});
  });
  if (!json.ok()) out.reset();
  return out;
}

}  // namespace windlass::live::kube

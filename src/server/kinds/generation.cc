// Which changes metadata.generation counts, and which fields lists can be selected by.
#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "server/kinds/fields.h"
#include "server/kinds/kind_rules.h"

namespace windlass::server::kinds {
namespace {

// Built-in groups; every other is a custom resource's.
constexpr std::array<std::string_view, 21> kBuiltIn = {"",
                                                       "admissionregistration.k8s.io",
                                                       "apiextensions.k8s.io",
                                                       "apiregistration.k8s.io",
                                                       "apps",
                                                       "authentication.k8s.io",
                                                       "authorization.k8s.io",
                                                       "autoscaling",
                                                       "batch",
                                                       "certificates.k8s.io",
                                                       "coordination.k8s.io",
                                                       "discovery.k8s.io",
                                                       "events.k8s.io",
                                                       "flowcontrol.apiserver.k8s.io",
                                                       "metrics.k8s.io",
                                                       "networking.k8s.io",
                                                       "node.k8s.io",
                                                       "policy",
                                                       "rbac.authorization.k8s.io",
                                                       "scheduling.k8s.io",
                                                       "storage.k8s.io"};

// Built-in kinds that count at all. Services, config maps, nodes, claims and others have no
// generation.
constexpr std::array<std::string_view, 18> kCounted = {"Pod",
                                                       "PodTemplate",
                                                       "ReplicationController",
                                                       "Deployment",
                                                       "ReplicaSet",
                                                       "StatefulSet",
                                                       "DaemonSet",
                                                       "Job",
                                                       "CronJob",
                                                       "PodDisruptionBudget",
                                                       "Ingress",
                                                       "IngressClass",
                                                       "NetworkPolicy",
                                                       "EndpointSlice",
                                                       "CustomResourceDefinition",
                                                       "CSIDriver",
                                                       "MutatingWebhookConfiguration",
                                                       "ValidatingWebhookConfiguration"};

bool is_built_in(std::string_view group) {
  return std::find(kBuiltIn.begin(), kBuiltIn.end(), group) != kBuiltIn.end();
}

// All that is neither about the object nor reported of it. Built-in types can't tell {} from
// absent.
bool content_differs(const Json& before, const Json& after, bool built_in) {
  const auto differs = [built_in](const Json& a, const Json& b) {
    return built_in ? !same(a, b) : a != b;
  };
  const auto relevant = [](const std::string& name) {
    return name != "metadata" && name != "status" && name != "apiVersion" && name != "kind";
  };
  for (const auto& [name, value] : members(before).items()) {
    if (relevant(name) && differs(value, at(after, name))) return true;
  }
  for (const auto& [name, value] : members(after).items()) {
    if (relevant(name) && differs(at(before, name), value)) return true;
  }
  return false;
}

using Fields = std::vector<std::pair<std::string, std::string>>;

Fields pod_fields(const Json& pod) {
  const Json& spec = at(pod, "spec");
  const Json& status = at(pod, "status");
  const Json& addresses = items(at(status, "podIPs"));
  const std::string first = addresses.empty() ? "" : text(at(addresses[0], "ip"));
  return {{"spec.hostNetwork", truth(at(spec, "hostNetwork")) ? "true" : "false"},
          {"spec.nodeName", text(at(spec, "nodeName"))},
          {"spec.restartPolicy", text(at(spec, "restartPolicy"))},
          {"spec.schedulerName", text(at(spec, "schedulerName"))},
          {"spec.serviceAccountName", text(at(spec, "serviceAccountName"))},
          {"status.nominatedNodeName", text(at(status, "nominatedNodeName"))},
          {"status.phase", text(at(status, "phase"))},
          {"status.podIP", or_else_text(first, text(at(status, "podIP")))}};
}

Fields event_fields(const Json& event) {
  const Json& first = at(event, "involvedObject");
  const Json& object = first.is_null() ? at(event, "regarding") : first;
  const std::string controller =
      or_else_text(text(at(event, "reportingComponent")), text(at(event, "reportingController")));
  const std::string component = or_else_text(text(at(event, {"source", "component"})),
                                             text(at(event, {"deprecatedSource", "component"})));
  Fields fields;
  for (const std::string part :
       {"apiVersion", "fieldPath", "kind", "name", "namespace", "resourceVersion", "uid"}) {
    fields.emplace_back("involvedObject." + part, text(at(object, part)));
  }
  fields.emplace_back("reason", text(at(event, "reason")));
  fields.emplace_back("reportingComponent", controller);
  fields.emplace_back("source", or_else_text(component, controller));
  fields.emplace_back("type", text(at(event, "type")));
  return fields;
}

}  // namespace

bool has_generation(std::string_view group, std::string_view kind) {
  return !is_built_in(group) || std::find(kCounted.begin(), kCounted.end(), kind) != kCounted.end();
}

bool counts_generation(std::string_view group, std::string_view kind, const Json& before,
                       const Json& after) {
  if (!is_built_in(group)) return content_differs(before, after, false);
  if (!has_generation(group, kind)) return false;
  // A deployment hands its annotations on to replica sets, so they count as well.
  if (kind == "Deployment" &&
      !same(at(before, {"metadata", "annotations"}), at(after, {"metadata", "annotations"}))) {
    return true;
  }
  return content_differs(before, after, true);
}

std::vector<std::pair<std::string, std::string>> selectable_fields(std::string_view resource,
                                                                   const Json& object) {
  const auto status_text = [&](std::string_view name) {
    return text(at(object, {"status", name}));
  };
  const auto status_count = [&](std::string_view name) {
    return std::to_string(whole(at(object, {"status", name})));
  };
  if (resource == "pods") return pod_fields(object);
  if (resource == "events" || resource == "events.events.k8s.io") return event_fields(object);
  if (resource == "nodes") {
    return {
        {"spec.unschedulable", truth(at(object, {"spec", "unschedulable"})) ? "true" : "false"}};
  }
  if (resource == "secrets") return {{"type", text(at(object, "type"))}};
  if (resource == "namespaces") return {{"status.phase", status_text("phase")}};
  if (resource == "services") {
    return {{"spec.clusterIP", text(at(object, {"spec", "clusterIP"}))},
            {"spec.type", text(at(object, {"spec", "type"}))}};
  }
  if (resource == "jobs" || resource == "jobs.batch") {
    return {{"status.successful", status_count("succeeded")}};
  }
  if (resource == "replicasets" || resource == "replicasets.apps" ||
      resource == "replicationcontrollers") {
    return {{"status.replicas", status_count("replicas")}};
  }
  if (resource == "certificatesigningrequests.certificates.k8s.io") {
    return {{"spec.signerName", text(at(object, {"spec", "signerName"}))}};
  }
  return {};
}

}  // namespace windlass::server::kinds

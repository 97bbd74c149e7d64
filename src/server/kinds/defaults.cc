#include "server/kinds/defaults.h"

#include <array>

#include <nlohmann/json.hpp>

#include "api/base64.h"
#include "server/kinds/fields.h"

namespace windlass::server::kinds {
namespace {

void default_namespace(Json& object) {
  Json& metadata = make_object(object, "metadata");
  // The label selectors of policies match namespaces by; it always says the name.
  const std::string name = text(at(metadata, "name"));
  if (!name.empty()) make_object(metadata, "labels")["kubernetes.io/metadata.name"] = name;
  // Once it is being deleted the finalizers go, and must not come back.
  if (at(metadata, "deletionTimestamp").is_null()) {
    set_if_absent(make_object(object, "spec"), "finalizers", Json::array({"kubernetes"}));
  }
  set_if_zero(make_object(object, "status"), "phase", "Active");
}

// stringData is for writing only: it becomes data.
void default_secret(Json& object) {
  set_if_zero(object, "type", "Opaque");
  const Json plain = members(at(object, "stringData"));
  if (!plain.empty()) {
    Json& data = make_object(object, "data");
    for (const auto& [key, value] : plain.items()) data[key] = api::to_base64(text(value));
  }
  object.erase("stringData");
}

void default_node(Json& object) {
  make_object(object, "spec");
  Json& status = make_object(object, "status");
  for (const std::string list : {"capacity", "allocatable"}) {
    if (at(status, list).is_object()) canonical_quantities(status[list]);
  }
  if (at(status, "capacity").is_object()) {
    set_if_absent(status, "allocatable", Json(at(status, "capacity")));
  }
}

void default_volume_object(Json& object) {
  Json& spec = make_object(object, "spec");
  set_if_zero(spec, "persistentVolumeReclaimPolicy", "Retain");
  set_if_absent(spec, "volumeMode", "Filesystem");
  if (at(spec, "capacity").is_object()) canonical_quantities(spec["capacity"]);
  set_if_zero(make_object(object, "status"), "phase", "Pending");
}

void default_claim(Json& object) {
  default_claim_spec(make_object(object, "spec"));
  Json& status = make_object(object, "status");
  set_if_zero(status, "phase", "Pending");
  if (at(status, "capacity").is_object()) canonical_quantities(status["capacity"]);
}

void default_storage_capacity(Json& object) {
  for (const char* size : {"capacity", "maximumVolumeSize"}) {
    if (!at(object, size).is_null()) object[size] = quantity_text(at(object, size));
  }
}

void default_storage_class(Json& object) {
  set_if_absent(object, "reclaimPolicy", "Delete");
  set_if_absent(object, "volumeBindingMode", "Immediate");
}

void default_csi_driver(Json& object) {
  Json& spec = make_object(object, "spec");
  set_if_absent(spec, "attachRequired", true);
  for (const std::string_view off :
       {"podInfoOnMount", "storageCapacity", "requiresRepublish", "seLinuxMount"}) {
    set_if_absent(spec, off, false);
  }
  set_if_absent(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType");
  set_if_absent(spec, "volumeLifecycleModes", Json::array({"Persistent"}));
}

void default_priority_class(Json& object) {
  set_if_absent(object, "preemptionPolicy", "PreemptLowerPriority");
}

void default_endpoints(Json& object) {
  if (!at(object, "subsets").is_array()) return;
  for (Json& subset : object["subsets"]) {
    if (!at(subset, "ports").is_array()) continue;
    for (Json& port : subset["ports"]) set_if_zero(port, "protocol", "TCP");
  }
}

void default_endpoint_slice(Json& object) {
  if (!at(object, "ports").is_array()) return;
  for (Json& port : object["ports"]) {
    set_if_absent(port, "name", "");
    set_if_absent(port, "protocol", "TCP");
  }
}

void default_network_policy(Json& object) {
  Json& spec = make_object(object, "spec");
  if (items(at(spec, "policyTypes")).empty()) {
    spec["policyTypes"] = Json::array({"Ingress"});
    if (!items(at(spec, "egress")).empty()) spec["policyTypes"].push_back("Egress");
  }
  for (const std::string side : {"ingress", "egress"}) {
    if (!at(spec, side).is_array()) continue;
    for (Json& rule : spec[side]) {
      if (!at(rule, "ports").is_array()) continue;
      for (Json& port : rule["ports"]) set_if_absent(port, "protocol", "TCP");
    }
  }
}

void default_ingress_class(Json& object) {
  if (!at(object, {"spec", "parameters"}).is_object()) return;
  set_if_absent(object["spec"]["parameters"], "scope", "Cluster");
}

void default_ingress(Json& object) { make_object(make_object(object, "status"), "loadBalancer"); }

void default_role_binding(Json& object) {
  constexpr std::string_view kGroup = "rbac.authorization.k8s.io";
  set_if_zero(make_object(object, "roleRef"), "apiGroup", kGroup);
  if (!at(object, "subjects").is_array()) return;
  for (Json& subject : object["subjects"]) {
    const std::string kind = text(at(subject, "kind"));
    if (kind == "User" || kind == "Group") set_if_zero(subject, "apiGroup", kGroup);
  }
}

// A container's default limit is its maximum, its default request that limit or the minimum.
void default_limit_range(Json& object) {
  if (!at(object, {"spec", "limits"}).is_array()) return;
  for (Json& item : object["spec"]["limits"]) {
    if (at(item, "type") != "Container") continue;
    const auto fill = [&item](std::string_view into, std::string_view from) {
      const Json source = members(at(item, from));
      Json& list = make_object(item, into);
      for (const auto& [name, amount] : source.items()) set_if_absent(list, name, amount);
    };
    fill("default", "max");
    fill("defaultRequest", "default");
    fill("defaultRequest", "min");
  }
}

void default_crd(Json& object) {
  Json& spec = make_object(object, "spec");
  Json& names = make_object(spec, "names");
  const std::string kind = text(at(names, "kind"));
  std::string singular = kind;
  for (char& c : singular) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (!kind.empty()) set_if_zero(names, "singular", singular);
  if (!kind.empty()) set_if_zero(names, "listKind", kind + "List");
  set_if_absent(spec, "conversion", {{"strategy", "None"}});
  Json& status = make_object(object, "status");
  if (!items(at(status, "storedVersions")).empty()) return;
  for (const Json& version : items(at(spec, "versions"))) {
    if (!truth(at(version, "storage"))) continue;
    status["storedVersions"] = Json::array({at(version, "name")});
    return;
  }
}

void default_webhooks(Json& object) {
  if (!at(object, "webhooks").is_array()) return;
  for (Json& hook : object["webhooks"]) {
    set_if_absent(hook, "failurePolicy", "Fail");
    set_if_absent(hook, "matchPolicy", "Equivalent");
    set_if_absent(hook, "namespaceSelector", Json::object());
    set_if_absent(hook, "objectSelector", Json::object());
    set_if_absent(hook, "timeoutSeconds", 10);
    if (at(object, "kind") == "MutatingWebhookConfiguration") {
      set_if_absent(hook, "reinvocationPolicy", "Never");
    }
    if (at(hook, {"clientConfig", "service"}).is_object()) {
      set_if_absent(hook["clientConfig"]["service"], "port", 443);
    }
    if (!at(hook, "rules").is_array()) continue;
    for (Json& rule : hook["rules"]) set_if_absent(rule, "scope", "*");
  }
}

void default_resource_quota(Json& object) {
  if (at(object, {"spec", "hard"}).is_object()) canonical_quantities(object["spec"]["hard"]);
}

struct Entry {
  std::string_view group, kind;
  void (*fill)(Json&);
};

constexpr std::array kDefaults = {
    Entry{"", "Pod", default_pod},
    Entry{"", "ReplicationController", default_replication_controller},
    Entry{"", "Service", default_service},
    Entry{"", "Endpoints", default_endpoints},
    Entry{"", "Secret", default_secret},
    Entry{"", "Namespace", default_namespace},
    Entry{"", "Node", default_node},
    Entry{"", "PersistentVolume", default_volume_object},
    Entry{"", "PersistentVolumeClaim", default_claim},
    Entry{"", "LimitRange", default_limit_range},
    Entry{"", "ResourceQuota", default_resource_quota},
    Entry{"apps", "Deployment", default_deployment},
    Entry{"apps", "ReplicaSet", default_replica_set},
    Entry{"apps", "StatefulSet", default_stateful_set},
    Entry{"apps", "DaemonSet", default_daemon_set},
    Entry{"batch", "Job", default_job},
    Entry{"batch", "CronJob", default_cron_job},
    Entry{"autoscaling", "HorizontalPodAutoscaler", default_horizontal_pod_autoscaler},
    Entry{"discovery.k8s.io", "EndpointSlice", default_endpoint_slice},
    Entry{"networking.k8s.io", "NetworkPolicy", default_network_policy},
    Entry{"networking.k8s.io", "Ingress", default_ingress},
    Entry{"networking.k8s.io", "IngressClass", default_ingress_class},
    Entry{"rbac.authorization.k8s.io", "RoleBinding", default_role_binding},
    Entry{"rbac.authorization.k8s.io", "ClusterRoleBinding", default_role_binding},
    Entry{"scheduling.k8s.io", "PriorityClass", default_priority_class},
    Entry{"storage.k8s.io", "StorageClass", default_storage_class},
    Entry{"storage.k8s.io", "CSIDriver", default_csi_driver},
    Entry{"storage.k8s.io", "CSIStorageCapacity", default_storage_capacity},
    Entry{"apiextensions.k8s.io", "CustomResourceDefinition", default_crd},
    Entry{"admissionregistration.k8s.io", "MutatingWebhookConfiguration", default_webhooks},
    Entry{"admissionregistration.k8s.io", "ValidatingWebhookConfiguration", default_webhooks},
};

}  // namespace

void default_claim_spec(Json& spec) {
  set_if_absent(spec, "volumeMode", "Filesystem");
  for (const std::string list : {"requests", "limits"}) {
    if (at(spec, {"resources", list}).is_object()) canonical_quantities(spec["resources"][list]);
  }
}

void set_defaults(std::string_view group, std::string_view kind, Json& object) {
  if (!object.is_object()) return;
  for (const Entry& entry : kDefaults) {
    if (entry.group == group && entry.kind == kind) return entry.fill(object);
  }
}

}  // namespace windlass::server::kinds

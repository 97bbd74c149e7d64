#include "server/kinds/validation.h"

#include <array>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "server/kinds/fields.h"
#include "server/kinds/kind_rules.h"
#include "server/kinds/names.h"

namespace windlass::server::kinds {
namespace {

struct Entry {
  std::string_view group, kind, resource;  // the resource decides the form of names
  void (*check)(const Json&, const Json*, Faults&);
};

constexpr std::string_view kRbac = "rbac.authorization.k8s.io";

constexpr std::array kChecks = {
    Entry{"", "Pod", "pods", check_pod},
    Entry{"", "Node", "nodes", check_node},
    Entry{"", "Namespace", "namespaces", nullptr},
    Entry{"", "Service", "services", check_service},
    Entry{"", "ConfigMap", "configmaps", check_config_map},
    Entry{"", "Secret", "secrets", check_secret},
    Entry{"", "ReplicationController", "replicationcontrollers", check_replication_controller},
    Entry{"", "PersistentVolume", "persistentvolumes", check_volume},
    Entry{"", "PersistentVolumeClaim", "persistentvolumeclaims", check_claim},
    Entry{"", "ResourceQuota", "resourcequotas", check_resource_quota},
    Entry{"", "LimitRange", "limitranges", check_limit_range},
    Entry{"apps", "Deployment", "deployments", check_deployment},
    Entry{"apps", "ReplicaSet", "replicasets", check_replica_set},
    Entry{"apps", "StatefulSet", "statefulsets", check_stateful_set},
    Entry{"apps", "DaemonSet", "daemonsets", check_daemon_set},
    Entry{"batch", "Job", "jobs", check_job},
    Entry{"batch", "CronJob", "cronjobs", check_cron_job},
    Entry{"autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers",
          check_horizontal_pod_autoscaler},
    Entry{"policy", "PodDisruptionBudget", "poddisruptionbudgets", check_disruption_budget},
    Entry{"scheduling.k8s.io", "PriorityClass", "priorityclasses", check_priority_class},
    Entry{"coordination.k8s.io", "Lease", "leases", check_lease},
    Entry{"storage.k8s.io", "StorageClass", "storageclasses", check_storage_class},
    Entry{"networking.k8s.io", "Ingress", "ingresses", check_ingress},
    Entry{"networking.k8s.io", "NetworkPolicy", "networkpolicies", check_network_policy},
    Entry{kRbac, "Role", "roles", check_role},
    Entry{kRbac, "ClusterRole", "clusterroles", check_cluster_role},
    Entry{kRbac, "RoleBinding", "rolebindings", check_role_binding},
    Entry{kRbac, "ClusterRoleBinding", "clusterrolebindings", check_cluster_role_binding},
    Entry{"apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions",
          check_crd},
};

void check_owners(const Json& owners, const std::string& path, Faults& faults) {
  std::string controller;
  for (const Json& owner : items(owners)) {
    for (const std::string part : {"apiVersion", "kind", "name", "uid"}) {
      if (!text(at(owner, part)).empty()) continue;
      const std::string_view what =
          part == "apiVersion" ? "version must not be empty" : "must not be empty";
      faults.invalid(path + "." + part, "", what);
    }
    if (!truth(at(owner, "controller"))) continue;
    const std::string name = text(at(owner, "kind")) + "/" + text(at(owner, "name"));
    if (!controller.empty()) {
      faults.invalid(path, owners,
                     "Only one reference can have Controller set to true. Found \"true\" in "
                     "references for " +
                         controller + " and " + name);
    }
    controller = name;
  }
}

void check_finalizers(const Json& metadata, const Json* old, Faults& faults) {
  const Json& finalizers = items(at(metadata, "finalizers"));
  for (const Json& one : finalizers) {
    faults.check("metadata.finalizers", one, qualified_name_fault(text(one)));
  }
  if (old == nullptr || at(*old, {"metadata", "deletionTimestamp"}).is_null()) return;
  const Json& before = items(at(*old, {"metadata", "finalizers"}));
  for (const Json& one : finalizers) {
    if (std::find(before.begin(), before.end(), one) != before.end()) continue;
    faults.forbidden("metadata.finalizers",
                     "no new finalizers can be added if the object is being deleted, found new "
                     "finalizers []string{\"" +
                         text(one) + "\"}");
  }
}

// On updates the name was good before; a change is what is refused then.
void check_names(std::string_view resource, const Json& metadata, const Json* old, Faults& faults) {
  const Json& name = at(metadata, "name");
  if (old != nullptr) {
    const Json& before = at(*old, "metadata");
    faults.immutable("metadata.name", at(before, "name"), name);
    for (const std::string part : {"namespace", "uid", "creationTimestamp"}) {
      if (at(metadata, part).is_null()) continue;  // filled in by the server
      faults.immutable("metadata." + part, at(before, part), at(metadata, part));
    }
    return;
  }
  std::string generated = text(at(metadata, "generateName"));
  if (!generated.empty()) {
    if (generated.size() > 1 && generated.back() == '-') generated.back() = 'a';
    faults.check("metadata.generateName", at(metadata, "generateName"),
                 name_fault(resource, generated));
  }
  if (text(name).empty()) {
    faults.required("metadata.name", "name or generateName is required");
  } else {
    faults.check("metadata.name", name, name_fault(resource, text(name)));
  }
  const Json& space = at(metadata, "namespace");
  if (!text(space).empty()) {
    faults.check("metadata.namespace", space, dns_label_fault(text(space)));
  }
}

void check_metadata(std::string_view resource, const Json& object, const Json* old,
                    Faults& faults) {
  const Json& metadata = at(object, "metadata");
  check_names(resource, metadata, old, faults);
  check_labels(at(metadata, "labels"), "metadata.labels", faults);
  check_annotations(at(metadata, "annotations"), "metadata.annotations", faults);
  check_owners(at(metadata, "ownerReferences"), "metadata.ownerReferences", faults);
  check_finalizers(metadata, old, faults);
}

}  // namespace

void check_labels(const Json& labels, const std::string& path, Faults& faults) {
  for (const auto& [name, value] : members(labels).items()) {
    faults.check(path, name, qualified_name_fault(name));
    faults.check(path, value, label_value_fault(text(value)));
  }
}

void check_annotations(const Json& annotations, const std::string& path, Faults& faults) {
  constexpr size_t kBytesMax = 256 * 1024;
  size_t bytes = 0;
  for (const auto& [name, value] : members(annotations).items()) {
    std::string lower = name;  // case does not matter in keys of annotations
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    faults.check(path, name, qualified_name_fault(lower));
    bytes += name.size() + text(value).size();
  }
  if (bytes > kBytesMax) faults.too_long(path, kBytesMax);
}

void check_label_selector(const Json& selector, const std::string& path, Faults& faults) {
  check_labels(at(selector, "matchLabels"), path + ".matchLabels", faults);
  const Json& expressions = items(at(selector, "matchExpressions"));
  for (size_t i = 0; i < expressions.size(); ++i) {
    const std::string here = index(path + ".matchExpressions", i);
    const Json op = text(at(expressions[i], "operator"));
    const Json& values = items(at(expressions[i], "values"));
    if (op == "In" || op == "NotIn") {
      if (values.empty()) {
        faults.required(here + ".values", "must be specified when `operator` is 'In' or 'NotIn'");
      }
    } else if (op == "Exists" || op == "DoesNotExist") {
      if (!values.empty()) {
        faults.forbidden(here + ".values",
                         "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
      }
    } else {
      faults.invalid(here + ".operator", op, "not a valid selector operator");
    }
    const std::string name = text(at(expressions[i], "key"));
    faults.check(here + ".key", name, qualified_name_fault(name));
    for (size_t j = 0; j < values.size(); ++j) {
      faults.check(index(here + ".values", j), values[j], label_value_fault(text(values[j])));
    }
  }
}

int64_t int_or_percent(const Json& value) {
  if (!value.is_string()) return whole(value);
  const std::string written = text(value);
  if (!percent_fault(written).empty()) return 0;
  const Result<int64_t> number = parse_int(written.substr(0, written.size() - 1));
  return number.ok() ? *number : INT64_MAX;
}

void check_int_or_percent(const Json& value, const std::string& path, Faults& faults) {
  if (value.is_null()) return;
  if (!value.is_string()) return faults.non_negative(path, value);
  const std::string fault = percent_fault(text(value));
  faults.check(path, value, fault);
  if (fault.empty() && int_or_percent(value) > 100) {
    faults.invalid(path, value, "must not be greater than 100%");
  }
}

std::vector<schema::FieldFault> validate(std::string_view group, std::string_view kind,
                                         const Json& object, const Json* old) {
  Faults faults;
  const Entry* found = nullptr;
  for (const Entry& entry : kChecks) {
    if (entry.group == group && entry.kind == kind) found = &entry;
  }
  check_metadata(found == nullptr ? "" : found->resource, object, old, faults);
  if (found != nullptr && found->check != nullptr) found->check(object, old, faults);
  return faults.take();
}

}  // namespace windlass::server::kinds

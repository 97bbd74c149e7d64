#include "server/kinds/tables.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "server/kinds/fields.h"

namespace windlass::server::kinds {
namespace {

struct Entry {
  std::string_view group, kind;
  Table (*make)();
};

// A kind that is not here has kube-apiserver's plain table: Role, LimitRange, CRDs and others.
constexpr std::array kTables = {
    Entry{"", "Pod", pod_table},
    Entry{"", "PodTemplate", pod_template_table},
    Entry{"", "Node", node_table},
    Entry{"", "ReplicationController", replication_controller_table},
    Entry{"", "Service", service_table},
    Entry{"", "Endpoints", endpoints_table},
    Entry{"", "ConfigMap", config_map_table},
    Entry{"", "Secret", secret_table},
    Entry{"", "ServiceAccount", service_account_table},
    Entry{"", "Namespace", namespace_table},
    Entry{"", "ResourceQuota", resource_quota_table},
    Entry{"", "PersistentVolume", persistent_volume_table},
    Entry{"", "PersistentVolumeClaim", persistent_volume_claim_table},
    Entry{"", "Event", event_table},
    Entry{"", "ComponentStatus", component_status_table},
    Entry{"events.k8s.io", "Event", event_table},
    Entry{"apps", "Deployment", deployment_table},
    Entry{"apps", "ReplicaSet", replica_set_table},
    Entry{"apps", "StatefulSet", stateful_set_table},
    Entry{"apps", "DaemonSet", daemon_set_table},
    Entry{"apps", "ControllerRevision", controller_revision_table},
    Entry{"batch", "Job", job_table},
    Entry{"batch", "CronJob", cron_job_table},
    Entry{"autoscaling", "HorizontalPodAutoscaler", horizontal_pod_autoscaler_table},
    Entry{"autoscaling", "Scale", scale_table},
    Entry{"policy", "PodDisruptionBudget", pod_disruption_budget_table},
    Entry{"discovery.k8s.io", "EndpointSlice", endpoint_slice_table},
    Entry{"networking.k8s.io", "Ingress", ingress_table},
    Entry{"networking.k8s.io", "IngressClass", ingress_class_table},
    Entry{"networking.k8s.io", "NetworkPolicy", network_policy_table},
    Entry{"rbac.authorization.k8s.io", "RoleBinding", role_binding_table},
    Entry{"rbac.authorization.k8s.io", "ClusterRoleBinding", role_binding_table},
    Entry{"coordination.k8s.io", "Lease", lease_table},
    Entry{"scheduling.k8s.io", "PriorityClass", priority_class_table},
    Entry{"node.k8s.io", "RuntimeClass", runtime_class_table},
    Entry{"storage.k8s.io", "StorageClass", storage_class_table},
    Entry{"storage.k8s.io", "CSINode", csi_node_table},
    Entry{"storage.k8s.io", "CSIDriver", csi_driver_table},
    Entry{"storage.k8s.io", "CSIStorageCapacity", csi_storage_capacity_table},
    Entry{"storage.k8s.io", "VolumeAttachment", volume_attachment_table},
    Entry{"admissionregistration.k8s.io", "MutatingWebhookConfiguration", webhook_table},
    Entry{"admissionregistration.k8s.io", "ValidatingWebhookConfiguration", webhook_table},
    Entry{"apiregistration.k8s.io", "APIService", api_service_table},
    Entry{"metrics.k8s.io", "NodeMetrics", usage_table},
    Entry{"metrics.k8s.io", "PodMetrics", usage_table},
};

Table plain_table() {
  Column created = shown("Created At", "date");
  return {{name_column(), created}, [](const Json& object, Instant) -> Cells {
            return {name_of(object), text(at(object, {"metadata", "creationTimestamp"}))};
          }};
}

}  // namespace

Column name_column() { return {"Name", "string", "name", "Unique within its namespace", 0}; }

Column shown(std::string name, std::string type) {
  return {std::move(name), std::move(type), "", "", 0};
}

Column wide(std::string name, std::string type) {
  return {std::move(name), std::move(type), "", "", 1};
}

// "2d4h" and the like: two or three figures, finer the younger. Limits as kubectl has them.
std::string human_duration(Duration d) {
  constexpr int64_t kDay = 24, kYear = 24 * 365;  // hours
  const int64_t seconds = d.ns / 1'000'000'000;
  const int64_t minutes = seconds / 60;
  const int64_t hours = minutes / 60;
  const auto with = [](int64_t big, std::string_view unit, int64_t small, std::string_view rest) {
    std::string all = std::to_string(big) + std::string(unit);
    return small == 0 ? all : all + std::to_string(small) + std::string(rest);
  };
  if (seconds < -1) return "<invalid>";  // clocks that differ by a second are forgiven
  if (seconds < 0) return "0s";
  if (seconds < 120) return with(seconds, "s", 0, "");
  if (minutes < 10) return with(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return with(minutes, "m", 0, "");
  if (hours < 8) return with(hours, "h", minutes % 60, "m");
  if (hours < 2 * kDay) return with(hours, "h", 0, "");
  if (hours < 8 * kDay) return with(hours / kDay, "d", hours % kDay, "h");
  if (hours < 2 * kYear) return with(hours / kDay, "d", 0, "");
  if (hours < 8 * kYear) return with(hours / kYear, "y", hours / kDay % 365, "d");
  return with(hours / kYear, "y", 0, "");
}

std::string since(const Json& time, Instant now) {
  const Result<Instant> then = parse_rfc3339(text(time));
  if (!then.ok()) return "<unknown>";
  // Far enough apart to overflow is not an age.
  int64_t apart = 0;
  if (__builtin_sub_overflow(now.ns, then->ns, &apart)) return "<unknown>";
  return human_duration({apart});
}

std::string age(const Json& object, Instant now) {
  return since(at(object, {"metadata", "creationTimestamp"}), now);
}

std::string name_of(const Json& object) { return text(at(object, {"metadata", "name"})); }

std::pair<std::string, std::string> container_cells(const Json& pod_spec) {
  std::vector<std::string> names, images;
  for (const Json& container : items(at(pod_spec, "containers"))) {
    names.push_back(text(at(container, "name")));
    images.push_back(text(at(container, "image")));
  }
  return {join(names, ","), join(images, ",")};
}

std::string first_three(const std::vector<std::string>& all, std::string_view none) {
  if (all.empty()) return std::string(none);
  const size_t shown_count = std::min<size_t>(all.size(), 3);
  std::string text = join({all.begin(), all.begin() + static_cast<ptrdiff_t>(shown_count)}, ",");
  if (all.size() > shown_count) text += " + " + std::to_string(all.size() - 3) + " more...";
  return or_else_text(text, none);
}

Table table_for(std::string_view group, std::string_view version, std::string_view kind) {
  (void)version;  // the printers read what all served versions of a kind have in common
  for (const Entry& entry : kTables) {
    if (entry.group == group && entry.kind == kind) return entry.make();
  }
  return plain_table();
}

}  // namespace windlass::server::kinds

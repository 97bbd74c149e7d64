// The makers of single kinds' tables and what they share. table_for (tables.cc) chooses among them.
// Every row has all cells, those of wide columns too: kubectl hides columns of priority > 0 itself.
#pragma once

#include <string>
#include <utility>

#include "server/kinds/kind_rules.h"

namespace windlass::server::kinds {

Column name_column();
Column shown(std::string name, std::string type = "string");
Column wide(std::string name, std::string type = "string");

// The age of a point in time: "5m"; "<unknown>" where it is absent or malformed.
std::string since(const Json& time, Instant now);
// Since metadata.creationTimestamp.
std::string age(const Json& object, Instant now);
std::string name_of(const Json& object);
// Names and images of a pod spec's containers, each joined with commas.
std::pair<std::string, std::string> container_cells(const Json& pod_spec);
// The first three, then " + 2 more..."; `none` where there are none.
std::string first_three(const std::vector<std::string>& all, std::string_view none);

Table pod_table();
Table pod_template_table();
Table node_table();
Table deployment_table();
Table replica_set_table();
Table replication_controller_table();
Table stateful_set_table();
Table daemon_set_table();
Table controller_revision_table();
Table job_table();
Table cron_job_table();
Table service_table();
Table endpoints_table();
Table endpoint_slice_table();
Table ingress_table();
Table ingress_class_table();
Table network_policy_table();
Table config_map_table();
Table secret_table();
Table service_account_table();
Table namespace_table();
Table resource_quota_table();
Table role_binding_table();
Table lease_table();
Table priority_class_table();
Table runtime_class_table();
Table pod_disruption_budget_table();
Table webhook_table();
Table api_service_table();
Table persistent_volume_table();
Table persistent_volume_claim_table();
Table storage_class_table();
Table csi_node_table();
Table csi_driver_table();
Table csi_storage_capacity_table();
Table volume_attachment_table();
Table horizontal_pod_autoscaler_table();
Table event_table();
Table component_status_table();
Table scale_table();
Table usage_table();  // metrics.k8s.io NodeMetrics and PodMetrics

}  // namespace windlass::server::kinds

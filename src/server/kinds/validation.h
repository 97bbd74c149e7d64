// The checks of single kinds; validate (validation.cc) chooses among them. Each adds to `faults`
// what kube-apiserver would refuse. Where an update is checked, `old` is the object before, else
// null.
#pragma once

#include <string>

#include "server/kinds/faults.h"

namespace windlass::server::kinds {

// --- shared ---
void check_labels(const Json& labels, const std::string& path, Faults& faults);
void check_annotations(const Json& annotations, const std::string& path, Faults& faults);
void check_label_selector(const Json& selector, const std::string& path, Faults& faults);
// An int or a percentage, not negative and at most 100 % where it is one.
void check_int_or_percent(const Json& value, const std::string& path, Faults& faults);
int64_t int_or_percent(const Json& value);  // the number before the % or the number itself
// A quantity that is one, not negative, and whole where the resource comes in units only.
void check_quantity(std::string_view resource, const Json& value, const std::string& path,
                    Faults& faults);
void check_resource_name(std::string_view resource, const std::string& path, Faults& faults);
void check_resources(const Json& resources, const std::string& path, Faults& faults);

// --- pods ---
// `claims`: volumes a stateful set adds by its claim templates.
struct PodSpecContext {
  std::vector<std::string> claims{};
  bool host_names = true;  // whether hostname and subdomain are looked at
};
void check_pod_spec(const Json& spec, const std::string& path, const PodSpecContext& context,
                    Faults& faults);
void check_pod_template(const Json& pod, const std::string& path, const PodSpecContext& context,
                        Faults& faults);
void check_containers(const Json& spec, const std::string& path,
                      const std::vector<std::string>& volumes, Faults& faults);
// The names of good volumes.
std::vector<std::string> check_volumes(const Json& spec, const std::string& path, Faults& faults);
// Node selectors, affinities, tolerations, spreads, gates.
void check_scheduling(const Json& spec, const std::string& path, Faults& faults);
void check_tolerations(const Json& tolerations, const std::string& path, Faults& faults);
void check_node_selector(const Json& selector, const std::string& path, Faults& faults);

// --- kinds ---
void check_pod(const Json& object, const Json* old, Faults& faults);
void check_node(const Json& object, const Json* old, Faults& faults);
void check_deployment(const Json& object, const Json* old, Faults& faults);
void check_replica_set(const Json& object, const Json* old, Faults& faults);
void check_replication_controller(const Json& object, const Json* old, Faults& faults);
void check_stateful_set(const Json& object, const Json* old, Faults& faults);
void check_daemon_set(const Json& object, const Json* old, Faults& faults);
void check_job(const Json& object, const Json* old, Faults& faults);
void check_cron_job(const Json& object, const Json* old, Faults& faults);
void check_service(const Json& object, const Json* old, Faults& faults);
void check_config_map(const Json& object, const Json* old, Faults& faults);
void check_secret(const Json& object, const Json* old, Faults& faults);
void check_volume(const Json& object, const Json* old, Faults& faults);
void check_claim(const Json& object, const Json* old, Faults& faults);
void check_claim_spec(const Json& spec, const std::string& path, Faults& faults);
void check_storage_class(const Json& object, const Json* old, Faults& faults);
void check_resource_quota(const Json& object, const Json* old, Faults& faults);
void check_limit_range(const Json& object, const Json* old, Faults& faults);
void check_disruption_budget(const Json& object, const Json* old, Faults& faults);
void check_horizontal_pod_autoscaler(const Json& object, const Json* old, Faults& faults);
void check_priority_class(const Json& object, const Json* old, Faults& faults);
void check_lease(const Json& object, const Json* old, Faults& faults);
void check_role(const Json& object, const Json* old, Faults& faults);
void check_cluster_role(const Json& object, const Json* old, Faults& faults);
void check_role_binding(const Json& object, const Json* old, Faults& faults);
void check_cluster_role_binding(const Json& object, const Json* old, Faults& faults);
void check_ingress(const Json& object, const Json* old, Faults& faults);
void check_network_policy(const Json& object, const Json* old, Faults& faults);
void check_crd(const Json& object, const Json* old, Faults& faults);

}  // namespace windlass::server::kinds

// The defaults of single kinds. set_defaults (defaults.cc) chooses; what a kind shares with others
// (pod specs, claims, metrics) is here. Nothing that stands there is overwritten.
#pragma once

#include "server/kinds/kind_rules.h"

namespace windlass::server::kinds {

// A pod spec wherever it stands: in a Pod or in a template.
void default_pod_spec(Json& spec);
// What only a Pod gets: requests from limits, service links, host ports, and what admission adds
// (service account, tolerations of lost nodes, priority 0 where no class is named), QoS class.
void default_pod(Json& pod);
void default_pod_template(Json& object);  // of spec.template

void default_deployment(Json& object);
void default_replica_set(Json& object);
void default_replication_controller(Json& object);
void default_stateful_set(Json& object);
void default_daemon_set(Json& object);
void default_job(Json& object);
void default_cron_job(Json& object);
void default_service(Json& object);
void default_claim_spec(Json& spec);
void default_horizontal_pod_autoscaler(Json& object);

// Quantities in the form the API gives them back: 0.5 is "500m", 1024Mi is "1Gi".
void canonical_quantities(Json& resource_list);

}  // namespace windlass::server::kinds

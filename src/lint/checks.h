// Private to this room: the rules, a family a function. Each looks at all manifests and reports
// what it finds.
#pragma once

#include "lint/manifests.h"

namespace windlass::lint {

void check_triggers(Manifests& manifests);     // trigger_checks.cc
void check_queries(Manifests& manifests);      // query_checks.cc
void check_autoscalers(Manifests& manifests);  // autoscaler_checks.cc
void check_pools(Manifests& manifests);        // pool_checks.cc
void check_pods(Manifests& manifests);         // pod_checks.cc
void check_budgets(Manifests& manifests);      // budget_checks.cc

}  // namespace windlass::lint

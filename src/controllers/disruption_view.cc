#include "controllers/disruption_view.h"

#include <algorithm>

namespace windlass::controllers {

disruption::Cluster disruption_cluster(const cluster::State& state, const Nominations& nominations,
                                       OfferingView& offerings, Instant now) {
  disruption::Cluster cluster;
  cluster.nodes = candidates(state, nominations, now);
  cluster.scheduling = cluster_problem(state, offerings, now);
  cluster.scheduling.pods = pending_pods(state);
  for (const auto& [key, pool] : state.node_pools()) {
    const bool known =
        std::ranges::any_of(cluster.scheduling.pools,
                            [&](const scheduling::Pool& other) { return other.pool == &pool; });
    if (known || !pool.replicas || pool.meta.deleted) continue;
    scheduling::Pool fixed{&pool, &offerings.types(state, pool, now), {}};
    for (const auto& [name, claim] : state.node_claims()) {
      if (claim.pool() == key) fixed.used += api::ResourceList{{"nodes", 1000}};
    }
    cluster.scheduling.pools.push_back(std::move(fixed));
  }
  for (const auto& [key, budget] : state.budgets()) cluster.budgets.push_back(&budget);
  if (!cluster.budgets.empty()) {
    for (const auto& [key, pod] : state.pods()) cluster.all_pods.push_back(&pod);
  }
  return cluster;
}

}  // namespace windlass::controllers

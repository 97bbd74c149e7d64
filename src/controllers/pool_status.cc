#include "controllers/pool_status.h"

namespace windlass::controllers {

void PoolStatusController::touched(const cluster::Change& change, const cluster::State& state,
                                   std::vector<std::string>& keys) {
  if (change.kind == cluster::Kind::kNodePool) keys.push_back(change.key);
  if (change.kind != cluster::Kind::kNodeClaim) return;
  if (const api::NodeClaim* claim = state.node_claims().find(change.key)) {
    keys.push_back(claim->pool());
  } else {
    // The claim is gone and with it the name of its pool.
    for (const auto& [key, pool] : state.node_pools()) keys.push_back(key);
  }
}

Outcome PoolStatusController::reconcile(const std::string& key, const cluster::State& state,
                                        Instant now) {
  Outcome out;
  const api::NodePool* found = state.node_pools().find(key);
  if (found == nullptr) return out;
  api::NodePool pool = *found;
  pool.status_resources = {};
  pool.status_nodes = 0;
  for (const auto& [name, claim] : state.node_claims()) {
    if (claim.pool() != key) continue;
    pool.status_resources += claim.capacity;
    ++pool.status_nodes;
  }
  const bool has_class = state.node_classes().find(pool.node_class.name) != nullptr;
  const std::string status = has_class ? "True" : "False";
  const std::string message = has_class ? "" : "there is no EC2NodeClass " + pool.node_class.name;
  bool changed = api::set_condition(
      pool.conditions,
      {"NodeClassReady", status, has_class ? "NodeClassReady" : "NodeClassNotFound", message, now});
  changed |= api::set_condition(
      pool.conditions, {"Ready", status, has_class ? "Ready" : "NodeClassNotFound", message, now});
  changed |= pool.status_nodes != found->status_nodes ||
             !(pool.status_resources == found->status_resources);
  if (changed) out.actions.push_back(PutObject{std::move(pool)});
  return out;
}

}  // namespace windlass::controllers

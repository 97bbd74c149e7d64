#include "controllers/pool_status.h"

#include <utility>

namespace windlass::controllers {

void PoolStatusController::touched(const cluster::Change& change, const cluster::State& state,
                                   std::vector<std::string>& keys) {
  if (change.kind == cluster::Kind::kNodePool) keys.push_back(change.key);
  if (change.kind != cluster::Kind::kNodeClaim) return;
  const api::NodeClaim* claim = state.node_claims().find(change.key);
  if (counting_) count(change.key, claim);
  if (claim != nullptr) {
    keys.push_back(claim->pool());
  } else {
    // The claim is gone and with it the name of its pool.
    for (const auto& [key, pool] : state.node_pools()) keys.push_back(key);
  }
}

// What comes is added to a sum; where something goes or shrinks the sum is made anew, since a
// resource that nobody has any more must not stay behind as a zero.
void PoolStatusController::count(const std::string& name, const api::NodeClaim* claim) {
  const auto known = shares_.find(name);
  if (claim == nullptr) {
    if (known == shares_.end()) return;
    sums_[known->second.pool].reset();
    shares_.erase(known);
    return;
  }
  Share share{claim->pool(), claim->capacity};
  const bool added = known == shares_.end();
  if (!added && (known->second.pool != share.pool || !known->second.capacity.empty())) {
    if (known->second.pool == share.pool && known->second.capacity == share.capacity) return;
    sums_[known->second.pool].reset();
    sums_[share.pool].reset();
  } else if (std::optional<Sum>& sum = sums_[share.pool]) {
    sum->resources += share.capacity;
    sum->nodes += added ? 1 : 0;
  }
  shares_[name] = std::move(share);
}

const PoolStatusController::Sum& PoolStatusController::sum_of(const std::string& pool) {
  std::optional<Sum>& sum = sums_[pool];
  if (sum) return *sum;
  sum.emplace();
  for (const auto& [name, share] : shares_) {
    if (share.pool != pool) continue;
    sum->resources += share.capacity;
    ++sum->nodes;
  }
  return *sum;
}

Outcome PoolStatusController::reconcile(const std::string& key, const cluster::State& state,
                                        Instant now) {
  Outcome out;
  const api::NodePool* found = state.node_pools().find(key);
  if (found == nullptr) return out;
  if (!std::exchange(counting_, true)) {
    for (const auto& [name, claim] : state.node_claims()) count(name, &claim);
  }
  const Sum& sum = sum_of(key);
  api::NodePool pool = *found;
  pool.status_resources = sum.resources;
  pool.status_nodes = sum.nodes;
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

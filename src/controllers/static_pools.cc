#include "controllers/static_pools.h"

#include <fmt/format.h>

#include "disruption/costs.h"
#include "disruption/pod_disruption.h"

namespace windlass::controllers {
namespace {

using cluster::Kind;

constexpr Duration kPeriod = minutes(1);
constexpr Duration kPeriodAtLimit = seconds(30);

scheduling::StaticClaim as_seen(const cluster::State& state, const api::NodeClaim& claim) {
  scheduling::StaticClaim out;
  out.name = claim.meta.name;
  out.launched = !claim.provider_id.empty();
  // One that disruption replaces is as good as gone: else its replacement would be the surplus.
  out.deleting =
      claim.meta.deleted.has_value() || api::is_true(claim.conditions, "DisruptionReason");
  std::vector<const api::Pod*> moving;
  const api::Node* node = out.launched ? state.node_by_provider_id(claim.provider_id) : nullptr;
  if (node != nullptr) {
    for (const std::string& key : state.pods_on(node->meta.name)) {
      const api::Pod& pod = state.pods().at(key);
      if (!pod.terminal() && disruption::reschedulable(pod)) moving.push_back(&pod);
    }
  }
  out.empty = moving.empty();
  out.disruption_cost = disruption::reschedule_cost(moving);
  return out;
}

}  // namespace

void StaticPoolsController::touched(const cluster::Change& change, const cluster::State& state,
                                    std::vector<std::string>& keys) {
  if (change.kind == Kind::kNodePool) keys.push_back(change.key);
  if (change.kind != Kind::kNodeClaim) return;
  // The pool of a claim that is gone cannot be told.
  for (const auto& [name, pool] : state.node_pools()) {
    if (pool.replicas) keys.push_back(name);
  }
}

void StaticPoolsController::create(const api::NodePool& pool, int32_t count,
                                   const cluster::State& state, Instant now, Outcome& out) {
  const catalog::Catalog& types = offerings_.types(state, pool, now);
  const scheduling::NewClaim wanted = scheduling::static_claim({&pool, &types, {}});
  if (wanted.types.empty()) {
    out.decisions.push_back({"NodePool/" + pool.meta.name,
                             "create",
                             {},
                             "no claim",
                             {"no instance type with an available offering meets the pool"}});
    return;
  }
  for (int32_t i = 0; i < count; ++i) {
    api::NodeClaim claim = scheduling::to_node_claim(wanted, pool);
    claim.meta.name = claim_name(pool.meta.name, names_, state);
    claim.meta.uid = "claim-" + claim.meta.name;
    claim.meta.created = now;
    out.decisions.push_back({"NodeClaim/" + claim.meta.name,
                             "create",
                             {{"replicas", std::to_string(*pool.replicas)}},
                             fmt::format("{} type{}, cheapest {} at ${:.4f}/h", wanted.types.size(),
                                         wanted.types.size() == 1 ? "" : "s",
                                         wanted.types.front()->name, wanted.usd_per_hour),
                             {fmt::format("static pool {} lacks {}", pool.meta.name, count)}});
    out.actions.push_back(PutObject{std::move(claim)});
  }
}

Outcome StaticPoolsController::reconcile(const std::string& key, const cluster::State& state,
                                         Instant now) {
  Outcome out;
  const api::NodePool* pool = state.node_pools().find(key);
  if (pool == nullptr || !pool->replicas || pool->meta.deleted) return out;
  out.requeue_at = now + kPeriod;
  const api::Condition* ready = api::find_condition(pool->conditions, "Ready");
  if (ready != nullptr && ready->status == "False") return out;

  std::vector<scheduling::StaticClaim> claims;
  for (const auto& [name, claim] : state.node_claims()) {
    if (claim.pool() == key) claims.push_back(as_seen(state, claim));
  }
  std::optional<int64_t> node_limit;
  if (pool->limits.has("nodes")) node_limit = pool->limits.milli("nodes") / 1000;
  const size_t standing = claims.size();
  const scheduling::StaticChange change =
      scheduling::keep_replicas(*pool->replicas, node_limit, std::move(claims));
  if (change.at_limit) out.requeue_at = now + kPeriodAtLimit;
  if (change.create > 0) create(*pool, change.create, state, now, out);
  for (const std::string& claim : change.remove) {
    out.decisions.push_back({"NodeClaim/" + claim,
                             "delete",
                             {{"replicas", std::to_string(*pool->replicas)}},
                             "one too many",
                             {fmt::format("static pool {} has {} claims", key, standing)}});
    out.actions.push_back(DeleteObject{Kind::kNodeClaim, claim, "static pool scaled in"});
  }
  return out;
}

}  // namespace windlass::controllers

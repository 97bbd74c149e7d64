#include "controllers/expiry.h"

#include <limits>

#include <fmt/format.h>

namespace windlass::controllers {

std::optional<Instant> expires_at(const api::NodeClaim& claim) {
  if (!claim.expire_after) return std::nullopt;
  const int64_t created = claim.meta.created.ns;
  // Neither a lifetime of centuries nor a creation that nobody knows means "now".
  if (created == 0 || claim.expire_after->ns > std::numeric_limits<int64_t>::max() - created) {
    return std::nullopt;
  }
  return claim.meta.created + *claim.expire_after;
}

void ExpiryController::touched(const cluster::Change& change, const cluster::State&,
                               std::vector<std::string>& keys) {
  if (change.kind == cluster::Kind::kNodeClaim && !change.removed) keys.push_back(change.key);
}

void ExpiryController::start(const cluster::State& state, std::vector<std::string>& keys) {
  for (const auto& [name, claim] : state.node_claims()) keys.push_back(name);
}

Outcome ExpiryController::reconcile(const std::string& key, const cluster::State& state,
                                    Instant now) {
  Outcome out;
  const api::NodeClaim* claim = state.node_claims().find(key);
  if (claim == nullptr || claim->meta.deleted) return out;
  const std::optional<Instant> at = expires_at(*claim);
  if (!at) return out;
  if (now < *at) {
    out.requeue_at = *at;
    return out;
  }
  out.actions.push_back(DeleteObject{cluster::Kind::kNodeClaim, key, "expired"});
  out.decisions.push_back({"NodeClaim/" + key,
                           "expire",
                           {{"created", to_rfc3339(claim->meta.created)},
                            {"expireAfter", to_string(*claim->expire_after)}},
                           "delete",
                           {fmt::format("older than expireAfter {}; budgets do not hold it",
                                        to_string(*claim->expire_after))}});
  return out;
}

}  // namespace windlass::controllers

#include "controllers/interruption.h"

namespace windlass::controllers {

void InterruptionController::touched(const cluster::Change& change, const cluster::State&,
                                     std::vector<std::string>& keys) {
  if (change.kind == cluster::Kind::kInterruption) keys.push_back(change.key);
}

Outcome InterruptionController::reconcile(const std::string& provider_id,
                                          const cluster::State& state, Instant) {
  Outcome out;
  const api::NodeClaim* claim = state.claim_by_provider_id(provider_id);
  const auto notice = state.interruptions().find(provider_id);
  if (claim == nullptr || notice == state.interruptions().end() || claim->meta.deleted) return out;
  out.actions.push_back(DeleteObject{cluster::Kind::kNodeClaim, claim->meta.name, notice->second});
  out.decisions.push_back({"NodeClaim/" + claim->meta.name,
                           "delete",
                           {{"instance", provider_id}},
                           "drains before the instance goes",
                           {notice->second}});
  return out;
}

}  // namespace windlass::controllers

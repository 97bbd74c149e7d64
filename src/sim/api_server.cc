#include "sim/api_server.h"

#include <variant>

#include "disruption/propose.h"

namespace windlass::sim {

using cluster::Kind;

void ApiServer::put(api::Object object) {
  // A deleted object whose last finalizer is taken off is gone.
  const api::ObjectMeta& meta = api::meta_of(object);
  if (std::holds_alternative<api::NodeClaim>(object) && meta.deleted && meta.finalizers.empty()) {
    context_.state.remove(Kind::kNodeClaim, meta.key());
    return;
  }
  context_.state.put(std::move(object));
}

void ApiServer::remove(const controllers::DeleteObject& request) {
  if (request.kind == Kind::kPod) return delete_pod(request.key);
  WL_ASSERT(request.kind == Kind::kNodeClaim);
  const api::NodeClaim* claim = context_.state.node_claims().find(request.key);
  if (claim == nullptr || claim->meta.deleted) return;
  context_.note("delete claim", request.key);
  if (claim->meta.finalizers.empty()) {
    context_.state.remove(request.kind, request.key);
    return;
  }
  api::NodeClaim marked = *claim;
  marked.meta.deleted = context_.now;
  context_.state.put(std::move(marked));
}

void ApiServer::scale(const std::string& key, int32_t replicas) {
  const api::Deployment* deployment = context_.state.deployments().find(key);
  if (deployment == nullptr || deployment->replicas == replicas) return;
  api::Deployment scaled = *deployment;
  scaled.replicas = replicas;
  ++scaled.meta.generation;
  context_.note("scale " + std::to_string(replicas), key);
  context_.state.put(std::move(scaled));
}

bool ApiServer::evict(const std::string& key) {
  const api::Pod* pod = context_.state.pods().find(key);
  if (pod == nullptr || pod->meta.deleted) return true;
  std::vector<const api::Pod*> all;
  for (const auto& [budget_key, budget] : context_.state.budgets()) {
    const bool covers = budget.meta.namespace_name == pod->meta.namespace_name &&
                        budget.selector.matches(pod->meta.labels);
    if (!covers) continue;
    if (all.empty()) {
      for (const auto& [other_key, other] : context_.state.pods()) all.push_back(&other);
    }
    // A pod that is not ready takes nothing from the budget's healthy ones.
    if (pod->ready && disruption::disruptions_allowed(budget, all) <= 0) return false;
  }
  delete_pod(key);
  return true;
}

void ApiServer::delete_pod(const std::string& key) {
  const api::Pod* pod = context_.state.pods().find(key);
  if (pod == nullptr || pod->meta.deleted) return;
  context_.note("delete pod", key);
  if (pod->spec.node_name.empty() || pod->terminal()) {
    context_.state.remove(Kind::kPod, key);
    return;
  }
  api::Pod marked = *pod;
  const bool outside = ends_outside(*pod);
  marked.meta.deleted = context_.now;
  if (!outside) marked.ready = false;
  context_.state.put(std::move(marked));
  if (!outside) on_pod_deleted(key);
}

std::string ApiServer::new_uid(std::string_view kind, const std::string& name) {
  return context_.new_uid(kind, name);
}

std::string ApiServer::pod_name(const std::string& owner) {
  static constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  Hash64 bits_of;
  bits_of.add(owner);
  if (context_.opened != 0) bits_of.add(context_.opened);
  bits_of.add(++names_);
  uint64_t bits = bits_of.value();
  std::string name = owner + "-";
  for (int i = 0; i < 8; ++i) {
    name += kLetters[bits % kLetters.size()];
    bits /= kLetters.size();
  }
  return name;
}

}  // namespace windlass::sim

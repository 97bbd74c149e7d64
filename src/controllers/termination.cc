#include "controllers/termination.h"

#include <algorithm>

#include <fmt/format.h>

#include "controllers/cluster_view.h"
#include "disruption/pod_disruption.h"

namespace windlass::controllers {
namespace {

using cluster::Kind;

constexpr Duration kMinimumDrain = seconds(5);
constexpr Duration kRetry = seconds(1);

// Waves: non-critical before critical, within each daemons last.
int wave_of(const api::Pod& pod) {
  const bool critical = pod.spec.priority_class == "system-node-critical" ||
                        pod.spec.priority_class == "system-cluster-critical";
  return (critical ? 2 : 0) + (pod.daemon() ? 1 : 0);
}

}  // namespace

void TerminationController::touched(const cluster::Change& change, const cluster::State& state,
                                    std::vector<std::string>& keys) {
  const api::NodeClaim* claim = nullptr;
  if (change.kind == Kind::kNodeClaim || change.kind == Kind::kLaunchResult) {
    claim = state.node_claims().find(change.key);
    if (claim == nullptr) memories_.erase(change.key);
  } else if (change.kind == Kind::kNode) {
    claim = state.claim_of_node(change.key);
  } else if (change.kind == Kind::kPod) {
    const api::Pod* pod = state.pods().find(change.key);
    if (pod != nullptr && !pod->spec.node_name.empty()) {
      claim = state.claim_of_node(pod->spec.node_name);
    }
  }
  if (claim == nullptr) return;
  const api::Node* node = state.node_by_provider_id(claim->provider_id);
  if (claim->meta.deleted || (node != nullptr && node->meta.deleted)) {
    keys.push_back(claim->meta.name);
  }
}

std::optional<Instant> termination_deadline(const api::NodeClaim& claim) {
  if (!claim.meta.deleted) return std::nullopt;
  const auto written = claim.meta.annotations.find(kTerminationTimestamp);
  if (written != claim.meta.annotations.end()) {
    if (const Result<Instant> at = parse_rfc3339(written->second)) return *at;
  }
  if (!claim.termination_grace) return std::nullopt;
  return *claim.meta.deleted + *claim.termination_grace;
}

bool holds_instance(const api::Pod& pod) { return !pod.terminal() && !pod.daemon(); }

bool TerminationController::drain(const api::Node& node, std::optional<Instant> deadline,
                                  const cluster::State& state, Instant now, Outcome& out) {
  std::vector<const api::Pod*> waves[4];
  Instant next = now + kRetry;
  for (const std::string& key : state.pods_on(node.meta.name)) {
    const api::Pod& pod = state.pods().at(key);
    if (pod.terminal()) continue;
    waves[wave_of(pod)].push_back(&pod);
    // So that it has its whole grace period before the instance is gone, in whatever wave it is.
    if (!deadline || pod.meta.deleted) continue;
    const Instant last = *deadline - pod.spec.termination_grace;
    if (now >= last) {
      out.actions.push_back(DeleteObject{Kind::kPod, key, "terminationGracePeriod"});
    } else {
      next = std::min(next, last);
    }
  }
  out.requeue_at = next;
  if (deadline && now >= *deadline) return true;
  for (int wave = 0; wave < 4; ++wave) {
    if (waves[wave].empty()) continue;
    for (const api::Pod* pod : waves[wave]) {
      const bool goes_already =
          pod->meta.deleted || (deadline && now >= *deadline - pod->spec.termination_grace);
      if (goes_already || !disruption::do_not_disrupt(*pod, now).empty()) continue;
      out.actions.push_back(EvictPod{pod->meta.key()});
    }
    if (holds_instance(*waves[wave].front())) return false;
  }
  return true;
}

// The taint, and the deadline as an annotation, for people and for a restart with other settings.
void TerminationController::begin_drain(const api::NodeClaim& claim, const api::Node& node,
                                        Instant now, Outcome& out) {
  memories_[claim.meta.name].drain_began = now;
  const bool tainted = std::any_of(node.taints.begin(), node.taints.end(), [](const api::Taint& t) {
    return t.key == api::kDisruptedTaint;
  });
  if (!tainted) {
    api::Node marked = node;
    marked.taints.push_back({std::string(api::kDisruptedTaint), "", "NoSchedule"});
    out.actions.push_back(PutObject{std::move(marked)});
  }
  const std::string key(kTerminationTimestamp);
  const std::optional<Instant> deadline = termination_deadline(claim);
  if (!deadline || claim.meta.annotations.contains(key)) return;
  api::NodeClaim dated = claim;
  dated.meta.annotations[key] = to_rfc3339(*deadline);
  out.actions.push_back(PutObject{std::move(dated)});
  out.decisions.push_back(
      {"NodeClaim/" + claim.meta.name,
       "drain",
       {{"terminationGracePeriod", to_string(*deadline - *claim.meta.deleted)}},
       "ends at " + to_rfc3339(*deadline),
       {"then the instance goes, whatever PodDisruptionBudgets and do-not-disrupt say"}});
}

Outcome TerminationController::reconcile(const std::string& key, const cluster::State& state,
                                         Instant now) {
  Outcome out;
  const api::NodeClaim* claim = state.node_claims().find(key);
  if (claim == nullptr) {
    memories_.erase(key);
    return out;
  }
  const api::Node* node = state.node_by_provider_id(claim->provider_id);
  if (!claim->meta.deleted) {
    // `kubectl delete node`: the claim goes with it.
    if (node != nullptr && node->meta.deleted) {
      out.actions.push_back(DeleteObject{Kind::kNodeClaim, key, "node deleted"});
    }
    return out;
  }
  Memory& memory = memories_[key];
  const cluster::LaunchResult* launched = state.launch_result(key);
  const bool never_launched =
      claim->provider_id.empty() && (launched == nullptr || launched->provider_id.empty());
  const std::string provider_id = !claim->provider_id.empty() ? claim->provider_id
                                  : launched != nullptr       ? launched->provider_id
                                                              : std::string();
  if (node != nullptr) {
    if (!memory.drain_began) begin_drain(*claim, *node, now, out);
    const bool drained = drain(*node, termination_deadline(*claim), state, now, out);
    if (!drained || now - *memory.drain_began < kMinimumDrain) {
      if (drained) out.requeue_at = now + kRetry;
      return out;
    }
  }
  if (!never_launched && !memory.terminating) {
    memory.terminating = true;
    out.actions.push_back(TerminateInstance{provider_id, key, "claim deleted"});
    out.requeue_at = now + kRetry;
    return out;
  }
  if (never_launched || node == nullptr) {
    // The instance is gone (its Node was removed) or never was: nothing can leak any more.
    api::NodeClaim released = *claim;
    released.meta.finalizers.clear();
    out.actions.push_back(PutObject{std::move(released)});
    return out;
  }
  out.requeue_at = now + kRetry;
  return out;
}

}  // namespace windlass::controllers

#include "controllers/provisioning.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace windlass::controllers {
namespace {

using cluster::Kind;

// Claims that no node stands for yet.
ptrdiff_t without_node(const cluster::State& state) {
  return std::ranges::count_if(state.node_claims(), [&](const auto& entry) {
    const std::string& id = entry.second.provider_id;
    return id.empty() || state.node_by_provider_id(id) == nullptr;
  });
}

// A pod that stays pending is looked at again this often (karpenter.md 2.1).
constexpr Duration kRetry = seconds(10);

bool awaits_launch(const cluster::State& state) {
  return std::any_of(state.node_claims().begin(), state.node_claims().end(), [](const auto& entry) {
    return entry.second.provider_id.empty() && !entry.second.meta.deleted;
  });
}

}  // namespace

void ProvisioningController::touched(const cluster::Change& change, const cluster::State& state,
                                     std::vector<std::string>& keys) {
  if (change.kind == Kind::kNodePool || change.kind == Kind::kLaunchResult) keys.emplace_back();
  if (change.kind == Kind::kNodeClaim && change.removed) keys.emplace_back();
  if (change.kind == Kind::kNode && !change.removed) {
    if (state.nodes_going().contains(change.key)) keys.emplace_back();
  }
  if (change.kind == Kind::kPod && !change.removed) {
    const api::Pod* pod = state.pods().find(change.key);
    if (pod != nullptr && pod->unschedulable_since && pod->spec.node_name.empty()) {
      keys.emplace_back();
    }
  }
}

std::optional<Instant> ProvisioningController::batch_deadline(
    const std::vector<const api::Pod*>& pending, Instant now) {
  if (pending.empty()) {
    seen_.clear();
    batch_first_.reset();
    return std::nullopt;
  }
  std::map<std::string, Instant> seen;
  for (const api::Pod* pod : pending) {
    const auto it = seen_.find(pod->meta.uid);
    // A pod that is asked for again after the retry period opens a new window, a new pod does so
    // at once; the same pod within the window does not extend it.
    const bool fresh = it == seen_.end() || now - it->second >= kRetry;
    seen.emplace(pod->meta.uid, fresh ? now : it->second);
    if (fresh) {
      if (!batch_first_) batch_first_ = now;
      batch_last_ = now;
    }
  }
  seen_ = std::move(seen);
  if (!batch_first_) return now + kRetry;
  return std::min(*batch_first_ + options_.batch_max, batch_last_ + options_.batch_idle);
}

Outcome ProvisioningController::reconcile(const std::string&, const cluster::State& state,
                                          Instant now) {
  Outcome out;
  std::vector<const api::Pod*> pods = pending_pods(state);
  const std::vector<const api::Pod*> moving = pods_on_deleting_nodes(state, now);
  pods.insert(pods.end(), moving.begin(), moving.end());
  const std::optional<Instant> deadline = batch_deadline(pods, now);
  if (!deadline) return out;
  if (now < *deadline) {
    out.requeue_at = *deadline;
    return out;
  }
  // Karpenter solves only on a synced state: a claim without an instance has no known size yet.
  // Its launch result brings us back.
  if (awaits_launch(state) && !options_.shape) {
    out.requeue_at = now + kRetry;
    return out;
  }
  batch_first_.reset();
  scheduling::Problem problem = cluster_problem(state, offerings_, now);
  problem.pods = pods;
  if (options_.shape) options_.shape(problem, state, now);
  const scheduling::Plan plan = scheduling::solve(problem);
  for (const scheduling::Placement& placement : plan.placements) {
    nominations_->until[placement.node] = now + kNominationWindow;
  }
  create_claims(plan, state, now, out);
  explain_unschedulable(plan, out);
  out.requeue_at = now + kRetry;
  return out;
}

void ProvisioningController::create_claims(const scheduling::Plan& plan,
                                           const cluster::State& state, Instant now, Outcome& out) {
  for (const scheduling::NewClaim& wanted : plan.claims) {
    const api::NodePool& pool = state.node_pools().at(wanted.pool);
    api::NodeClaim claim = scheduling::to_node_claim(wanted, pool);
    claim.meta.name = claim_name(wanted.pool, names_, state);
    claim.meta.uid = "claim-" + claim.meta.name;
    claim.meta.created = now;
    nominations_->until[claim.meta.name] = now + kNominationWindow;
    std::vector<std::string> types;
    for (size_t i = 0; i < std::min<size_t>(wanted.types.size(), 3); ++i) {
      types.push_back(wanted.types[i]->name);
    }
    out.decisions.push_back(
        {"NodeClaim/" + claim.meta.name,
         "create",
         {{"pods", join(wanted.pods, ", ")}, {"requests", api::to_string(wanted.requests)}},
         fmt::format("{} type{}, cheapest {} at ${:.4f}/h", wanted.types.size(),
                     wanted.types.size() == 1 ? "" : "s", types.empty() ? "none" : types.front(),
                     wanted.usd_per_hour),
         {fmt::format("{} pod{} found no room on {} nodes and {} on their way", wanted.pods.size(),
                      wanted.pods.size() == 1 ? "" : "s", state.nodes().size(),
                      without_node(state)),
          fmt::format("pool {}: {}", wanted.pool, join(types, ", "))}});
    out.actions.push_back(PutObject{std::move(claim)});
  }
}

void ProvisioningController::explain_unschedulable(const scheduling::Plan& plan, Outcome& out) {
  std::map<std::string, std::string> told;
  for (const scheduling::Unschedulable& pod : plan.unschedulable) {
    const std::string why = join(pod.reasons, "; ");
    const auto before = told_.find(pod.pod);
    if (before == told_.end() || before->second != why) {
      out.decisions.push_back({"Pod/" + pod.pod, "unschedulable", {}, "no node", pod.reasons});
    }
    told[pod.pod] = why;
  }
  told_ = std::move(told);
}

}  // namespace windlass::controllers

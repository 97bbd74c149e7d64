#include "controllers/disruption.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace windlass::controllers {
namespace {

using cluster::Kind;

constexpr Duration kReplacementTimeout = minutes(10);
constexpr Duration kLookAnyway = minutes(5);  // the longest a quiet cluster is not looked at

}  // namespace

void DisruptionController::touched(const cluster::Change& change, const cluster::State&,
                                   std::vector<std::string>& keys) {
  moved_ |= change.kind == Kind::kPod || change.kind == Kind::kNode ||
            change.kind == Kind::kNodeClaim || change.kind == Kind::kNodePool;
  // Only a running replacement is followed by events; all else is the poll's.
  const bool concerns = change.kind == Kind::kNodeClaim && !running_.empty();
  if (concerns) keys.emplace_back();
}

void DisruptionController::start(const cluster::State&, std::vector<std::string>& keys) {
  keys.emplace_back();
}

bool DisruptionController::quiet(const cluster::State& state, Instant now) const {
  if (moved_ || !no_op_ || now - *no_op_ >= kLookAnyway) return false;
  // A node that has rested for its pool's consolidateAfter since then has moved, too.
  for (const disruption::Candidate& node : candidates(state, *nominations_, now)) {
    const api::NodePool* pool = state.node_pools().find(node.pool);
    if (pool == nullptr) continue;
    const auto ripe = disruption::consolidatable_at(node, *pool);
    if (ripe && *ripe > *no_op_ && *ripe <= now) return false;
  }
  return true;
}

disruption::Proposal DisruptionController::propose(const cluster::State& state, Instant now) {
  disruption::Cluster cluster;
  cluster.nodes = candidates(state, *nominations_, now);
  cluster.scheduling = cluster_problem(state, offerings_, now);
  cluster.scheduling.pods = pending_pods(state);
  if (options_.narrow) options_.narrow(cluster.scheduling, state, now);
  for (const auto& [key, budget] : state.budgets()) cluster.budgets.push_back(&budget);
  for (const auto& [key, pod] : state.pods()) cluster.all_pods.push_back(&pod);
  return disruption::propose(cluster, now,
                             options_.weigh ? options_.weigh(state, now) : disruption::Options{});
}

void DisruptionController::taint(const std::string& claim_name, bool on,
                                 const cluster::State& state, Outcome& out) {
  const api::NodeClaim* claim = state.node_claims().find(claim_name);
  if (claim == nullptr) return;
  const api::Node* node = state.node_by_provider_id(claim->provider_id);
  if (node == nullptr) return;
  api::Node marked = *node;
  std::erase_if(marked.taints, [](const api::Taint& t) { return t.key == api::kDisruptedTaint; });
  if (on) marked.taints.push_back({std::string(api::kDisruptedTaint), "", "NoSchedule"});
  out.actions.push_back(PutObject{std::move(marked)});
}

void DisruptionController::execute(const disruption::Command& command, const cluster::State& state,
                                   Instant now, Outcome& out) {
  Running running{command, "", now};
  for (const std::string& claim : command.claims) taint(claim, true, state, out);
  std::string result = fmt::format("delete {}", join(command.claims, ", "));
  if (command.replacement) {
    const api::NodePool& pool = state.node_pools().at(command.replacement->pool);
    api::NodeClaim claim = scheduling::to_node_claim(*command.replacement, pool);
    claim.meta.name = claim_name(pool.meta.name + "-r", names_, state);
    claim.meta.uid = "claim-" + claim.meta.name;
    claim.meta.created = now;
    running.replacement = claim.meta.name;
    nominations_->until[claim.meta.name] = now + kNominationWindow;
    result = fmt::format("replace {} by {}", join(command.claims, ", "), claim.meta.name);
    out.actions.push_back(PutObject{std::move(claim)});
  }
  out.decisions.push_back(
      {"NodeClaim/" + join(command.claims, ","),
       std::string(disruption::to_string(command.method)),
       {{"usd_per_hour_before", fmt::format("{:.4f}", command.usd_per_hour_before)},
        {"usd_per_hour_after", fmt::format("{:.4f}", command.usd_per_hour_after)}},
       result,
       {command.why}});
  running_.push_back(std::move(running));
}

// Replacement up: delete the old nodes. Replacement gone or too late: leave them as they were.
void DisruptionController::follow(const cluster::State& state, Instant now, Outcome& out) {
  std::erase_if(running_, [&](const Running& running) {
    // Its replacement was only just asked for and is not in the state yet.
    if (running.began == now && !running.replacement.empty()) return false;
    const bool replaces = !running.replacement.empty();
    const api::NodeClaim* replacement =
        replaces ? state.node_claims().find(running.replacement) : nullptr;
    const bool up = replacement != nullptr && api::is_true(replacement->conditions, "Initialized");
    if (!replaces || up) {
      for (const std::string& claim : running.command.claims) {
        out.actions.push_back(DeleteObject{
            Kind::kNodeClaim, claim, std::string(disruption::to_string(running.command.method))});
      }
      return true;
    }
    if (replacement != nullptr && now - running.began < kReplacementTimeout) return false;
    for (const std::string& claim : running.command.claims) taint(claim, false, state, out);
    out.decisions.push_back({"NodeClaim/" + join(running.command.claims, ","),
                             "abandon",
                             {},
                             "left as they were",
                             {replacement == nullptr ? "the replacement could not be launched"
                                                     : "the replacement did not come up in 10m"}});
    return true;
  });
}

Outcome DisruptionController::reconcile(const std::string&, const cluster::State& state,
                                        Instant now) {
  Outcome out;
  follow(state, now, out);
  if (awaiting_ && now >= validate_at_) {
    // Asked again with 15 s gone: only the same nodes, or fewer of them, may go.
    const disruption::Proposal again = propose(state, now);
    const disruption::Command first = *std::exchange(awaiting_, std::nullopt);
    const auto still = std::find_if(
        again.commands.begin(), again.commands.end(), [&](const disruption::Command& c) {
          return c.method == first.method && c.claims == first.claims &&
                 c.replacement.has_value() == first.replacement.has_value();
        });
    if (still != again.commands.end()) execute(*still, state, now, out);
    next_pass_ = now;
  } else if (!awaiting_ && now >= next_pass_) {
    next_pass_ = now + options_.poll;
    disruption::Proposal proposal;
    if (!quiet(state, now)) {
      moved_ = false;
      proposal = propose(state, now);
      no_op_ = proposal.commands.empty() ? std::optional(now) : std::nullopt;
    }
    if (!proposal.commands.empty()) {
      awaiting_ = std::move(proposal.commands.front());
      validate_at_ = now + options_.validation_wait;
    }
  }
  // A delete-only command was queued by execute() just now: carry it out with this reconcile.
  follow(state, now, out);
  out.requeue_at = awaiting_ ? validate_at_ : next_pass_;
  return out;
}

}  // namespace windlass::controllers

#include "controllers/disruption.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "controllers/disruption_view.h"

namespace windlass::controllers {
namespace {

using cluster::Kind;

constexpr size_t kMostRunning = 100;
constexpr size_t kLeastSimulations = 5;
constexpr Duration kLookAnyway = minutes(5);  // the longest a quiet cluster is not looked at

// How long replacements may take: longer where many are on their way at once.
Duration replacement_timeout(size_t running) {
  const Duration wait = milliseconds(80) * static_cast<int64_t>(running);
  return std::clamp(wait, minutes(10), hours(1));
}

}  // namespace

void DisruptionController::touched(const cluster::Change& change, const cluster::State&,
                                   std::vector<std::string>& keys) {
  if (change.readiness_only) return;  // moves nothing (karpenter.md 4.1)
  moved_ |= change.kind == Kind::kPod || change.kind == Kind::kNode ||
            change.kind == Kind::kNodeClaim || change.kind == Kind::kNodePool ||
            change.kind == Kind::kNodeClass || change.kind == Kind::kPodDisruptionBudget;
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
  for (const auto& [name, claim] : state.node_claims()) {
    const api::NodePool* pool = state.node_pools().find(claim.pool());
    if (pool == nullptr) continue;
    disruption::Candidate rest;
    note_rest(claim, rest);
    const auto ripe = disruption::consolidatable_at(rest, *pool);
    if (!ripe || *ripe <= *no_op_ || *ripe > now) continue;
    if (state.node_by_provider_id(claim.provider_id) != nullptr) return false;
  }
  // So has one that pods were promised to at the last look: Karpenter leaves such nodes out of
  // the candidates, and without candidates it remembers nothing.
  return std::ranges::none_of(nominations_->until, [&](const auto& promise) {
    if (promise.second <= *no_op_ || promise.second > now) return false;
    const api::NodeClaim* claim = state.node_claims().find(promise.first);
    if (claim == nullptr) claim = state.claim_of_node(promise.first);
    return claim != nullptr && state.node_pools().find(claim->pool()) != nullptr &&
           state.node_by_provider_id(claim->provider_id) != nullptr;
  });
}

disruption::Cluster DisruptionController::look(const cluster::State& state, Instant now) {
  disruption::Cluster cluster = disruption_cluster(state, *nominations_, offerings_, now);
  if (options_.narrow) options_.narrow(cluster.scheduling, state, now);
  return cluster;
}

disruption::Options DisruptionController::weigh(const cluster::State& state, Instant now) const {
  disruption::Options options = options_.weigh ? options_.weigh(state, now) : disruption::Options{};
  if (options_.most_work == 0) return options;
  options.most_simulations =
      std::max(kLeastSimulations, options_.most_work / std::max<size_t>(state.nodes().size(), 1));
  options.first_turn = next_turn_;
  return options;
}

void DisruptionController::mark(const disruption::Command& command, bool on,
                                const cluster::State& state, Instant now, Outcome& out) {
  const std::string word(disruption::budget_word(command.method));
  for (const std::string& name : command.claims) {
    const api::NodeClaim* claim = state.node_claims().find(name);
    if (claim == nullptr) continue;
    api::NodeClaim told = *claim;
    if (api::set_condition(told.conditions,
                           {"DisruptionReason", on ? "True" : "False", on ? word : "Abandoned",
                            on ? command.why : "", now})) {
      out.actions.push_back(PutObject{std::move(told)});
    }
    const api::Node* node = state.node_by_provider_id(claim->provider_id);
    if (node == nullptr) continue;
    api::Node marked = *node;
    std::erase_if(marked.taints, [](const api::Taint& t) { return t.key == api::kDisruptedTaint; });
    if (on) marked.taints.push_back({std::string(api::kDisruptedTaint), "", "NoSchedule"});
    out.actions.push_back(PutObject{std::move(marked)});
  }
}

void DisruptionController::execute(const disruption::Command& command, const cluster::State& state,
                                   Instant now, Outcome& out) {
  Running running{command, {}, now};
  mark(command, true, state, now, out);
  std::string result = fmt::format("delete {}", join(command.claims, ", "));
  for (const scheduling::NewClaim& wanted : command.replacements) {
    const api::NodePool& pool = state.node_pools().at(wanted.pool);
    api::NodeClaim claim = scheduling::to_node_claim(wanted, pool);
    claim.meta.name = claim_name(pool.meta.name + "-r", names_, state);
    claim.meta.uid = "claim-" + claim.meta.name;
    claim.meta.created = now;
    running.replacements.push_back(claim.meta.name);
    nominations_->until[claim.meta.name] = now + kNominationWindow;
    out.actions.push_back(PutObject{std::move(claim)});
  }
  if (!running.replacements.empty()) {
    result = fmt::format("replace {} by {}", join(command.claims, ", "),
                         join(running.replacements, ", "));
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

// All replacements up: delete the old nodes. One gone, or too late: leave them as they were.
void DisruptionController::follow(const cluster::State& state, Instant now, Outcome& out) {
  const Duration timeout = replacement_timeout(running_.size());
  std::erase_if(running_, [&](const Running& running) {
    // Its replacements were only just asked for and are not in the state yet.
    if (running.began == now && !running.replacements.empty()) return false;
    bool gone = false;
    bool up = true;
    for (const std::string& name : running.replacements) {
      const api::NodeClaim* replacement = state.node_claims().find(name);
      gone |= replacement == nullptr || replacement->meta.deleted.has_value();
      up &= replacement != nullptr && api::is_true(replacement->conditions, "Initialized");
    }
    if (up && !gone) {
      for (const std::string& claim : running.command.claims) {
        out.actions.push_back(DeleteObject{
            Kind::kNodeClaim, claim, std::string(disruption::to_string(running.command.method))});
      }
      return true;
    }
    if (!gone && now - running.began < timeout) return false;
    mark(running.command, false, state, now, out);
    out.decisions.push_back(
        {"NodeClaim/" + join(running.command.claims, ","),
         "abandon",
         {},
         "left as they were",
         {gone ? "a replacement could not be launched"
               : fmt::format("a replacement did not come up in {}", to_string(timeout))}});
    return true;
  });
}

Outcome DisruptionController::reconcile(const std::string&, const cluster::State& state,
                                        Instant now) {
  Outcome out;
  follow(state, now, out);
  if (awaiting_ && now >= validate_at_) {
    const disruption::Waiting waiting = *std::exchange(awaiting_, std::nullopt);
    disruption::Validation second =
        disruption::validate(look(state, now), waiting, now, weigh(state, now));
    if (second.command) execute(*second.command, state, now, out);
    next_pass_ = now;
  } else if (!awaiting_ && now >= next_pass_) {
    next_pass_ = now + options_.poll;
    disruption::Proposal proposal;
    if (running_.size() < kMostRunning && !quiet(state, now)) {
      moved_ = false;
      proposal = disruption::propose(look(state, now), now, weigh(state, now));
      next_turn_ = proposal.next_turn;
      const bool idle = proposal.commands.empty() && next_turn_.empty();
      no_op_ = idle ? std::optional(now) : std::nullopt;
    }
    if (!proposal.commands.empty()) {
      awaiting_ = disruption::hold(std::move(proposal.commands.front()));
      validate_at_ = now + options_.validation_wait;
    }
  }
  // A delete-only command was queued by execute() just now: carry it out with this reconcile.
  follow(state, now, out);
  out.requeue_at = awaiting_ ? validate_at_ : next_pass_;
  return out;
}

}  // namespace windlass::controllers

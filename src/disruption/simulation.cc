#include "disruption/simulation.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "scheduling/cost_plan.h"

namespace windlass::disruption {
namespace {

constexpr std::string_view kSettlingTaint = "windlass.dev/inside-consolidate-after";

api::Taint settling_taint() { return {std::string(kSettlingTaint), "", "NoSchedule"}; }

api::Toleration toleration_of(const api::Taint& taint) {
  api::Toleration toleration;
  toleration.key = taint.key;
  toleration.value = taint.value;
  toleration.effect = taint.effect;
  return toleration;
}

api::Pod unbound(const api::Pod& pod) {
  api::Pod copy = pod;
  copy.spec.node_name.clear();
  copy.nominated_node.clear();
  copy.phase = api::PodPhase::kPending;
  copy.scheduled_at.reset();
  copy.raw.reset();
  return copy;
}

// What a toleration of everything comes to where `taints` are all there is.
std::vector<api::Toleration> spelled_out(const std::vector<api::Toleration>& tolerations,
                                         const std::vector<api::Taint>& taints) {
  std::vector<api::Toleration> result;
  for (const api::Toleration& toleration : tolerations) {
    if (!toleration.tolerates(settling_taint())) {
      result.push_back(toleration);
      continue;
    }
    for (const api::Taint& taint : taints) {
      if (toleration.tolerates(taint)) result.push_back(toleration_of(taint));
    }
  }
  return result;
}

// The one place where an objective chooses its solver.
scheduling::Plan plan_replacements(const scheduling::Problem& problem, Objective objective) {
  if (objective == Objective::kCost) return scheduling::solve_for_cost(problem).plan;
  return scheduling::solve(problem);
}

}  // namespace

Simulation::Simulation(const Cluster& cluster, const std::vector<NodeView>& nodes,
                       const EvictionLimits& limits, Instant now)
    : cluster_(cluster), nodes_(nodes), limits_(limits), now_(now) {}

void Simulation::prepare() {
  if (std::exchange(prepared_, true)) return;
  seat_.resize(nodes_.size());
  moved_.resize(nodes_.size());
  for (const scheduling::Pool& pool : cluster_.scheduling.pools) {
    if (pool.pool != nullptr && pool.types != nullptr) pools_.push_back(pool);
  }
  problem_.pools = pools_;
  problem_.daemon_sets = cluster_.scheduling.daemon_sets;
  problem_.claim_requirements = cluster_.scheduling.claim_requirements;
  problem_.surroundings = cluster_.scheduling.surroundings;
  problem_.settings = cluster_.scheduling.settings;
  problem_.settings.strict_reservations = false;  // fallback mode (karpenter.md 2.7)
  take_nodes();
  take_pods_that_move_anyway(limits_, now_);
  if (any_settling_) admit_to_settling_nodes();
}

void Simulation::take_nodes() {
  std::map<std::string_view, size_t> by_name;
  std::map<std::string_view, size_t> by_claim;
  for (size_t i = 0; i < nodes_.size(); ++i) {
    by_name.emplace(nodes_[i].node->node, i);
    if (!nodes_[i].node->claim.empty()) by_claim.emplace(nodes_[i].node->claim, i);
  }
  std::vector<std::pair<const scheduling::ExistingNode*, std::optional<size_t>>> staying;
  for (const scheduling::ExistingNode& node : cluster_.scheduling.nodes) {
    std::optional<size_t> view;
    if (const auto found = by_claim.find(node.claim); found != by_claim.end()) {
      view = found->second;
    } else if (const auto named = by_name.find(node.name); named != by_name.end()) {
      view = named->second;
    }
    if (view && nodes_[*view].node->deleting) continue;
    staying.emplace_back(&node, view);
  }
  std::sort(staying.begin(), staying.end(), [](const auto& a, const auto& b) {
    return std::tuple(!a.first->initialized, std::string_view(a.first->name)) <
           std::tuple(!b.first->initialized, std::string_view(b.first->name));
  });
  for (const auto& [node, view] : staying) {
    if (view) seat_[*view] = problem_.nodes.size();
    problem_.nodes.push_back(*node);
    if (!node->initialized) uninitialized_.insert(node->name);
    if (view && nodes_[*view].settling) {
      any_settling_ = true;
      problem_.nodes.back().taints.push_back(settling_taint());
    }
  }
}

void Simulation::take_pods_that_move_anyway(const EvictionLimits& limits, Instant now) {
  // By key, since the caller may count the pods of going nodes among the pending ones already.
  std::map<std::string, const api::Pod*> going;
  for (const NodeView& view : nodes_) {
    if (!view.node->deleting) continue;
    for (const api::Pod* pod : view.pods) {
      // These will not be evicted for now, so they need no place yet.
      if (limits.never_evictable(*pod) || !do_not_disrupt(*pod, now).empty()) continue;
      going.emplace(pod->meta.key(), pod);
    }
  }
  for (const api::Pod* pod : cluster_.scheduling.pods) {
    std::string key = pod->meta.key();
    if (going.contains(key)) continue;
    problem_.pods.push_back(pod);
    pending_.insert(std::move(key));
  }
  for (const auto& [key, pod] : going) {
    pods_.push_back(unbound(*pod));
    problem_.pods.push_back(&pods_.back());
  }
  std::sort(problem_.pods.begin(), problem_.pods.end(), [](const api::Pod* a, const api::Pod* b) {
    return std::tie(a->meta.namespace_name, a->meta.name) <
           std::tie(b->meta.namespace_name, b->meta.name);
  });
}

void Simulation::admit_to_settling_nodes() {
  for (const scheduling::ExistingNode& node : problem_.nodes) {
    for (const api::Taint& taint : node.taints) {
      if (taint.key != kSettlingTaint) taints_.push_back(taint);
    }
  }
  for (const scheduling::Pool& pool : pools_) {
    taints_.insert(taints_.end(), pool.pool->taints.begin(), pool.pool->taints.end());
  }
  const auto parts = [](const api::Taint& t) { return std::tie(t.key, t.value, t.effect); };
  std::sort(taints_.begin(), taints_.end(),
            [&](const api::Taint& a, const api::Taint& b) { return parts(a) < parts(b); });
  taints_.erase(std::unique(taints_.begin(), taints_.end()), taints_.end());

  for (const api::Pod*& pod : problem_.pods) {
    pods_.push_back(*pod);
    pods_.back().spec.tolerations.push_back(toleration_of(settling_taint()));
    pod = &pods_.back();
  }
  // Else the daemons that such a node is still to get would not be reserved room for.
  for (const api::DaemonSet*& set : problem_.daemon_sets) {
    daemon_sets_.push_back(*set);
    daemon_sets_.back().pod_template.spec.tolerations.push_back(toleration_of(settling_taint()));
    set = &daemon_sets_.back();
  }
}

const api::Pod* Simulation::moved(const api::Pod& pod) {
  pods_.push_back(unbound(pod));
  if (any_settling_) {
    auto& tolerations = pods_.back().spec.tolerations;
    tolerations = spelled_out(tolerations, taints_);
  }
  return &pods_.back();
}

const std::vector<const api::Pod*>& Simulation::moved_pods(size_t node) {
  if (!moved_[node]) {
    moved_[node].emplace();
    for (const api::Pod* pod : nodes_[node].pods) moved_[node]->push_back(moved(*pod));
  }
  return *moved_[node];
}

void Simulation::give_back_limits(const NodeView& view) {
  if (view.type == nullptr) return;
  for (scheduling::Pool& pool : problem_.pools) {
    if (pool.pool->meta.name != view.node->pool) continue;
    api::ResourceList capacity = view.type->capacity;
    capacity.set("nodes", 1000);
    for (const auto& [name, milli] : capacity) {
      if (!pool.used.has(name)) continue;
      pool.used.set(name, std::max<int64_t>(0, pool.used.milli(name) - milli));
    }
  }
}

Simulation::Outcome Simulation::without(std::span<const size_t> removed, size_t most_claims,
                                        Objective objective) {
  prepare();
  const size_t standing_pods = problem_.pods.size();
  std::set<std::string> moving;
  std::vector<size_t> seats;
  for (const size_t i : removed) {
    if (seat_[i]) seats.push_back(*seat_[i]);
    give_back_limits(nodes_[i]);
    for (const api::Pod* pod : moved_pods(i)) {
      problem_.pods.push_back(pod);
      moving.insert(pod->meta.key());
    }
  }
  // Taken out and put back, not copied: the nodes that stay are the bulk of the problem.
  std::sort(seats.begin(), seats.end());
  std::vector<scheduling::ExistingNode> aside;
  for (auto seat = seats.rbegin(); seat != seats.rend(); ++seat) {
    const auto at = problem_.nodes.begin() + static_cast<std::ptrdiff_t>(*seat);
    aside.push_back(std::move(*at));
    problem_.nodes.erase(at);
  }
  scheduling::Plan plan = plan_replacements(problem_, objective);
  for (const size_t seat : seats) {
    problem_.nodes.insert(problem_.nodes.begin() + static_cast<std::ptrdiff_t>(seat),
                          std::move(aside.back()));
    aside.pop_back();
  }
  problem_.pods.resize(standing_pods);
  problem_.pools = pools_;
  return judge(std::move(plan), moving, most_claims);
}

Simulation::Outcome Simulation::judge(scheduling::Plan plan, const std::set<std::string>& moving,
                                      size_t most_claims) const {
  const scheduling::Unschedulable* first = nullptr;
  size_t homeless = 0;
  for (const scheduling::Unschedulable& pod : plan.unschedulable) {
    if (pending_.contains(pod.pod)) continue;
    if (homeless++ == 0) first = &pod;
  }
  if (first != nullptr) {
    return {fmt::format("{} pods would not fit elsewhere: {}: {}", homeless, first->pod,
                        join(first->reasons, "; ")),
            {}};
  }
  for (const scheduling::Placement& placement : plan.placements) {
    if (!moving.contains(placement.pod) || !uninitialized_.contains(placement.node)) continue;
    return {fmt::format("pod {} would need node {}, which is not initialized yet", placement.pod,
                        placement.node),
            {}};
  }
  if (plan.claims.size() > most_claims) {
    return {fmt::format("would need {} new nodes, and at most {} is allowed", plan.claims.size(),
                        most_claims),
            {}};
  }
  return {{}, std::move(plan.claims)};
}

}  // namespace windlass::disruption

#include "controllers/cluster_view.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/hash.h"
#include "disruption/drift.h"
#include "disruption/pod_disruption.h"

namespace windlass::controllers {
namespace {

// Taints that go away by themselves while a node starts (karpenter.md 3).
bool is_ephemeral(const api::Taint& taint) {
  return taint.key == "node.kubernetes.io/not-ready" ||
         taint.key == "node.kubernetes.io/unreachable" ||
         taint.key == "node.cloudprovider.kubernetes.io/uninitialized" ||
         taint.key == api::kUnregisteredTaint || taint.key.starts_with("readiness.k8s.io/");
}

bool is_startup(const api::Taint& taint, const api::NodeClaim& claim) {
  return std::find(claim.startup_taints.begin(), claim.startup_taints.end(), taint) !=
         claim.startup_taints.end();
}

scheduling::ExistingNode of_node(const cluster::State& state, const api::Node& node,
                                 const api::NodeClaim* claim) {
  scheduling::ExistingNode out;
  out.name = node.meta.name;
  out.labels = api::BorrowedLabels::of(node.meta.labels);
  const cluster::State::Load& load = state.load_of(node.meta.name);
  out.available = node.allocatable - load.requests;
  out.pods = load.pods;
  out.daemons_running = load.of_daemons;
  if (const api::CsiNode* drivers = state.all<api::CsiNode>().find(node.meta.name)) {
    out.attach_limits = drivers->attach_limits;
  }
  if (claim == nullptr) {
    out.initialized = api::is_true(node.conditions, "Ready");
    out.taints = node.taints;
    return out;
  }
  out.claim = claim->meta.name;
  out.pool = claim->pool();
  out.initialized = api::is_true(claim->conditions, "Initialized");
  for (const api::Taint& taint : node.taints) {
    if (!out.initialized && (is_ephemeral(taint) || is_startup(taint, *claim))) continue;
    out.taints.push_back(taint);
  }
  if (!out.initialized) {
    // What the node does not report yet (the GPUs, before their plugin) is taken from the claim.
    for (const auto& [name, milli] : claim->allocatable) {
      if (node.allocatable.milli(name) == 0) {
        out.available.set(name, out.available.milli(name) + milli);
      }
    }
  }
  return out;
}

// A claim whose node has not come. Before the launch its type is open, so it counts for what was
// asked of it and no more.
scheduling::ExistingNode of_claim(const api::NodeClaim& claim) {
  scheduling::ExistingNode out;
  out.name = claim.meta.name;
  out.claim = claim.meta.name;
  out.pool = claim.pool();
  api::StringMap labels = claim.meta.labels;
  labels.emplace(api::kHostnameLabel, claim.meta.name);
  labels.merge(api::Requirements::from_specs(claim.requirements).labels());
  out.labels = std::move(labels);
  out.taints = claim.taints;
  out.available = claim.allocatable.empty() ? claim.requests : claim.allocatable;
  return out;
}

template <typename T>
std::vector<const T*> pointers(const cluster::Table<T>& table) {
  std::vector<const T*> out;
  for (const auto& [key, object] : table) out.push_back(&object);
  return out;
}

void count_use(const api::NodeClaim& claim, api::ResourceList& used) {
  used += claim.capacity.empty() ? claim.requests : claim.capacity;
  used += api::ResourceList{{"nodes", 1000}};
}

// USD/h of the claim's own offering; 0 where the catalogue does not have it.
double price_of(const cluster::State& state, const api::NodeClaim& claim) {
  const catalog::InstanceType* type =
      state.types_for(claim.node_class.name).find(claim.instance_type());
  if (type == nullptr) return 0;
  const std::string zone = claim.zone();
  const std::string capacity_type = claim.capacity_type();
  double price = 0;
  for (const catalog::Offering& offering : type->offerings) {
    if (offering.zone == zone && offering.capacity_type == capacity_type) {
      price = offering.usd_per_hour;
    }
  }
  return price;
}

// What can be found out here, or what a Drifted condition says of things that can't (subnets,
// security groups).
void note_drift(const disruption::DriftCheck& check, const api::NodeClaim& claim, Instant now,
                disruption::Candidate& candidate) {
  const api::Condition* condition = api::find_condition(claim.conditions, "Drifted");
  const bool said = condition != nullptr && condition->status == "True";
  if (const auto drift = check.look(claim, now)) {
    candidate.drifted = fmt::format("{}: {}", drift->reason, drift->why);
  } else if (said && !disruption::is_own_drift_reason(condition->reason)) {
    candidate.drifted = condition->reason;
    if (!condition->message.empty()) candidate.drifted += ": " + condition->message;
  }
  if (!candidate.drifted.empty()) candidate.drifted_since = said ? condition->changed : now;
}

}  // namespace

int32_t reservation_in_use(const cluster::State& state, std::string_view reservation_id) {
  int32_t count = 0;
  for (const auto& [key, claim] : state.node_claims()) {
    const auto it = claim.meta.labels.find(api::kReservationIdLabel);
    count += it != claim.meta.labels.end() && it->second == reservation_id ? 1 : 0;
  }
  return count;
}

bool Nominations::holds(const std::string& name, Instant now) const {
  const auto it = until.find(name);
  return it != until.end() && now < it->second;
}

const catalog::Catalog& OfferingView::types(const cluster::State& state, const api::NodePool& pool,
                                            Instant now) {
  std::set<std::string> out;
  for (const auto& [offering, until] : state.unavailable_offerings()) {
    if (now < until) out.insert(offering);
  }
  const api::Ec2NodeClass* node_class = state.node_classes().find(pool.node_class.name);
  std::vector<uint64_t> versions{node_class == nullptr ? 0 : node_class->meta.resource_version};
  const std::vector<const api::NodeOverlay*> overlays = pointers(state.all<api::NodeOverlay>());
  for (const api::NodeOverlay* overlay : overlays) {
    versions.push_back(overlay->meta.resource_version);
  }
  std::map<std::string, int32_t, std::less<>> held;
  if (node_class != nullptr) {
    for (const api::CapacityReservation& reservation : node_class->reservations) {
      const int32_t used = held[reservation.id] = reservation_in_use(state, reservation.id);
      versions.push_back(static_cast<uint64_t>(used));
    }
  }
  const auto [it, fresh] = views_.try_emplace(pool.meta.name);
  View& view = it->second;
  const bool same = !fresh && view.out == out && view.versions == versions &&
                    view.requirements == pool.requirements;
  if (same) return view.catalog;
  const auto requirements = api::Requirements::from_specs(pool.requirements);
  view = {pool.requirements, std::move(versions), std::move(out), {}};
  for (const catalog::InstanceType& type : state.types_for(pool.node_class.name).types) {
    if (!type.requirements.intersects(requirements)) continue;
    view.catalog.types.push_back(type);
    for (catalog::Offering& offering : view.catalog.types.back().offerings) {
      const std::string key =
          cluster::offering_key(type.name, offering.zone, offering.capacity_type);
      offering.available = offering.available && !view.out.contains(key);
      if (offering.reservation_id.empty()) continue;
      offering.reservation_left -= held[offering.reservation_id];
      offering.available = offering.available && offering.reservation_left > 0;
    }
  }
  if (!overlays.empty()) view.catalog = catalog::with_overlays(view.catalog, overlays);
  return view.catalog;
}

scheduling::Problem cluster_problem(const cluster::State& state, OfferingView& offerings,
                                    Instant now) {
  scheduling::Problem problem;
  std::map<std::string, api::ResourceList> used;
  for (const auto& [key, node] : state.nodes()) {
    if (node.unschedulable || state.nodes_going().contains(key)) continue;
    const api::NodeClaim* claim = state.claim_by_provider_id(node.provider_id);
    problem.nodes.push_back(of_node(state, node, claim));
  }
  for (const auto& [key, claim] : state.node_claims()) {
    count_use(claim, used[claim.pool()]);
    const bool has_node =
        !claim.provider_id.empty() && state.node_by_provider_id(claim.provider_id) != nullptr;
    if (!has_node && !claim.meta.deleted) problem.nodes.push_back(of_claim(claim));
  }
  for (const auto& [key, pool] : state.node_pools()) {
    if (pool.meta.deleted || pool.replicas) continue;
    problem.pools.push_back({&pool, &offerings.types(state, pool, now), used[pool.meta.name]});
  }
  problem.daemon_sets = pointers(state.daemon_sets());
  problem.surroundings = {
      pointers(state.all<api::Namespace>()), pointers(state.all<api::PersistentVolumeClaim>()),
      pointers(state.all<api::PersistentVolume>()), pointers(state.all<api::StorageClass>())};
  return problem;
}

void note_rest(const api::NodeClaim& claim, disruption::Candidate& candidate) {
  const api::Condition* initialized = api::find_condition(claim.conditions, "Initialized");
  candidate.initialized = initialized != nullptr && initialized->status == "True";
  if (candidate.initialized) candidate.initialized_at = initialized->changed;
  candidate.last_pod_event = claim.last_pod_event;
}

std::vector<disruption::Candidate> candidates(const cluster::State& state,
                                              const Nominations& nominations, Instant now) {
  std::map<std::string_view, disruption::DriftCheck> drift_checks;
  for (const auto& [key, pool] : state.node_pools()) {
    drift_checks.try_emplace(key, pool, state.node_classes().find(pool.node_class.name),
                             &state.types_for(pool.node_class.name));
  }
  std::vector<disruption::Candidate> out;
  for (const auto& [key, node] : state.nodes()) {
    const api::NodeClaim* claim = state.claim_by_provider_id(node.provider_id);
    if (claim == nullptr) continue;  // not ours
    disruption::Candidate candidate;
    candidate.node = node.meta.name;
    candidate.claim = claim->meta.name;
    candidate.pool = claim->pool();
    candidate.instance_type = claim->instance_type();
    candidate.capacity_type = claim->capacity_type();
    candidate.zone = claim->zone();
    candidate.usd_per_hour = price_of(state, *claim);
    note_rest(*claim, candidate);
    candidate.deleting = state.nodes_going().contains(key);
    candidate.terminating = api::is_true(claim->conditions, "InstanceTerminating");
    candidate.nominated =
        nominations.holds(node.meta.name, now) || nominations.holds(claim->meta.name, now);
    candidate.ready = api::is_true(node.conditions, "Ready");
    candidate.created = claim->meta.created;
    candidate.termination_grace = claim->termination_grace;
    if (const auto check = drift_checks.find(candidate.pool); check != drift_checks.end()) {
      note_drift(check->second, *claim, now, candidate);
    }
    const auto mark = node.meta.annotations.find(api::kDoNotDisrupt);
    candidate.do_not_disrupt = mark != node.meta.annotations.end() && mark->second == "true";
    candidate.pods = state.load_of(node.meta.name).pods;
    out.push_back(std::move(candidate));
  }
  return out;
}

std::vector<const api::Pod*> pending_pods(const cluster::State& state) {
  std::vector<const api::Pod*> out;
  for (const std::string& key : state.unbound_pods()) {
    const api::Pod& pod = state.pods().at(key);
    if (!pod.unschedulable_since || pod.meta.deleted || pod.daemon()) continue;
    // A pod that preempts waits for its victims to go, not for a node.
    if (!pod.nominated_node.empty()) continue;
    out.push_back(&pod);
  }
  return out;
}

std::vector<const api::Pod*> pods_on_deleting_nodes(const cluster::State& state, Instant now) {
  std::vector<const api::Pod*> on_them;
  for (const std::string& name : state.nodes_going()) {
    for (const std::string& key : state.pods_on(name)) on_them.push_back(&state.pods().at(key));
  }
  if (on_them.empty()) return on_them;
  std::vector<const api::PodDisruptionBudget*> budgets;
  for (const auto& [key, budget] : state.budgets()) budgets.push_back(&budget);
  // Whether a budget never allows anything stands in itself: no pods need be counted.
  const disruption::EvictionLimits limits(budgets, {});
  std::erase_if(on_them, [&](const api::Pod* pod) {
    return pod->terminal() || pod->meta.owners.empty() || !disruption::reschedulable(*pod) ||
           !disruption::do_not_disrupt(*pod, now).empty() || limits.never_evictable(*pod);
  });
  return on_them;
}

std::string claim_name(const std::string& pool, uint64_t& counter, const cluster::State& state) {
  // Kubernetes' alphabet for generated names: no vowels, so no words.
  static constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  while (true) {
    Hash64 hash;
    hash.add(pool);
    hash.add(++counter);
    if (state.opened() != 0) hash.add(state.opened());
    uint64_t bits = hash.value();
    std::string name = pool + "-";
    for (int i = 0; i < 5; ++i) {
      name += kLetters[bits % kLetters.size()];
      bits /= kLetters.size();
    }
    if (state.node_claims().find(name) == nullptr) return name;
  }
}

}  // namespace windlass::controllers

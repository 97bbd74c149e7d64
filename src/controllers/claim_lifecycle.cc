#include "controllers/claim_lifecycle.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/hash.h"
#include "disruption/drift.h"

namespace windlass::controllers {
namespace {

using cluster::Kind;

constexpr Duration kLaunchTimeout = minutes(5);
constexpr Duration kRegistrationTimeout = minutes(15);
constexpr Duration kMaxBackoff = seconds(60);
constexpr Duration kPodEventDedupe = seconds(10);
constexpr Duration kDriftCheck = minutes(5);
constexpr Duration kStampEvery = milliseconds(20);
constexpr Duration kStampBurst = seconds(2);  // a hundred may go at once
constexpr size_t kMaxFleetTypes = 60;  // CreateFleet's overrides are cut to the cheapest 60 types

bool mark(api::NodeClaim& claim, std::string_view type, bool value, std::string_view reason,
          std::string_view message, Instant now) {
  return api::set_condition(claim.conditions, {std::string(type), value ? "True" : "False",
                                               std::string(reason), std::string(message), now});
}

int launch_rank(const LaunchOffer& offer) {
  if (offer.capacity_type == api::kReserved) return 0;
  return offer.capacity_type == api::kSpot ? 1 : 2;
}

// Not a reserved offering, or one of a reservation the claim may take that has instances left.
bool reservation_open(const catalog::Offering& offering, const api::Requirements& requirements,
                      const cluster::State& state) {
  if (offering.reservation_id.empty()) return true;
  return requirements.get(api::kReservationIdLabel).has(offering.reservation_id) &&
         offering.reservation_left > reservation_in_use(state, offering.reservation_id);
}

// Reserved before spot before on-demand where the claim allows (karpenter.md 3: reserved, spot,
// on-demand); within one capacity type the cheapest first.
std::vector<LaunchOffer> offers_for(const api::NodeClaim& claim, const cluster::State& state,
                                    Instant now) {
  const auto requirements = api::Requirements::from_specs(claim.requirements);
  std::vector<LaunchOffer> offers;
  for (const catalog::InstanceType& type : state.types_for(claim.node_class.name).types) {
    if (!requirements.get(api::kInstanceTypeLabel).has(type.name)) continue;
    if (!type.requirements.intersects(requirements)) continue;
    if (!claim.requests.fits(type.allocatable)) continue;
    for (const catalog::Offering& offering : type.offerings) {
      if (!reservation_open(offering, requirements, state)) continue;
      const bool allowed =
          offering.available && requirements.get(api::kZoneLabel).has(offering.zone) &&
          requirements.get(api::kCapacityTypeLabel).has(offering.capacity_type) &&
          !state.unavailable(
              cluster::offering_key(type.name, offering.zone, offering.capacity_type), now);
      if (allowed) {
        offers.push_back({type.name, offering.zone, offering.capacity_type, offering.usd_per_hour,
                          offering.reservation_id});
      }
    }
  }
  std::sort(offers.begin(), offers.end(), [](const LaunchOffer& a, const LaunchOffer& b) {
    const int a_rank = launch_rank(a);
    const int b_rank = launch_rank(b);
    if (a_rank != b_rank) return a_rank < b_rank;
    return std::tie(a.usd_per_hour, a.instance_type, a.zone) <
           std::tie(b.usd_per_hour, b.instance_type, b.zone);
  });
  // A spot offering dearer than the cheapest on-demand one is dropped.
  const auto on_demand = std::find_if(offers.begin(), offers.end(), [](const LaunchOffer& o) {
    return o.capacity_type == api::kOnDemand;
  });
  if (on_demand != offers.end()) {
    const double bound = on_demand->usd_per_hour;
    std::erase_if(offers, [&](const LaunchOffer& o) {
      return o.capacity_type == api::kSpot && o.usd_per_hour > bound;
    });
  }
  std::set<std::string> types;
  std::erase_if(offers, [&](const LaunchOffer& o) {
    if (types.size() < kMaxFleetTypes) types.insert(o.instance_type);
    return !types.contains(o.instance_type);
  });
  return offers;
}

// Labels the node gets beside the pool's: everything the launched type pins to one value.
void label_launched(api::NodeClaim& claim, const cluster::LaunchResult& result,
                    const catalog::InstanceType* type) {
  if (type != nullptr) {
    for (const auto& [key, value] : type->requirements.labels()) claim.meta.labels[key] = value;
  }
  const auto pinned = api::Requirements::from_specs(claim.requirements).labels();
  for (const auto& [key, value] : pinned) claim.meta.labels[key] = value;
  claim.meta.labels[std::string(api::kInstanceTypeLabel)] = result.instance_type;
  claim.meta.labels[std::string(api::kZoneLabel)] = result.zone;
  claim.meta.labels[std::string(api::kCapacityTypeLabel)] = result.capacity_type;
  if (!result.reservation_id.empty()) {
    claim.meta.labels[std::string(api::kReservationIdLabel)] = result.reservation_id;
  }
}

// Labels, taints and the finalizer that registration puts on a node which just joined.
api::Node registered(api::Node node, const api::NodeClaim& claim) {
  for (const auto& [key, value] : claim.meta.labels) node.meta.labels[key] = value;
  for (const auto& [key, value] : claim.meta.annotations) node.meta.annotations[key] = value;
  node.meta.labels[std::string(api::kRegisteredLabel)] = "true";
  std::erase_if(node.taints, [](const api::Taint& t) { return t.key == api::kUnregisteredTaint; });
  for (const auto* taints : {&claim.taints, &claim.startup_taints}) {
    for (const api::Taint& taint : *taints) {
      if (std::find(node.taints.begin(), node.taints.end(), taint) == node.taints.end()) {
        node.taints.push_back(taint);
      }
    }
  }
  node.meta.finalizers = {std::string(api::kTerminationFinalizer)};
  return node;
}

// Why the node is not initialized yet, or empty (karpenter.md 3).
std::string uninitialized(const api::Node& node, const api::NodeClaim& claim) {
  if (!api::is_true(node.conditions, "Ready")) return "node is not Ready";
  for (const api::Taint& taint : node.taints) {
    const bool startup = std::find(claim.startup_taints.begin(), claim.startup_taints.end(),
                                   taint) != claim.startup_taints.end();
    const bool ephemeral = taint.key == "node.kubernetes.io/not-ready" ||
                           taint.key == "node.kubernetes.io/unreachable" ||
                           taint.key.starts_with("readiness.k8s.io/");
    if (startup || ephemeral) return "taint " + api::to_string(taint) + " is still on";
  }
  for (const auto& [name, milli] : claim.requests) {
    if (milli > 0 && node.allocatable.milli(name) == 0) {
      return "resource " + name + " is not registered";
    }
  }
  return {};
}

disruption::DriftCheck drift_check(const cluster::State& state, const api::NodePool& pool) {
  return {pool, state.node_classes().find(pool.node_class.name),
          &state.types_for(pool.node_class.name)};
}

}  // namespace

void ClaimLifecycleController::touched(const cluster::Change& change, const cluster::State& state,
                                       std::vector<std::string>& keys) {
  switch (change.kind) {
    case Kind::kNodeClaim:
    case Kind::kLaunchResult:
      keys.push_back(change.key);
      return;
    case Kind::kNode:
      if (const api::NodeClaim* claim = state.claim_of_node(change.key)) {
        keys.push_back(claim->meta.name);
      }
      return;
    case Kind::kPod: {
      if (const api::Pod* pod = state.pods().find(change.key)) {
        if (pod->daemon() || pod->spec.node_name.empty()) return;
        if (const api::NodeClaim* claim = state.claim_of_node(pod->spec.node_name)) {
          claim_of_pod_[change.key] = claim->meta.name;
          keys.push_back(claim->meta.name);
        }
      } else if (const auto it = claim_of_pod_.find(change.key); it != claim_of_pod_.end()) {
        keys.push_back(it->second);
        claim_of_pod_.erase(it);
      }
      return;
    }
    case Kind::kNodePool:
      if (!pool_changed(change.key, state)) return;
      [[fallthrough]];
    case Kind::kNodeClass:
      for (const auto& [name, claim] : state.node_claims()) {
        const bool concerns = change.kind == Kind::kNodePool ? claim.pool() == change.key
                                                             : claim.node_class.name == change.key;
        if (concerns) keys.push_back(name);
      }
      return;
    default:
      return;
  }
}

// A pool's status changes with every node of its; that concerns none of its claims.
bool ClaimLifecycleController::pool_changed(const std::string& name, const cluster::State& state) {
  const api::NodePool* pool = state.node_pools().find(name);
  if (pool == nullptr) return pool_versions_.erase(name) != 0;
  const uint64_t version = disruption::drift_version(*pool);
  return std::exchange(pool_versions_[name], version) != version;
}

void ClaimLifecycleController::launch(const api::NodeClaim& claim, const cluster::State& state,
                                      Instant now, Memory& memory, Outcome& out) {
  std::vector<LaunchOffer> offers = offers_for(claim, state, now);
  if (offers.empty()) {
    out.actions.push_back(DeleteObject{Kind::kNodeClaim, claim.meta.name, "no offering available"});
    out.decisions.push_back({"NodeClaim/" + claim.meta.name,
                             "delete",
                             {},
                             "not launched",
                             {"no available offering meets the claim's requirements"}});
    return;
  }
  memory.launching = true;
  out.actions.push_back(Launch{claim.meta.name, claim.meta.uid, std::move(offers)});
}

bool ClaimLifecycleController::take_launch(api::NodeClaim& claim,
                                           const cluster::LaunchResult& result,
                                           const cluster::State& state, Instant now, Memory& memory,
                                           Outcome& out) {
  memory.launching = false;
  if (result.provider_id.empty()) {
    if (result.insufficient_capacity) {
      // The pods go back to the next batch, which sees the offering as unavailable.
      out.actions.push_back(
          DeleteObject{Kind::kNodeClaim, claim.meta.name, "insufficient capacity"});
      out.decisions.push_back(
          {"NodeClaim/" + claim.meta.name, "delete", {}, "insufficient capacity", {result.error}});
      return false;
    }
    memory.retry_at = now + memory.backoff;
    memory.backoff = std::min(memory.backoff * 2, kMaxBackoff);
    return mark(claim, "Launched", false, "LaunchFailed", result.error, now);
  }
  const catalog::InstanceType* type =
      state.types_for(claim.node_class.name).find(result.instance_type);
  claim.provider_id = result.provider_id;
  label_launched(claim, result, type);
  if (type != nullptr) {
    claim.capacity = type->capacity;
    claim.allocatable = type->allocatable;
  }
  mark(claim, "Launched", true, "Launched", "", now);
  // As early as it is written at all: a pool that changes from now on makes it drift.
  if (const api::NodePool* pool = state.node_pools().find(claim.pool())) {
    drift_check(state, *pool).stamp(claim);
  }
  out.decisions.push_back({"NodeClaim/" + claim.meta.name,
                           "launch",
                           {{"requests", api::to_string(claim.requests)}},
                           fmt::format("{} {} in {} at ${:.4f}/h", result.instance_type,
                                       result.capacity_type, result.zone, result.usd_per_hour),
                           {"cheapest offering with capacity that meets the claim"}});
  return true;
}

// After a restart what was there is no event, or every claim of a large cluster would be written at
// once; what came meanwhile says when.
bool ClaimLifecycleController::note_pod_events(api::NodeClaim& claim, const cluster::State& state,
                                               Instant now, Memory& memory) {
  Hash64 pods;
  bool any = false;
  Instant bound{};
  for (const std::string& key : state.pods_on(claim.node_name)) {
    const api::Pod& pod = state.pods().at(key);
    if (pod.daemon()) continue;
    bound = std::max(bound, pod.scheduled_at.value_or(Instant{}));
    pods.add(key);
    pods.add(static_cast<uint64_t>((pod.terminal() ? 1 : 0) + (pod.meta.deleted ? 2 : 0)));
    any = true;
  }
  if (pods.value() == memory.pods) return false;
  const bool first = !memory.pods;
  memory.pods = pods.value();
  if (first && !claim.last_pod_event && !any) return false;
  const Instant event = first && claim.last_pod_event ? std::min(bound, now) : now;
  if (claim.last_pod_event && event - *claim.last_pod_event < kPodEventDedupe) return false;
  claim.last_pod_event = event;
  return true;
}

// A cluster that changes hands has thousands of claims to be stamped anew. They take turns, or what
// is urgent would wait behind them for the API server.
bool ClaimLifecycleController::may_stamp(Memory& memory, Instant now) {
  if (!memory.stamp_at) {
    memory.stamp_at = std::max(next_stamp_, now - kStampBurst);
    next_stamp_ = *memory.stamp_at + kStampEvery;
  }
  return now >= *memory.stamp_at;
}

// Every 5 min, and when the pool or its node class has changed.
bool ClaimLifecycleController::note_drift(api::NodeClaim& claim, const cluster::State& state,
                                          Instant now, Memory& memory) {
  const api::NodePool* pool = state.node_pools().find(claim.pool());
  if (pool == nullptr) return false;
  const api::Ec2NodeClass* node_class = state.node_classes().find(pool->node_class.name);
  const uint64_t class_version = node_class == nullptr ? 0 : node_class->meta.resource_version;
  const bool due = !memory.drift_checked || now - *memory.drift_checked >= kDriftCheck ||
                   memory.pool_version != pool_versions_[pool->meta.name] ||
                   memory.class_version != class_version;
  if (!due) return false;
  memory.drift_checked = now;
  memory.pool_version = pool_versions_[pool->meta.name];
  memory.class_version = class_version;
  const disruption::DriftCheck check = drift_check(state, *pool);
  bool stamped = false;
  if (api::NodeClaim marked = claim; check.stamp(marked)) {
    stamped = may_stamp(memory, now);
    if (stamped) claim = std::move(marked);
    if (!stamped) memory.drift_checked.reset();
  }
  if (stamped) memory.stamp_at.reset();
  const api::Condition* said = api::find_condition(claim.conditions, "Drifted");
  if (const auto drift = check.look(claim, now)) {
    return mark(claim, "Drifted", true, drift->reason, drift->why, now) || stamped;
  }
  // Taken back only where it is ours: what another program found cannot be checked here.
  if (said != nullptr && said->status == "True" && disruption::is_own_drift_reason(said->reason)) {
    return mark(claim, "Drifted", false, "NotDrifted", "", now) || stamped;
  }
  return stamped;
}

Outcome ClaimLifecycleController::reconcile(const std::string& key, const cluster::State& state,
                                            Instant now) {
  Outcome out;
  const api::NodeClaim* found = state.node_claims().find(key);
  if (found == nullptr) {
    memories_.erase(key);
    return out;
  }
  if (found->meta.deleted) return out;
  Memory& memory = memories_[key];
  api::NodeClaim claim = *found;
  bool changed = false;
  if (claim.provider_id.empty()) {
    const cluster::LaunchResult* result = state.launch_result(key);
    if (memory.launching && result != nullptr) {
      changed = take_launch(claim, *result, state, now, memory, out);
    } else if (!memory.launching && now - claim.meta.created >= kLaunchTimeout) {
      out.actions.push_back(DeleteObject{Kind::kNodeClaim, key, "not launched in 5m"});
    } else if (!memory.launching && now >= memory.retry_at) {
      launch(claim, state, now, memory, out);
    }
    if (claim.provider_id.empty()) {
      if (changed) out.actions.push_back(PutObject{std::move(claim)});
      out.requeue_at = std::max(memory.retry_at, now + seconds(1));
      return out;
    }
  }
  const api::Node* node = state.node_by_provider_id(claim.provider_id);
  const bool is_registered = api::is_true(claim.conditions, "Registered");
  if (!is_registered && node == nullptr) {
    const Instant deadline = claim.meta.created + kRegistrationTimeout;
    if (now >= deadline) {
      out.actions.push_back(DeleteObject{Kind::kNodeClaim, key, "not registered in 15m"});
      out.decisions.push_back({"NodeClaim/" + key,
                               "delete",
                               {},
                               "registration timed out",
                               {"the node did not join within 15m of the claim's creation"}});
      return out;
    }
    out.requeue_at = deadline;
  } else if (!is_registered) {
    claim.node_name = node->meta.name;
    changed |= mark(claim, "Registered", true, "Registered", "", now);
    out.actions.push_back(PutObject{registered(*node, claim)});
  } else if (node != nullptr && !api::is_true(claim.conditions, "Initialized")) {
    const std::string why = uninitialized(*node, claim);
    changed |=
        mark(claim, "Initialized", why.empty(), why.empty() ? "Initialized" : "Waiting", why, now);
    if (why.empty()) {
      api::Node labelled = *node;
      labelled.meta.labels[std::string(api::kInitializedLabel)] = "true";
      out.actions.push_back(PutObject{std::move(labelled)});
      mark(claim, "Ready", true, "Ready", "", now);
    }
  }
  if (is_registered) {
    changed |= note_drift(claim, state, now, memory);
    const Instant next_check = !memory.drift_checked && memory.stamp_at
                                   ? *memory.stamp_at
                                   : memory.drift_checked.value_or(now) + kDriftCheck;
    out.requeue_at = out.requeue_at ? std::min(*out.requeue_at, next_check) : next_check;
  }
  changed |= note_pod_events(claim, state, now, memory);
  if (changed) out.actions.push_back(PutObject{std::move(claim)});
  return out;
}

}  // namespace windlass::controllers

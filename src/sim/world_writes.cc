// What clients of the API wrote, brought into the world. A client's copy of an object carries the
// status as it was when the client read it, with times cut to seconds; so what the world's own
// parts say of an object stays, and the client's word counts for the rest.
#include <algorithm>
#include <type_traits>

#include "sim/world.h"

namespace windlass::sim {
namespace {

using cluster::Kind;

void keep_status(api::Pod& put, const api::Pod& was) {
  put.phase = was.phase;
  put.ready = was.ready;
  put.scheduled_at = was.scheduled_at;
  put.unschedulable_since = was.unschedulable_since;
  put.unschedulable_message = was.unschedulable_message;
  put.started_at = was.started_at;
  put.ready_at = was.ready_at;
  put.nominated_node = was.nominated_node;
  if (!was.spec.node_name.empty()) put.spec.node_name = was.spec.node_name;
}
void keep_status(api::Node& put, const api::Node& was) {
  put.conditions = was.conditions;
  if (put.provider_id.empty()) put.provider_id = was.provider_id;
}
void keep_status(api::NodeClaim& put, const api::NodeClaim& was) {
  put.node_name = was.node_name;
  put.provider_id = was.provider_id;
  put.image_id = was.image_id;
  put.capacity = was.capacity;
  put.allocatable = was.allocatable;
  put.conditions = was.conditions;
  put.last_pod_event = was.last_pod_event;
}
void keep_status(api::NodePool& put, const api::NodePool& was) {
  put.conditions = was.conditions;
  put.status_resources = was.status_resources;
  put.status_nodes = was.status_nodes;
}
void keep_status(api::Deployment& put, const api::Deployment& was) {
  put.observed_generation = was.observed_generation;
  put.status_replicas = was.status_replicas;
  put.updated_replicas = was.updated_replicas;
  put.ready_replicas = was.ready_replicas;
  put.available_replicas = was.available_replicas;
  put.unavailable_replicas = was.unavailable_replicas;
  put.conditions = was.conditions;
}
void keep_status(api::ReplicaSet& put, const api::ReplicaSet& was) {
  put.observed_generation = was.observed_generation;
  put.status_replicas = was.status_replicas;
  put.ready_replicas = was.ready_replicas;
  put.available_replicas = was.available_replicas;
}
void keep_status(api::StatefulSet& put, const api::StatefulSet& was) {
  put.observed_generation = was.observed_generation;
  put.status_replicas = was.status_replicas;
  put.ready_replicas = was.ready_replicas;
  put.available_replicas = was.available_replicas;
  put.current_replicas = was.current_replicas;
  put.updated_replicas = was.updated_replicas;
  put.current_revision = was.current_revision;
  put.update_revision = was.update_revision;
}
void keep_status(api::DaemonSet& put, const api::DaemonSet& was) {
  put.observed_generation = was.observed_generation;
  put.desired_scheduled = was.desired_scheduled;
  put.current_scheduled = was.current_scheduled;
  put.misscheduled = was.misscheduled;
  put.ready_pods = was.ready_pods;
  put.updated_scheduled = was.updated_scheduled;
  put.available_pods = was.available_pods;
}
void keep_status(api::Job& put, const api::Job& was) {
  put.active = was.active;
  put.ready_pods = was.ready_pods;
  put.succeeded = was.succeeded;
  put.failed = was.failed;
  put.started_at = was.started_at;
  put.completed_at = was.completed_at;
  put.conditions = was.conditions;
}
void keep_status(api::CronJob& put, const api::CronJob& was) {
  put.active = was.active;
  put.last_schedule = was.last_schedule;
  put.last_success = was.last_success;
}
void keep_status(api::ScaledObject& put, const api::ScaledObject& was) {
  put.conditions = was.conditions;
  put.last_active = was.last_active;
  put.status_target_kind = was.status_target_kind;
  put.status_triggers = was.status_triggers;
  put.status_authentications = was.status_authentications;
}
template <typename T>
void keep_status(T&, const T&) {}

// What the scheduler says of a pod whose kubelet is a client's.
void keep_scheduling(api::Pod& put, const api::Pod& was) {
  put.scheduled_at = was.scheduled_at;
  put.unschedulable_since = was.unschedulable_since;
  put.unschedulable_message = was.unschedulable_message;
  put.nominated_node = was.nominated_node;
  if (!was.spec.node_name.empty()) put.spec.node_name = was.spec.node_name;
}
template <typename T>
void keep_scheduling(T&, const T&) {}

template <typename T, typename... Kinds>
constexpr bool kIsOneOf = (std::is_same_v<T, Kinds> || ...);
// Nobody in a cluster but autoscalers acts on these.
template <typename T>
constexpr bool kOfAutoscalers = kIsOneOf<T, api::NodeClaim, api::NodePool, api::Ec2NodeClass,
                                         api::NodeOverlay, api::ScaledObject, api::ScaledJob,
                                         api::HorizontalPodAutoscaler, api::TriggerAuthentication>;

}  // namespace

template <typename T>
bool World::told_by_clients(const T& object) const {
  if (!options_.external) return false;
  if constexpr (std::is_same_v<T, api::Pod>) {
    return !object.spec.node_name.empty() && is_external(object.spec.node_name);
  } else if constexpr (std::is_same_v<T, api::Node>) {
    return !cloud_.instances().contains(object.provider_id);
  } else {
    return kOfAutoscalers<T>;
  }
}

// A pod that is new to the world has no past, whatever its document says.
void World::admit_pod(api::Pod& pod) const {
  pod.phase = api::PodPhase::kPending;
  pod.ready = false;
  pod.started_at.reset();
  pod.ready_at.reset();
  pod.unschedulable_since.reset();
  pod.unschedulable_message.clear();
  pod.nominated_node.clear();
  pod.scheduled_at.reset();
  if (const api::PriorityClass* priority =
          context_->state.priority_classes().find(pod.spec.priority_class)) {
    pod.spec.priority = priority->value;
  }
}

template <typename T>
void World::put_as(T object) {
  const std::string key = object.meta.key();
  const auto kind = static_cast<Kind>(api::Object(T{}).index());
  const T* was = context_->state.all<T>().find(key);
  // The same name again is another object: the former one and what hung on it go first.
  const bool another = was != nullptr && !object.meta.uid.empty() && !was->meta.uid.empty() &&
                       object.meta.uid != was->meta.uid;
  if (another) {
    take_away(kind, key);
    was = nullptr;
  }
  const bool marked = object.meta.deleted && (was == nullptr || !was->meta.deleted);
  if (was != nullptr) {
    object.meta.uid = was->meta.uid;
    object.meta.created = was->meta.created;
    if (was->meta.deleted) object.meta.deleted = was->meta.deleted;
    if (told_by_clients(*was)) {
      keep_scheduling(object, *was);
    } else {
      keep_status(object, *was);
    }
  } else {
    if (object.meta.created == Instant{}) object.meta.created = context_->now;
    if (object.meta.generation == 0) object.meta.generation = 1;
  }
  if (marked) object.meta.deleted = context_->now;
  if constexpr (std::is_same_v<T, api::Pod>) {
    put_pod(std::move(object), was, marked);
  } else if constexpr (std::is_same_v<T, api::NodeClaim>) {
    if (was == nullptr && object.meta.finalizers.empty() && !options_.external) {
      object.meta.finalizers.emplace_back(api::kTerminationFinalizer);
    }
    if (object.meta.deleted && object.meta.finalizers.empty()) return take_away(kind, key);
    context_->state.put(std::move(object));
  } else {
    if (object.meta.deleted && object.meta.finalizers.empty()) return take_away(kind, key);
    context_->state.put(std::move(object));
    if constexpr (std::is_same_v<T, api::Node>) evict_intolerant(key);
  }
}

void World::put_pod(api::Pod pod, const api::Pod* was, bool marked) {
  const std::string key = pod.meta.key();
  if (was == nullptr) admit_pod(pod);
  const bool bound_now =
      !pod.spec.node_name.empty() && (was == nullptr || was->spec.node_name.empty());
  if (bound_now) {
    pod.scheduled_at = context_->now;
    pod.unschedulable_since.reset();
    pod.unschedulable_message.clear();
  }
  // Its end is the kubelet's: the mark is set by delete_pod, as for the world's own deletions.
  marked = marked && !told_by_clients(pod);
  if (marked) pod.meta.deleted.reset();
  context_->state.put(std::move(pod));
  if (marked) api_.delete_pod(key);
}

// A NoExecute taint drives out what does not tolerate it, at once or after tolerationSeconds.
void World::evict_intolerant(const std::string& node_key) {
  const api::Node* node = context_->state.nodes().find(node_key);
  if (node == nullptr) return;
  std::vector<std::string> leaving;
  for (const std::string& key : context_->state.pods_on(node_key)) {
    const api::Pod& pod = context_->state.pods().at(key);
    std::optional<Duration> stays;
    for (const api::Taint& taint : node->taints) {
      if (taint.effect != "NoExecute") continue;
      const auto by = std::find_if(pod.spec.tolerations.begin(), pod.spec.tolerations.end(),
                                   [&](const auto& t) { return t.tolerates(taint); });
      if (by == pod.spec.tolerations.end()) {
        stays = Duration{};
        break;
      }
      if (!by->seconds) continue;
      const Duration limit = seconds(std::clamp<int64_t>(*by->seconds, 0, 3'155'760'000));
      stays = std::min(stays.value_or(limit), limit);
    }
    if (!stays) continue;
    if (*stays == Duration{}) {
      leaving.push_back(key);
      continue;
    }
    context_->after(*stays, [this, key, uid = pod.meta.uid, node_key, taints = node->taints] {
      const api::Pod* late = context_->state.pods().find(key);
      const api::Node* there = context_->state.nodes().find(node_key);
      const bool still =
          late != nullptr && late->meta.uid == uid && there != nullptr && there->taints == taints;
      if (still) api_.delete_pod(key);
    });
  }
  for (const std::string& key : leaving) api_.delete_pod(key);
}

void World::take_away(Kind kind, const std::string& key) {
  cluster::State& state = context_->state;
  const bool of_ring = kind == Kind::kNodeClaim || kind == Kind::kNodePool;
  if (of_ring && options_.external) return state.remove(kind, key);
  switch (kind) {
    case Kind::kPod:
      kubelets_.finish_pod(key);
      return;
    case Kind::kNode:
      return take_away_node(key);
    case Kind::kNodeClaim: {
      // Without its finalizer: Karpenter's garbage collection ends an instance that no claim names.
      const api::NodeClaim* claim = state.node_claims().find(key);
      const std::string id = claim == nullptr ? "" : claim->provider_id;
      state.remove(kind, key);
      cloud_.forget_claim(key, id);
      return;
    }
    case Kind::kNodePool: {
      std::vector<std::string> claims;
      for (const auto& [name, claim] : state.node_claims()) {
        if (claim.pool() == key) claims.push_back(name);
      }
      state.remove(kind, key);
      for (const std::string& claim : claims) {
        api_.remove({Kind::kNodeClaim, claim, "NodePool deleted"});
      }
      return;
    }
    default: {
      const std::string uid = uid_of(kind, key);
      state.remove(kind, key);
      if (!uid.empty()) collect(uid);
      return;
    }
  }
}

// A Node object that is removed by force: nobody watches its pods any more, and its instance is of
// no use to anyone.
void World::take_away_node(const std::string& key) {
  const api::Node* node = context_->state.nodes().find(key);
  if (node == nullptr) return;
  // Its pods go as the pod garbage collector has it; the machine is its cloud's business.
  if (is_external(key)) return kubelets_.drop_node(key);
  const std::string provider_id = node->provider_id;
  const api::NodeClaim* claim = context_->state.claim_by_provider_id(provider_id);
  const std::string claim_key = claim == nullptr ? "" : claim->meta.key();
  kubelets_.drop_node(key);
  if (!claim_key.empty()) {
    api_.remove({Kind::kNodeClaim, claim_key, "node deleted"});
  } else {
    cloud_.terminate(provider_id, "node deleted");
  }
}

std::string World::uid_of(Kind kind, const std::string& key) const {
  const auto uid = [&]<typename T>() -> std::string {
    const T* found = context_->state.all<T>().find(key);
    return found == nullptr ? "" : found->meta.uid;
  };
  switch (kind) {
    case Kind::kDeployment:
      return uid.operator()<api::Deployment>();
    case Kind::kReplicaSet:
      return uid.operator()<api::ReplicaSet>();
    case Kind::kStatefulSet:
      return uid.operator()<api::StatefulSet>();
    case Kind::kDaemonSet:
      return uid.operator()<api::DaemonSet>();
    case Kind::kJob:
      return uid.operator()<api::Job>();
    case Kind::kCronJob:
      return uid.operator()<api::CronJob>();
    default:
      return "";
  }
}

// What an object owned goes after it, as the garbage collector has it.
void World::collect(const std::string& owner_uid) {
  const auto owned = [&](const auto& table) {
    std::vector<std::string> keys;
    for (const auto& [key, object] : table) {
      const auto& owners = object.meta.owners;
      const bool is = std::any_of(owners.begin(), owners.end(),
                                  [&](const auto& owner) { return owner.uid == owner_uid; });
      if (is) keys.push_back(key);
    }
    return keys;
  };
  cluster::State& state = context_->state;
  const std::vector<std::string> sets = owned(state.replica_sets());
  const std::vector<std::string> revisions = owned(state.controller_revisions());
  const std::vector<std::string> jobs = owned(state.jobs());
  const std::set<std::string> pods = state.pods_of(owner_uid);
  for (const std::string& pod : pods) api_.delete_pod(pod);
  for (const std::string& set : sets) state.remove(Kind::kReplicaSet, set);
  for (const std::string& revision : revisions) state.remove(Kind::kControllerRevision, revision);
  for (const std::string& job : jobs) take_away(Kind::kJob, job);
}

void World::put(api::Object object) {
  std::visit([&](auto& value) { put_as(std::move(value)); }, object);
  settle();
}

void World::observe_signals(const std::string& model, cluster::ModelSignals signals) {
  context_->state.observe_signals(model, std::move(signals));
  settle();
}

void World::remove(Kind kind, const std::string& key) {
  if (static_cast<size_t>(kind) >= std::variant_size_v<api::Object>) return;
  take_away(kind, key);
  settle();
}

}  // namespace windlass::sim

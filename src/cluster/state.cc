#include "cluster/state.h"

#include <algorithm>

namespace windlass::cluster {
namespace {

const std::set<std::string> kNone;

template <typename Map, typename Value = typename Map::mapped_type>
const Value* find_in(const Map& map, std::string_view key) {
  const auto it = map.find(key);
  return it == map.end() ? nullptr : &it->second;
}

// The node or its claim (nullptr: none) is being deleted, or it is marked for disruption.
bool is_going(const api::Node& node, const api::NodeClaim* claim) {
  if (node.meta.deleted || (claim != nullptr && claim->meta.deleted)) return true;
  return std::any_of(node.taints.begin(), node.taints.end(),
                     [](const api::Taint& t) { return t.key == api::kDisruptedTaint; });
}

}  // namespace

std::string_view to_string(Kind kind) {
  static constexpr std::string_view kNames[] = {"Pod",
                                                "Node",
                                                "Deployment",
                                                "DaemonSet",
                                                "Job",
                                                "PriorityClass",
                                                "PodDisruptionBudget",
                                                "NodePool",
                                                "NodeClaim",
                                                "EC2NodeClass",
                                                "ScaledObject",
                                                "StatefulSet",
                                                "Namespace",
                                                "Secret",
                                                "ConfigMap",
                                                "PersistentVolumeClaim",
                                                "PersistentVolume",
                                                "StorageClass",
                                                "CSINode",
                                                "HorizontalPodAutoscaler",
                                                "ScaledJob",
                                                "TriggerAuthentication",
                                                "NodeOverlay",
                                                "ReplicaSet",
                                                "CronJob",
                                                "ControllerRevision",
                                                "QueryRound",
                                                "LaunchResult",
                                                "Interruption",
                                                "ModelSignals"};
  static_assert(std::size(kNames) == static_cast<size_t>(Kind::kModelSignals) + 1);
  return kNames[static_cast<size_t>(kind)];
}

State::State(catalog::Catalog catalog, NodeClassUse use)
    : catalog_(std::move(catalog)), node_class_use_(use) {}

template <typename F>
void State::for_each_owner(const api::Pod& pod, F f) const {
  for (const api::OwnerReference& owner : pod.meta.owners) {
    f(owner.uid);
    if (owners_of_set_.empty()) continue;
    const auto set = owners_of_set_.find(owner.uid);
    if (set == owners_of_set_.end()) continue;
    for (const std::string& uid : set->second) f(uid);
  }
}

void State::index(const api::Pod& pod) {
  const std::string key = pod.meta.key();
  for_each_owner(pod, [&](const std::string& uid) { pods_by_owner_[uid].insert(key); });
  if (!pod.spec.node_name.empty()) {
    OnNode& there = pods_by_node_[pod.spec.node_name];
    there.keys.insert(key);
    there.load.reset();
  } else if (!pod.terminal()) {
    unbound_.insert(key);
  }
}

void State::unindex(const api::Pod& pod) {
  const std::string key = pod.meta.key();
  for_each_owner(pod, [&](const std::string& uid) { pods_by_owner_[uid].erase(key); });
  if (!pod.spec.node_name.empty()) {
    OnNode& there = pods_by_node_[pod.spec.node_name];
    there.keys.erase(key);
    there.load.reset();
  }
  unbound_.erase(key);
}

void State::index(const api::Node& node) { node_by_provider_[node.provider_id] = &node; }
void State::unindex(const api::Node& node) { node_by_provider_.erase(node.provider_id); }

void State::index(const api::NodeClaim& claim) {
  if (!claim.provider_id.empty()) claim_by_provider_[claim.provider_id] = &claim;
}
void State::unindex(const api::NodeClaim& claim) { claim_by_provider_.erase(claim.provider_id); }

void State::index(const api::Ec2NodeClass& node_class) {
  catalog::Catalog types = node_class_use_ == NodeClassUse::kApplied
                               ? catalog::for_node_class(catalog_, node_class)
                               : catalog_;
  if (!node_class.reservations.empty()) types = catalog::with_reservations(types, node_class);
  types_by_class_.insert_or_assign(node_class.meta.name, std::move(types));
}

void State::index(const api::Deployment& deployment) {
  if (!deployment.meta.uid.empty()) {
    deployment_by_uid_[deployment.meta.uid] = deployment.meta.key();
  }
}
void State::unindex(const api::Deployment& deployment) {
  deployment_by_uid_.erase(deployment.meta.uid);
}

// Pods may be known before their ReplicaSet (a restart) and outlive it.
void State::index(const api::ReplicaSet& replica_set) {
  if (replica_set.meta.uid.empty()) return;  // of a file: it owns nothing
  std::vector<std::string>& owners = owners_of_set_[replica_set.meta.uid];
  for (const api::OwnerReference& owner : replica_set.meta.owners) {
    owners.push_back(owner.uid);
    const std::set<std::string>& pods = pods_of(replica_set.meta.uid);
    if (!pods.empty()) pods_by_owner_[owner.uid].insert(pods.begin(), pods.end());
  }
}
void State::unindex(const api::ReplicaSet& replica_set) {
  for (const api::OwnerReference& owner : replica_set.meta.owners) {
    for (const std::string& pod : pods_of(replica_set.meta.uid)) {
      pods_by_owner_[owner.uid].erase(pod);
    }
  }
  owners_of_set_.erase(replica_set.meta.uid);
}

void State::note_going(const api::Node* was, const api::Node* is) {
  if (is != nullptr && is_going(*is, claim_by_provider_id(is->provider_id))) {
    nodes_going_.insert(is->meta.key());
  } else {
    nodes_going_.erase((is != nullptr ? is : was)->meta.key());
  }
}
void State::note_going(const api::NodeClaim* was, const api::NodeClaim* is) {
  const auto ends = [](const api::NodeClaim* claim) {
    return claim != nullptr && claim->meta.deleted ? claim->provider_id : std::string();
  };
  const std::string before = ends(was);
  const std::string after = ends(is);
  if (before == after) return;  // nearly always
  // Two nodes may say that they are one instance.
  for (const auto& [key, node] : nodes()) {
    const bool concerns = node.provider_id == before || node.provider_id == after;
    if (concerns && !node.provider_id.empty()) note_going(&node, &node);
  }
}

bool State::stays_in_place(const api::Pod& was, const api::Pod& is) {
  const bool stays = was.spec.node_name == is.spec.node_name && was.meta.owners == is.meta.owners &&
                     was.terminal() == is.terminal();
  if (stays && !is.spec.node_name.empty()) pods_by_node_[is.spec.node_name].load.reset();
  return stays;
}
bool State::stays_in_place(const api::Node& was, const api::Node& is) {
  return was.provider_id == is.provider_id;
}
bool State::stays_in_place(const api::NodeClaim& was, const api::NodeClaim& is) {
  return was.provider_id == is.provider_id;
}
bool State::stays_in_place(const api::Deployment& was, const api::Deployment& is) {
  return was.meta.uid == is.meta.uid;
}
bool State::stays_in_place(const api::ReplicaSet& was, const api::ReplicaSet& is) {
  return was.meta.uid == is.meta.uid && was.meta.owners == is.meta.owners;
}

void State::put(api::Object object, bool readiness_only) {
  const auto kind = static_cast<Kind>(object.index());
  std::visit(
      [&]<typename T>(T& value) {
        Table<T>& table = std::get<Table<T>>(tables_);
        value.meta.resource_version = ++version_;
        if constexpr (std::is_same_v<T, api::Pod>) value.digest = api::digest_of(value);
        std::string key = value.meta.key();
        const T* old = table.find(key);
        const bool stays = old != nullptr && stays_in_place(*old, value);
        if (old != nullptr && !stays) unindex(*old);
        changes_.push_back({kind, key, false, readiness_only});
        const auto [at, fresh] = table.by_key_.try_emplace(std::move(key));
        const T was = std::exchange(at->second, std::move(value));
        if (!stays) index(at->second);
        note_going(fresh ? nullptr : &was, &at->second);
      },
      object);
}

void State::remove(Kind kind, std::string_view key) {
  const auto erase = [&]<typename T>(Table<T>& table) {
    const auto it = table.by_key_.find(key);
    if (it == table.by_key_.end()) return;
    unindex(it->second);
    if (kind == Kind::kNodeClaim) launch_results_.erase(it->first);
    changes_.push_back({kind, it->first, true});
    ++version_;
    const auto gone = table.by_key_.extract(it);
    note_going(&gone.mapped(), static_cast<const T*>(nullptr));
  };
  WL_ASSERT(static_cast<size_t>(kind) < std::variant_size_v<api::Object>);
  std::apply(
      [&](auto&... table) {
        size_t i = 0;
        ((static_cast<size_t>(kind) == i++ ? erase(table) : void()), ...);
      },
      tables_);
}

const std::set<std::string>& State::pods_on(std::string_view node) const {
  const OnNode* found = find_in(pods_by_node_, node);
  return found == nullptr ? kNone : found->keys;
}

const State::Load& State::load_of(std::string_view node) const {
  static const Load kEmpty;
  const OnNode* found = find_in(pods_by_node_, node);
  if (found == nullptr) return kEmpty;
  if (found->load) return *found->load;
  Load& load = found->load.emplace();
  for (const std::string& key : found->keys) {
    const api::Pod& pod = pods().at(key);
    if (pod.terminal()) continue;
    const api::ResourceList requests = api::pod_requests(pod.spec);
    load.pods.push_back(&pod);
    load.requests += requests;
    if (pod.daemon()) load.of_daemons += requests;
  }
  return load;
}

const std::set<std::string>& State::pods_of(std::string_view owner_uid) const {
  const auto* found = find_in(pods_by_owner_, owner_uid);
  return found == nullptr ? kNone : *found;
}

const api::Deployment* State::deployment_of(const api::Pod& pod) const {
  const api::Deployment* found = nullptr;
  for_each_owner(pod, [&](const std::string& uid) {
    const auto* key = find_in(deployment_by_uid_, uid);
    if (found == nullptr && key != nullptr) found = deployments().find(*key);
  });
  return found;
}

const api::Node* State::node_by_provider_id(std::string_view id) const {
  const auto* node = find_in(node_by_provider_, id);
  return node == nullptr ? nullptr : *node;
}

const api::NodeClaim* State::claim_by_provider_id(std::string_view id) const {
  const auto* claim = find_in(claim_by_provider_, id);
  return claim == nullptr ? nullptr : *claim;
}

const api::NodeClaim* State::claim_of_node(std::string_view node) const {
  const api::Node* found = nodes().find(node);
  return found == nullptr ? nullptr : claim_by_provider_id(found->provider_id);
}

api::ResourceList State::free_on(const api::Node& node) const {
  return node.allocatable - load_of(node.meta.name).requests;
}

const catalog::Catalog& State::types_for(std::string_view node_class) const {
  const auto* found = find_in(types_by_class_, node_class);
  return found == nullptr ? catalog_ : *found;
}

void State::observe_query(const std::string& scaled_object, QueryRound round) {
  auto& rounds = round.purpose == QueryPurpose::kPoll ? polls_ : syncs_;
  rounds.insert_or_assign(scaled_object, std::move(round));
  changes_.push_back({Kind::kQueryRound, scaled_object, false});
}
const QueryRound* State::query_round(std::string_view scaled_object, QueryPurpose purpose) const {
  return find_in(purpose == QueryPurpose::kPoll ? polls_ : syncs_, scaled_object);
}

void State::observe_launch(const std::string& claim, LaunchResult result) {
  launch_results_.insert_or_assign(claim, std::move(result));
  changes_.push_back({Kind::kLaunchResult, claim, false});
}
const LaunchResult* State::launch_result(std::string_view claim) const {
  return find_in(launch_results_, claim);
}

void State::observe_unavailable(const std::string& offering, Instant until) {
  unavailable_[offering] = until;
}
bool State::unavailable(std::string_view offering, Instant now) const {
  const Instant* until = find_in(unavailable_, offering);
  return until != nullptr && now < *until;
}

void State::observe_interruption(const std::string& provider_id, std::string reason) {
  interruptions_[provider_id] = std::move(reason);
  changes_.push_back({Kind::kInterruption, provider_id, false});
}

const InferenceModel* State::model_of(std::string_view deployment) const {
  for (const InferenceModel& model : models_) {
    if (model.deployment == deployment) return &model;
  }
  return nullptr;
}

void State::observe_signals(const std::string& model, ModelSignals signals) {
  signals_.insert_or_assign(model, std::move(signals));
  changes_.push_back({Kind::kModelSignals, model, false});
}
const ModelSignals* State::signals(std::string_view model) const {
  return find_in(signals_, model);
}

std::deque<Change> State::take_changes() { return std::exchange(changes_, {}); }

}  // namespace windlass::cluster

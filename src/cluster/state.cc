#include "cluster/state.h"

namespace windlass::cluster {
namespace {

const std::set<std::string> kNone;

template <typename Map, typename Value = typename Map::mapped_type>
const Value* find_in(const Map& map, std::string_view key) {
  const auto it = map.find(key);
  return it == map.end() ? nullptr : &it->second;
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::kPod:
      return "Pod";
    case Kind::kNode:
      return "Node";
    case Kind::kDeployment:
      return "Deployment";
    case Kind::kDaemonSet:
      return "DaemonSet";
    case Kind::kJob:
      return "Job";
    case Kind::kPriorityClass:
      return "PriorityClass";
    case Kind::kPodDisruptionBudget:
      return "PodDisruptionBudget";
    case Kind::kNodePool:
      return "NodePool";
    case Kind::kNodeClaim:
      return "NodeClaim";
    case Kind::kNodeClass:
      return "EC2NodeClass";
    case Kind::kScaledObject:
      return "ScaledObject";
    case Kind::kQueryRound:
      return "QueryRound";
    case Kind::kLaunchResult:
      return "LaunchResult";
    case Kind::kInterruption:
      return "Interruption";
    case Kind::kModelSignals:
      return "ModelSignals";
  }
  WL_UNREACHABLE("kind");
}

State::State(catalog::Catalog catalog) : catalog_(std::move(catalog)) {}

template <typename T>
void State::store(Table<T>& table, Kind kind, T object) {
  object.meta.resource_version = ++version_;
  std::string key = object.meta.key();
  changes_.push_back({kind, key, false});
  table.by_key_.insert_or_assign(std::move(key), std::move(object));
}

void State::index(const api::Pod& pod) {
  const std::string key = pod.meta.key();
  for (const api::OwnerReference& owner : pod.meta.owners) pods_by_owner_[owner.uid].insert(key);
  if (!pod.spec.node_name.empty()) {
    pods_by_node_[pod.spec.node_name].insert(key);
  } else if (!pod.terminal()) {
    unbound_.insert(key);
  }
}

void State::unindex(const api::Pod& pod) {
  const std::string key = pod.meta.key();
  for (const api::OwnerReference& owner : pod.meta.owners) pods_by_owner_[owner.uid].erase(key);
  if (!pod.spec.node_name.empty()) pods_by_node_[pod.spec.node_name].erase(key);
  unbound_.erase(key);
}

void State::put(api::Object object) {
  if (auto* pod = std::get_if<api::Pod>(&object)) {
    if (const api::Pod* old = pods_.find(pod->meta.key())) unindex(*old);
    index(*pod);
    store(pods_, Kind::kPod, std::move(*pod));
  } else if (auto* node = std::get_if<api::Node>(&object)) {
    node_by_provider_[node->provider_id] = node->meta.key();
    store(nodes_, Kind::kNode, std::move(*node));
  } else if (auto* claim = std::get_if<api::NodeClaim>(&object)) {
    if (!claim->provider_id.empty()) claim_by_provider_[claim->provider_id] = claim->meta.key();
    store(node_claims_, Kind::kNodeClaim, std::move(*claim));
  } else if (auto* node_class = std::get_if<api::Ec2NodeClass>(&object)) {
    types_by_class_.insert_or_assign(node_class->meta.name,
                                     catalog::for_node_class(catalog_, *node_class));
    store(node_classes_, Kind::kNodeClass, std::move(*node_class));
  } else if (auto* deployment = std::get_if<api::Deployment>(&object)) {
    store(deployments_, Kind::kDeployment, std::move(*deployment));
  } else if (auto* daemon_set = std::get_if<api::DaemonSet>(&object)) {
    store(daemon_sets_, Kind::kDaemonSet, std::move(*daemon_set));
  } else if (auto* job = std::get_if<api::Job>(&object)) {
    store(jobs_, Kind::kJob, std::move(*job));
  } else if (auto* priority = std::get_if<api::PriorityClass>(&object)) {
    store(priority_classes_, Kind::kPriorityClass, std::move(*priority));
  } else if (auto* budget = std::get_if<api::PodDisruptionBudget>(&object)) {
    store(budgets_, Kind::kPodDisruptionBudget, std::move(*budget));
  } else if (auto* pool = std::get_if<api::NodePool>(&object)) {
    store(node_pools_, Kind::kNodePool, std::move(*pool));
  } else if (auto* scaled = std::get_if<api::ScaledObject>(&object)) {
    store(scaled_objects_, Kind::kScaledObject, std::move(*scaled));
  }
}

void State::remove(Kind kind, std::string_view key) {
  const auto erase = [&](auto& table) {
    const auto it = table.by_key_.find(key);
    if (it == table.by_key_.end()) return;
    changes_.push_back({kind, it->first, true});
    ++version_;
    table.by_key_.erase(it);
  };
  switch (kind) {
    case Kind::kPod:
      if (const api::Pod* pod = pods_.find(key)) unindex(*pod);
      return erase(pods_);
    case Kind::kNode:
      if (const api::Node* node = nodes_.find(key)) node_by_provider_.erase(node->provider_id);
      return erase(nodes_);
    case Kind::kNodeClaim:
      if (const api::NodeClaim* claim = node_claims_.find(key)) {
        claim_by_provider_.erase(claim->provider_id);
        launch_results_.erase(std::string(key));
      }
      return erase(node_claims_);
    case Kind::kDeployment:
      return erase(deployments_);
    case Kind::kDaemonSet:
      return erase(daemon_sets_);
    case Kind::kJob:
      return erase(jobs_);
    case Kind::kPriorityClass:
      return erase(priority_classes_);
    case Kind::kPodDisruptionBudget:
      return erase(budgets_);
    case Kind::kNodePool:
      return erase(node_pools_);
    case Kind::kNodeClass:
      return erase(node_classes_);
    case Kind::kScaledObject:
      return erase(scaled_objects_);
    default:
      WL_UNREACHABLE("only objects are removed");
  }
}

const std::set<std::string>& State::pods_on(std::string_view node) const {
  const auto* found = find_in(pods_by_node_, node);
  return found == nullptr ? kNone : *found;
}

const std::set<std::string>& State::pods_of(std::string_view owner_uid) const {
  const auto* found = find_in(pods_by_owner_, owner_uid);
  return found == nullptr ? kNone : *found;
}

const api::Node* State::node_by_provider_id(std::string_view id) const {
  const auto* name = find_in(node_by_provider_, id);
  return name == nullptr ? nullptr : nodes_.find(*name);
}

const api::NodeClaim* State::claim_by_provider_id(std::string_view id) const {
  const auto* name = find_in(claim_by_provider_, id);
  return name == nullptr ? nullptr : node_claims_.find(*name);
}

const api::NodeClaim* State::claim_of_node(std::string_view node) const {
  const api::Node* found = nodes_.find(node);
  return found == nullptr ? nullptr : claim_by_provider_id(found->provider_id);
}

api::ResourceList State::free_on(const api::Node& node) const {
  api::ResourceList free = node.allocatable;
  for (const std::string& key : pods_on(node.meta.name)) {
    const api::Pod& pod = pods_.at(key);
    if (!pod.terminal()) free -= api::pod_requests(pod.spec);
  }
  return free;
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

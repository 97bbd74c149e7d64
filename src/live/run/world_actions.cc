// What controllers ask for, done in a real cluster.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "controllers/scaled_object_plan.h"
#include "controllers/termination.h"
#include "live/kube/decode.h"
#include "live/run/world.h"

namespace windlass::live {
namespace {

using cluster::Kind;

constexpr Duration kUnavailable = minutes(3);  // Karpenter's cache of offerings without capacity
constexpr Duration kEvictAgain = seconds(10);
constexpr Duration kTerminateAgain = seconds(5);
// An instance younger than this may belong to a claim whose creation is still on its way to us.
constexpr Duration kYoung = seconds(60);

}  // namespace

void World::perform(const controllers::Action& action) {
  if (const auto* asked = std::get_if<controllers::QueryMetrics>(&action)) return query(*asked);
  if (options_.ownership.observe || !may_act()) return;
  if (const auto* wanted = std::get_if<controllers::PutObject>(&action)) {
    put(*wanted);
  } else if (const auto* unwanted = std::get_if<controllers::DeleteObject>(&action)) {
    sync_.remove(unwanted->kind, unwanted->key);
  } else if (const auto* scaled = std::get_if<controllers::ScaleDeployment>(&action)) {
    sync_.scale(scaled->deployment, scaled->replicas);
  } else if (const auto* evicted = std::get_if<controllers::EvictPod>(&action)) {
    evict(evicted->pod);
  } else if (const auto* launched = std::get_if<controllers::Launch>(&action)) {
    launch(*launched);
  } else if (const auto* ended = std::get_if<controllers::TerminateInstance>(&action)) {
    drain_ended(ended->provider_id, ended->claim);
  }
}

// A claim is released only when it is known what became of its instance.
void World::put(const controllers::PutObject& put) {
  if (const auto* claim = std::get_if<api::NodeClaim>(&put.object)) {
    const bool releases = claim->meta.deleted && claim->meta.finalizers.empty();
    const bool unsure =
        launching_.contains(claim->meta.name) || terminating_.contains(claim->provider_id);
    if (releases && unsure) {
      postponed_[claim->meta.name] = *claim;
      return;
    }
  }
  sync_.write(put.object);
}

void World::evict(const std::string& key) {
  const api::Pod* pod = state_.pods().find(key);
  if (pod == nullptr || pod->meta.deleted) return;
  const auto known = evictions_.find(key);
  const Duration now = parts_.clock.steady();
  if (known != evictions_.end() && known->second.uid == pod->meta.uid &&
      now < known->second.again) {
    return;
  }
  const std::string uid = pod->meta.uid;
  Eviction& eviction = evictions_[key];
  if (eviction.uid != uid) eviction = {uid, {}, seconds(1)};
  eviction.again = now + minutes(1);  // until it is answered
  kube::Request request;
  request.verb = kube::Verb::kPost;
  request.path = cluster::api_path(Kind::kPod, key) + "/eviction";
  request.body =
      Json{{"apiVersion", "policy/v1"},
           {"kind", "Eviction"},
           {"metadata", {{"name", pod->meta.name}, {"namespace", pod->meta.namespace_name}}},
           {"deleteOptions", {{"preconditions", {{"uid", uid}}}}}}
          .dump();
  ++asked_;
  acting_.send(std::move(request), guard_([this, key, uid](const kube::Reply& reply) {
                 const auto found = evictions_.find(key);
                 if (found == evictions_.end() || found->second.uid != uid) return;
                 Eviction& asked = found->second;
                 const Duration answered = parts_.clock.steady();
                 if (reply.ok() || reply.code == 404) {
                   asked.again = answered + kEvictAgain;
                   return;
                 }
                 // 429: a budget forbids it for now. Anything else passes, too, or the
                 // controller gives up.
                 asked.again =
                     answered + std::max(asked.backoff, reply.retry_after.value_or(Duration{}));
                 asked.backoff = std::min(asked.backoff * 2, kEvictAgain);
                 if (reply.code != 429)
                   log::warning(fmt::format("evicting {}: {}", key, reply.error()));
               }));
}

void World::launch(const controllers::Launch& launch) {
  if (!launching_.insert(launch.claim).second) return;
  // Never before the API server has the claim: a crash would leave an instance that nobody knows.
  sync_.when_settled({Kind::kNodeClaim, launch.claim}, [this, launch] {
    const api::NodeClaim* claim = state_.node_claims().find(launch.claim);
    if (claim == nullptr || claim->meta.deleted || !claim->provider_id.empty() || !may_act()) {
      launching_.erase(launch.claim);
      return;
    }
    cloud::LaunchRequest request{*claim, claim->meta.uid, launch.offers};
    ++asked_;
    parts_.cloud.launch(request, guard_([this, name = launch.claim](cloud::LaunchAnswer answer) {
                          take_launch(name, std::move(answer));
                        }));
  });
}

void World::take_launch(const std::string& claim, cloud::LaunchAnswer answer) {
  launching_.erase(claim);
  const Instant now = parts_.clock.now();
  for (const std::string& offering : answer.without_capacity) {
    state_.observe_unavailable(offering, now + kUnavailable);
  }
  const bool launched = !answer.result.provider_id.empty();
  if (state_.node_claims().find(claim) != nullptr) {
    state_.observe_launch(claim, std::move(answer.result));
  }
  const auto waiting = postponed_.find(claim);
  if (waiting != postponed_.end()) {
    const api::NodeClaim released = std::move(waiting->second);
    postponed_.erase(waiting);
    // With an instance the claim has still to end it: its controller sees the result.
    if (!launched && may_act()) sync_.write(released);
  }
  wake();
}

// What is known here may be old (a watch that has gone silent), and the end of an instance can't be
// taken back: the API server says whether pods are on it.
void World::drain_ended(const std::string& provider_id, const std::string& claim) {
  if (!terminating_.insert(provider_id).second) return;
  take_last_look(provider_id, claim);
}

void World::take_last_look(const std::string& provider_id, const std::string& claim) {
  const api::NodeClaim* known = state_.node_claims().find(claim);
  const auto deadline = known == nullptr ? std::nullopt : controllers::termination_deadline(*known);
  const api::Node* node = state_.node_by_provider_id(provider_id);
  if (node == nullptr || (deadline && parts_.clock.now() >= *deadline)) {
    return end_instance(provider_id, claim);
  }
  kube::Request request;
  request.path = cluster::api_path(cluster::api_resource(Kind::kPod, true));
  request.query.emplace_back("fieldSelector", "spec.nodeName=" + node->meta.name);
  ++asked_;
  acting_.send(std::move(request), guard_([this, provider_id, claim](const kube::Reply& reply) {
                 if (!may_act()) return;
                 const std::string why = why_not_empty(reply);
                 tell_trouble(Kind::kNodeClaim, claim, "keep", why);
                 if (why.empty()) return end_instance(provider_id, claim);
                 parts_.clock.after(kTerminateAgain, guard_([this, provider_id, claim] {
                                      if (may_act()) take_last_look(provider_id, claim);
                                    }));
               }));
}

// Of a list of a node's pods: the first that holds its instance, or why there is no knowing.
std::string World::why_not_empty(const kube::Reply& reply) {
  const Result<Json> list = kube::list_in(reply);
  if (!list.ok()) return "the pods of its node could not be listed: " + list.error().message();
  for (const Json& item : list->at("items")) {
    const auto object = kube::decode_object(item.dump(), "v1", "Pod");
    if (!object.ok()) return "a pod on its node can't be read: " + object.error().message();
    const auto& pod = std::get<api::Pod>(*object);
    if (!controllers::holds_instance(pod)) continue;
    const std::string why = fmt::format("pod {} is still on its node", pod.meta.key());
    const api::Pod* known = state_.pods().find(pod.meta.key());
    const bool same = known != nullptr && known->meta.uid == pod.meta.uid &&
                      known->spec.node_name == pod.spec.node_name;
    if (same) return why;
    // The drain can't know of it.
    watchers_.at(cluster::api_path(cluster::api_resource(Kind::kPod, true)))->relist();
    return why + ", and the watch has not told of it; pods are listed anew";
  }
  return {};
}

void World::terminate(const std::string& provider_id, const std::string& claim) {
  if (terminating_.insert(provider_id).second) end_instance(provider_id, claim);
}

void World::end_instance(const std::string& provider_id, const std::string& claim) {
  ++asked_;
  parts_.cloud.terminate(
      provider_id, guard_([this, provider_id, claim](const Status& status) {
        if (status.ok()) return terminated(provider_id, claim);
        log::warning(fmt::format("ending {}: {}", provider_id, status.error().message()));
        parts_.clock.after(kTerminateAgain, guard_([this, provider_id, claim] {
                             if (may_act()) end_instance(provider_id, claim);
                           }));
      }));
}

void World::terminated(const std::string& provider_id, const std::string& claim) {
  terminating_.erase(provider_id);
  if (!may_act()) return;
  remove_node(provider_id);
  const auto waiting = postponed_.find(claim);
  if (waiting != postponed_.end()) {
    const api::NodeClaim released = std::move(waiting->second);
    postponed_.erase(waiting);
    sync_.write(released);
  }
  wake();
}

// The instance is gone: its Node, and the finalizer that stood for it.
void World::remove_node(const std::string& provider_id) {
  const api::Node* node = state_.node_by_provider_id(provider_id);
  if (node == nullptr) return;
  const std::string name = node->meta.name;
  sync_.remove(Kind::kNode, name);
  node = state_.nodes().find(name);
  if (node == nullptr) return;
  api::Node released = *node;
  std::erase(released.meta.finalizers, std::string(api::kTerminationFinalizer));
  sync_.write(std::move(released));
}

void World::query(const controllers::QueryMetrics& query) {
  struct Round {
    cluster::QueryRound round;
    size_t missing = 0;
  };
  auto open = std::make_shared<Round>();
  open->round.purpose = query.purpose;
  open->round.id = query.round;
  open->missing = query.queries.size();
  const auto close = guard_([this, open, object = query.scaled_object] {
    open->round.at = parts_.clock.now();
    state_.observe_query(object, std::move(open->round));
    wake();
  });
  const api::ScaledObject* object = state_.scaled_objects().find(query.scaled_object);
  const auto plan = object == nullptr ? Result<scaling::ScaledObjectPlan>(Error("it is gone"))
                                      : controllers::plan_in(state_, *object);
  if (query.queries.empty()) {
    // Later, as every answer.
    parts_.clock.after(Duration{}, close);
    return;
  }
  for (const controllers::QueryMetrics::Query& one : query.queries) {
    const size_t trigger = one.trigger;
    const auto take = [open, close, trigger](cluster::QueryAnswer answer) {
      answer.trigger = trigger;
      open->round.answers.push_back(std::move(answer));
      if (--open->missing == 0) close();
    };
    if (!plan.ok() || trigger >= plan->triggers.size()) {
      parts_.clock.after(Duration{}, [take, plan] {
        take({0, {}, plan.ok() ? "the trigger is gone" : plan.error().message()});
      });
      continue;
    }
    parts_.ask({query.scaled_object, object->triggers[trigger].metadata, plan->triggers[trigger]},
               take);
  }
}

// Watches of triggers that tell by themselves, as the object now has them.
void World::follow_pushes(const std::string& key) {
  const api::ScaledObject* object = state_.scaled_objects().find(key);
  const auto known = pushes_.find(key);
  const bool same = known != pushes_.end() && object != nullptr &&
                    known->second.generation == object->meta.generation;
  if (same) return;
  drop_pushes(key);
  if (object == nullptr || !parts_.watch || ring_ == nullptr) return;
  const bool pushes = std::any_of(object->triggers.begin(), object->triggers.end(),
                                  [](const auto& t) { return t.type == "external-push"; });
  if (!pushes) return;
  const auto plan = controllers::plan_in(state_, *object);
  if (!plan.ok()) return;
  Pushes& followed = pushes_[key];
  followed.generation = object->meta.generation;
  for (size_t i = 0; i < object->triggers.size(); ++i) {
    if (object->triggers[i].type != "external-push") continue;
    const auto look_now = guard_([this, key](bool) {
      state_.observe_query(key, {cluster::QueryPurpose::kPoll, 0, parts_.clock.now(), {}});
      wake();
    });
    followed.watches.push_back(
        parts_.watch({key, object->triggers[i].metadata, plan->triggers[i]}, look_now));
  }
}

void World::drop_pushes(const std::string& key) {
  const auto found = pushes_.find(key);
  if (found == pushes_.end()) return;
  for (const uint64_t watch : found->second.watches) parts_.unwatch(watch);
  pushes_.erase(found);
}

// Karpenter's: instances that no claim names, claims whose instance is gone.
void World::collect_garbage() {
  parts_.clock.after(kGarbage, guard_([this] { collect_garbage(); }));
  if (!deciding() || !may_act() || options_.ownership.observe) return;
  parts_.cloud.list(guard_([this](const Result<std::vector<cloud::CloudInstance>>& instances) {
    if (!instances.ok()) {
      log::warning("listing instances: " + instances.error().message());
      return;
    }
    if (deciding() && may_act()) compare_instances(*instances);
  }));
}

void World::compare_instances(const std::vector<cloud::CloudInstance>& instances) {
  // By what the server has, also of claims that could not be read or that others run; and only
  // while that is known for certain: a resource that is missing for a moment must end no machine.
  const kube::Watcher& claims =
      *watchers_.at(cluster::api_path(cluster::api_resource(Kind::kNodeClaim, false)));
  if (claims.phase() != kube::Watcher::Phase::kWatching) return;
  const Instant now = parts_.clock.now();
  std::set<std::string> there;
  for (const cloud::CloudInstance& instance : instances) {
    there.insert(instance.provider_id);
    const bool known = claims.seen().contains(instance.claim) ||
                       state_.node_claims().find(instance.claim) != nullptr;
    if (instance.claim.empty() || instance.going || known || now - instance.launched < kYoung) {
      continue;
    }
    tell("live", {"NodeClaim/" + instance.claim,
                  "collect",
                  {{"instance", instance.provider_id}},
                  "instance ended",
                  {"no NodeClaim names it"}});
    terminate(instance.provider_id, instance.claim);
  }
  std::vector<std::string> lost;
  for (const auto& [name, claim] : state_.node_claims()) {
    if (claim.provider_id.empty() || there.contains(claim.provider_id)) continue;
    const api::Node* node = state_.node_by_provider_id(claim.provider_id);
    const bool alive = node != nullptr && api::is_true(node->conditions, "Ready");
    if (!alive && !claim.meta.deleted && now - claim.meta.created >= kYoung) lost.push_back(name);
  }
  for (const std::string& name : lost) {
    tell("live", {"NodeClaim/" + name, "collect", {}, "claim deleted", {"its instance is gone"}});
    sync_.remove(Kind::kNodeClaim, name);
  }
}

}  // namespace windlass::live

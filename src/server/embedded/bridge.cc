#include "server/embedded/bridge.h"

#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/text.h"
#include "cluster/resources.h"
#include "controllers/event_words.h"
#include "server/embedded/enrich.h"
#include "server/kinds/kind_rules.h"

namespace windlass::server::embedded {
namespace {

using cluster::Kind;

constexpr std::string_view kManager = "windlass";

// apiVersion and resource of the kinds that decisions are about.
struct KnownKind {
  std::string_view kind;
  std::string_view api_version;
  std::string_view resource;
};
constexpr std::array<KnownKind, 8> kKnown{{
    {"Pod", "v1", "pods"},
    {"Node", "v1", "nodes"},
    {"Deployment", "apps/v1", "deployments.apps"},
    {"ReplicaSet", "apps/v1", "replicasets.apps"},
    {"Job", "batch/v1", "jobs.batch"},
    {"NodeClaim", "karpenter.sh/v1", "nodeclaims.karpenter.sh"},
    {"NodePool", "karpenter.sh/v1", "nodepools.karpenter.sh"},
    {"ScaledObject", "keda.sh/v1alpha1", "scaledobjects.keda.sh"},
}};

StartProgress progress_of(const sim::World& world, const std::string& pod) {
  const auto start = world.kubelets().start_of(pod);
  if (!start) return {};
  return {true, start->pull_until, start->ready_at};
}

Involved involved_of_pod(const api::Pod& pod) {
  return {"v1", "Pod", pod.meta.namespace_name, pod.meta.name, pod.meta.uid};
}

}  // namespace

Bridge::Bridge(sim::World& world, cluster::ObjectStore& store, rest::KubeApi& api)
    : world_(world),
      store_(store),
      api_(api),
      events_([this](const cluster::ObjectKey& key, Json event) {
        api_.put_from_world(key, std::move(event), kManager);
      }) {
  store_.on_change.push_back([this](const cluster::StoreEvent& event) {
    if (!giving_out_) inbox_.push_back(event);
  });
  world_.on_change = [this](const cluster::Change& change) {
    dirty_.emplace(change.kind, change.key);
    if (on_change) on_change(change);
  };
  world_.on_decision = [this](std::string_view controller, const controllers::Decision& decision) {
    tell(controller, decision);
    if (on_decision) on_decision(controller, decision);
  };
}

void Bridge::mirror_all() {
  dirty_ = cluster::all_objects(world_.state());
  give_out();
}

void Bridge::take_in() {
  while (!inbox_.empty()) {
    const cluster::StoreEvent event = std::move(inbox_.front());
    inbox_.pop_front();
    take_in(event);
  }
}

void Bridge::take_in(const cluster::StoreEvent& event) {
  const cluster::ObjectKey& key = event.object->key;
  const std::optional<Kind> kind = cluster::kind_of_resource(key.resource);
  if (!kind) return;
  const std::string name =
      key.namespace_name.empty() ? key.name : key.namespace_name + "/" + key.name;
  if (event.type == cluster::EventType::kDeleted) {
    world_.remove(*kind, name);
    if (on_client_remove) on_client_remove(*kind, name);
    return;
  }
  const Result<Json> json = parse_json(event.object->json);
  WL_ASSERT(json.ok());
  Result<api::Object> object = api::decode(*json);
  if (!object.ok()) {
    // Admission refuses what can't be read; what slips through stays a document only.
    log::warning(fmt::format("{} {} is not seen by the simulated world: {}", key.resource, name,
                             object.error().message()));
    return;
  }
  world_.put(*object);
  if (on_client_write) on_client_write(*object);
}

void Bridge::give_out() {
  requeue_starting();
  const auto dirty = std::exchange(dirty_, {});
  giving_out_ = true;
  for (const auto& [kind, key] : dirty) give_out(kind, key);
  giving_out_ = false;
}

// A pod's image is there: nothing changes in the world, but its status does.
void Bridge::requeue_starting() {
  while (!pulling_.empty() && pulling_.begin()->first <= world_.now()) {
    dirty_.emplace(Kind::kPod, pulling_.begin()->second);
    pulling_.erase(pulling_.begin());
  }
}

// What autoscalers read and write, where they are clients: nobody here has anything to add to it.
bool Bridge::is_clients(Kind kind) const {
  if (!world_.external()) return false;
  switch (kind) {
    case Kind::kNodeClaim:
    case Kind::kNodePool:
    case Kind::kNodeClass:
    case Kind::kNodeOverlay:
    case Kind::kScaledObject:
    case Kind::kScaledJob:
    case Kind::kHorizontalPodAutoscaler:
    case Kind::kTriggerAuthentication:
      return true;
    default:
      return false;
  }
}

void Bridge::give_out(Kind kind, const std::string& key) {
  const std::optional<cluster::ObjectKey> place = cluster::store_key(kind, key);
  if (!place) return;
  const std::optional<api::Object> object = cluster::object_at(world_.state(), kind, key);
  if (is_clients(kind) && (!object || store_.find(*place) != nullptr)) return;
  // A Node stands there to the letter as its kubelet wrote it: to write it again in other words
  // would only make the next write of a client a conflict.
  const bool outside = kind == Kind::kNode && object && world_.is_external(key);
  if (outside && store_.find(*place) != nullptr) return;
  if (kind == Kind::kPod) tell_pod(key, world_.state().pods().find(key));
  if (kind == Kind::kNode) tell_node(key, world_.state().nodes().find(key));
  if (!object) {
    api_.remove_from_world(*place);
    return;
  }
  ensure_namespace(place->namespace_name);
  Json json = encode_with_defaults(*object);
  enrich(*object, json);
  // Gone and there again within one run of the world: another object of the same name.
  const cluster::DocumentPtr before = store_.find(*place);
  const std::string& uid = api::meta_of(*object).uid;
  if (before != nullptr && !uid.empty() && before->uid != uid) api_.remove_from_world(*place);
  api_.put_from_world(*place, std::move(json), kManager);
}

void Bridge::enrich(const api::Object& object, Json& out) const {
  const auto* pod = std::get_if<api::Pod>(&object);
  if (pod != nullptr && !pod->spec.node_name.empty() && world_.is_external(pod->spec.node_name)) {
    enrich_external_pod(*pod, out);
  } else if (pod != nullptr) {
    enrich_pod(*pod, progress_of(world_, pod->meta.key()), world_.now(), out);
  } else if (const auto* node = std::get_if<api::Node>(&object)) {
    if (!world_.is_external(node->meta.name)) enrich_node(*node, out);
  }
}

void Bridge::ensure_namespace(const std::string& name) {
  if (name.empty() || !namespaces_.insert(name).second) return;
  const cluster::ObjectKey key{"namespaces", "", name};
  if (store_.find(key) != nullptr) return;
  Json space{{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}};
  kinds::set_defaults("", "Namespace", space);
  api_.put_from_world(key, std::move(space), kManager);
}

Involved Bridge::involved_of(std::string_view kind, std::string_view key) const {
  const size_t slash = key.find('/');
  const bool namespaced = slash != std::string_view::npos;
  Involved out;
  out.kind = kind;
  out.namespace_name = namespaced ? key.substr(0, slash) : "";
  out.name = namespaced ? key.substr(slash + 1) : key;
  for (const KnownKind& known : kKnown) {
    if (known.kind != kind) continue;
    out.api_version = known.api_version;
    const cluster::DocumentPtr document =
        store_.find({std::string(known.resource), out.namespace_name, out.name});
    if (document != nullptr) out.uid = document->uid;
  }
  return out;
}

void Bridge::tell(std::string_view controller, const controllers::Decision& decision) {
  const size_t slash = decision.object.find('/');
  if (slash == std::string::npos) return;
  const std::string_view object = decision.object;
  const controllers::EventWords words = controllers::event_words(controller, decision);
  const std::string message = controllers::event_message(decision);
  const bool outside = !giving_out_;
  giving_out_ = true;
  // Claims of one command stand in one object, with commas between.
  for (const std::string_view key : split(object.substr(slash + 1), ',')) {
    events_.record(involved_of(object.substr(0, slash), key), words.type, words.reason, message,
                   words.component, world_.now());
  }
  if (outside) giving_out_ = false;
}

void Bridge::tell_pod(const std::string& key, const api::Pod* pod) {
  if (pod == nullptr) {
    pods_.erase(key);
    return;
  }
  PodMarks& marks = pods_[key];
  const Involved about = involved_of_pod(*pod);
  const Instant now = world_.now();
  const auto say = [&](std::string_view type, std::string_view reason, const std::string& message,
                       std::string_view component) {
    events_.record(about, type, reason, message, component, now);
  };
  if (!pod->unschedulable_message.empty() && pod->unschedulable_message != marks.unschedulable) {
    say("Warning", "FailedScheduling", pod->unschedulable_message, "default-scheduler");
  }
  marks.unschedulable = pod->unschedulable_message;
  const std::string image = pod->spec.containers.empty() ? "" : pod->spec.containers.front().image;
  if (!pod->spec.node_name.empty() && !marks.bound) {
    marks.bound = true;
    if (!pod->daemon()) {
      say("Normal", "Scheduled",
          fmt::format("Successfully assigned {} to {}", key, pod->spec.node_name),
          "default-scheduler");
    }
    const StartProgress progress = progress_of(world_, key);
    if (progress.known && progress.pulled > now) {
      say("Normal", "Pulling", fmt::format("Pulling image \"{}\"", image), "kubelet");
      pulling_.emplace(progress.pulled, key);
    }
  }
  // The rest is the kubelet's to say.
  if (marks.bound && world_.is_external(pod->spec.node_name)) return;
  const StartProgress progress = progress_of(world_, key);
  const bool running =
      pod->phase == api::PodPhase::kRunning || (progress.known && now >= progress.pulled);
  if (running && marks.bound && !marks.running) {
    marks.running = true;
    say("Normal", "Pulled", fmt::format("Successfully pulled image \"{}\"", image), "kubelet");
    say("Normal", "Started", "Started container", "kubelet");
  }
  if (pod->meta.deleted && !marks.deleted) {
    marks.deleted = true;
    if (marks.bound) say("Normal", "Killing", "Stopping container", "kubelet");
  }
}

void Bridge::tell_node(const std::string& name, const api::Node* node) {
  if (node == nullptr) {
    nodes_ready_.erase(name);
    api_.remove_from_world({"leases.coordination.k8s.io", "kube-node-lease", name});
    return;
  }
  if (world_.is_external(name)) return;
  if (!api::is_true(node->conditions, "Ready") || !nodes_ready_.insert(name).second) return;
  events_.record({"v1", "Node", "", name, node->meta.uid}, "Normal", "NodeReady",
                 fmt::format("Node {} status is now: NodeReady", name), "kubelet", world_.now());
}

void Bridge::renew_leases(Instant now) {
  giving_out_ = true;
  ensure_namespace("kube-node-lease");
  std::string renewed = to_rfc3339(Instant{now.ns / 1'000'000'000 * 1'000'000'000});
  renewed.pop_back();
  renewed += ".000000Z";
  for (const std::string& name : nodes_ready_) {
    Json lease{{"apiVersion", "coordination.k8s.io/v1"}, {"kind", "Lease"}};
    lease["metadata"] = {{"name", name}, {"namespace", "kube-node-lease"}};
    lease["spec"] = {
        {"holderIdentity", name}, {"leaseDurationSeconds", 40}, {"renewTime", renewed}};
    api_.put_from_world({"leases.coordination.k8s.io", "kube-node-lease", name}, std::move(lease),
                        "kubelet");
  }
  giving_out_ = false;
}

}  // namespace windlass::server::embedded

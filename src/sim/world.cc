#include "sim/world.h"

#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controllers/cluster_view.h"
#include "sim/api_server.h"
#include "sim/cloud.h"
#include "sim/exporters.h"
#include "sim/inference_plane.h"
#include "sim/kube_scheduler.h"
#include "sim/kubelet.h"
#include "sim/recorder.h"
#include "sim/training.h"
#include "sim/workloads.h"

namespace windlass::sim {
namespace {

using cluster::Kind;
using controllers::Policy;

class World {
 public:
  World(const Scenario& scenario, Policy policy, const RunOptions& options,
        InferencePlane inference, std::unique_ptr<Context> context)
      : scenario_(scenario),
        policy_(policy),
        options_(options),
        context_(std::move(context)),
        api_(*context_),
        cloud_(*context_),
        kubelets_(*context_),
        scheduler_(*context_, api_),
        workloads_(*context_, api_),
        inference_(std::move(inference)),
        training_(*context_),
        exporters_(*context_, inference_, training_),
        recorder_(*context_, cloud_, kubelets_, inference_, training_),
        ring_(controllers::wire(policy, scenario.wiring)) {
    connect();
  }

  Result<RunResult> run();

 private:
  void connect();
  void set_up();
  void place_first_nodes(const StartSpec& start);
  void start_first_pods();
  void tick_signals();
  void perform(const controllers::Action& action);
  // Hands the changes to the in-cluster parts and the ring until all is quiet at this instant.
  void settle();
  void react(const cluster::Change& change);
  void log(std::string_view controller, const controllers::Decision& decision);
  void write(std::string_view controller, const controllers::Decision& decision);
  void tell_bound(const api::Pod& pod);

  const Scenario& scenario_;
  Policy policy_;
  const RunOptions& options_;
  std::unique_ptr<Context> context_;
  ApiServer api_;
  Cloud cloud_;
  Kubelets kubelets_;
  KubeScheduler scheduler_;
  Workloads workloads_;
  InferencePlane inference_;
  Training training_;
  Exporters exporters_;
  Recorder recorder_;
  controllers::Ring ring_;
  std::set<std::string> started_;  // pods whose kubelet has begun
};

void World::connect() {
  cloud_.on_running = [this](const Instance& instance) { kubelets_.boot(instance); };
  cloud_.on_gone = [this](const Instance& instance) { kubelets_.remove_node(instance); };
  api_.on_pod_deleted = [this](const std::string& pod) { kubelets_.stop_pod(pod); };
  kubelets_.on_ready = [this](const std::string& key) {
    const api::Pod& pod = context_->state.pods().at(key);
    inference_.pod_ready(pod);
    training_.pod_ready(pod);
    recorder_.pod_ready(pod);
  };
  kubelets_.on_stop = [this](const std::string& key) {
    training_.pod_stops(key);
    return inference_.pod_stops(key);
  };
  kubelets_.on_gone = [this](const std::string& key) {
    recorder_.note_first_tokens();
    training_.pod_stops(key);
    inference_.pod_gone(key);
    started_.erase(key);
  };
  inference_.on_drained = [this](const std::string& key) { kubelets_.finish_pod(key); };
  training_.on_done = [this](const std::string& key) {
    api::Pod pod = context_->state.pods().at(key);
    pod.phase = api::PodPhase::kSucceeded;
    pod.ready = false;
    context_->note("succeeded", key);
    context_->state.put(std::move(pod));
  };
}

// Nodes that are up at time 0: those of a NodePool with a claim of their own, as if launched
// before.
void World::place_first_nodes(const StartSpec& start) {
  int count = 0;
  for (const NodeGroup& group : start.nodes) {
    const api::NodePool* pool = context_->state.node_pools().find(group.pool);
    for (int i = 0; i < group.count; ++i) {
      const std::string name =
          pool == nullptr ? "" : fmt::format("{}-start-{}", group.pool, ++count);
      const Instance& instance = cloud_.start_with(group, name, i);
      if (pool == nullptr) {
        kubelets_.start_with(instance, group, nullptr);
        continue;
      }
      api::NodeClaim claim;
      claim.meta.name = name;
      claim.meta.uid = "claim-" + name;
      claim.meta.created = context_->now;
      claim.meta.finalizers = {std::string(api::kTerminationFinalizer)};
      claim.meta.labels = pool->labels;
      for (const auto& [key, value] : instance.type->requirements.labels()) {
        claim.meta.labels[key] = value;
      }
      claim.meta.labels[std::string(api::kNodePoolLabel)] = group.pool;
      claim.meta.labels[std::string(api::kInstanceTypeLabel)] = instance.type->name;
      claim.meta.labels[std::string(api::kZoneLabel)] = instance.zone;
      claim.meta.labels[std::string(api::kCapacityTypeLabel)] = instance.capacity_type;
      claim.taints = pool->taints;
      claim.requirements = pool->requirements;
      claim.node_class = pool->node_class;
      claim.provider_id = instance.provider_id;
      claim.node_name = instance.node_name;
      const catalog::InstanceType* type =
          context_->state.types_for(pool->node_class.name).find(instance.type->name);
      claim.capacity = type->capacity;
      claim.allocatable = type->allocatable;
      for (const char* condition : {"Launched", "Registered", "Initialized", "Ready"}) {
        claim.conditions.push_back({condition, "True", condition, "", context_->now});
      }
      context_->state.put(claim);
      kubelets_.start_with(instance, group, &claim);
    }
  }
}

void World::start_first_pods() {
  std::vector<std::string> deployments;
  for (const auto& [key, deployment] : context_->state.deployments()) deployments.push_back(key);
  for (const std::string& key : deployments) workloads_.sync_deployment(key);
  workloads_.sync_daemons();
  scheduler_.pass();
  std::vector<std::string> bound;
  for (const auto& [key, pod] : context_->state.pods()) {
    if (!pod.spec.node_name.empty()) bound.push_back(key);
  }
  for (const std::string& key : bound) {
    started_.insert(key);
    kubelets_.start_pod_warm(key);
  }
}

void World::set_up() {
  for (const api::Object& object : scenario_.objects) {
    api::Object placed = object;
    if (auto* deployment = std::get_if<api::Deployment>(&placed)) {
      // An object of a file has no uid; its pods are found by it.
      deployment->meta.uid = "deployment-" + deployment->meta.key();
      deployment->meta.created = context_->now;
      if (const api::PriorityClass* priority = context_->state.priority_classes().find(
              deployment->pod_template.spec.priority_class)) {
        deployment->pod_template.spec.priority = priority->value;
      }
      const StartSpec& start = policy_ == Policy::kStatic ? scenario_.fixed : scenario_.autoscaled;
      if (const auto it = start.replicas.find(deployment->meta.key()); it != start.replicas.end()) {
        deployment->replicas = it->second;
      }
    } else if (auto* daemon_set = std::get_if<api::DaemonSet>(&placed)) {
      daemon_set->meta.uid = "daemonset-" + daemon_set->meta.key();
    } else if (auto* scaled = std::get_if<api::ScaledObject>(&placed)) {
      scaled->meta.created = context_->now;
    } else if (auto* job = std::get_if<api::Job>(&placed)) {
      job->meta.uid = "job-" + job->meta.key();
      job->meta.created = context_->now;
    }
    context_->state.put(std::move(placed));
  }
  std::vector<cluster::InferenceModel> models;
  for (const ModelSpec& spec : scenario_.models) models.push_back(spec.model);
  context_->state.set_models(std::move(models));
  place_first_nodes(policy_ == Policy::kStatic ? scenario_.fixed : scenario_.autoscaled);
  start_first_pods();
  training_.plan();
  exporters_.start();
  recorder_.start();
  tick_signals();
  ring_.start(context_->state, context_->now);
}

void World::tick_signals() {
  inference_.observe_signals();
  context_->after(InferencePlane::kSignalPeriod, [this] { tick_signals(); });
}

void World::perform(const controllers::Action& action) {
  if (const auto* put = std::get_if<controllers::PutObject>(&action)) {
    api_.put(put->object);
  } else if (const auto* remove = std::get_if<controllers::DeleteObject>(&action)) {
    api_.remove(*remove);
  } else if (const auto* scale = std::get_if<controllers::ScaleDeployment>(&action)) {
    api_.scale(scale->deployment, scale->replicas);
  } else if (const auto* evict = std::get_if<controllers::EvictPod>(&action)) {
    api_.evict(evict->pod);
  } else if (const auto* launch = std::get_if<controllers::Launch>(&action)) {
    cloud_.launch(*launch);
  } else if (const auto* terminate = std::get_if<controllers::TerminateInstance>(&action)) {
    cloud_.terminate(terminate->provider_id, terminate->reason);
  } else if (const auto* query = std::get_if<controllers::QueryMetrics>(&action)) {
    exporters_.query(*query);
  }
}

void World::react(const cluster::Change& change) {
  workloads_.observe(change);
  const bool moves_pods = change.kind == Kind::kPod || change.kind == Kind::kNode;
  if (moves_pods && !context_->state.unbound_pods().empty()) scheduler_.wake();
  if (change.kind != Kind::kPod) return;
  recorder_.pods_changed();
  const api::Pod* pod = context_->state.pods().find(change.key);
  const bool starts = pod != nullptr && !pod->spec.node_name.empty() && !pod->meta.deleted &&
                      pod->phase == api::PodPhase::kPending;
  if (starts && started_.insert(change.key).second) {
    recorder_.pod_bound(*pod);
    tell_bound(*pod);
    kubelets_.start_pod(change.key);
  }
}

void World::log(std::string_view controller, const controllers::Decision& decision) {
  context_->note(decision.what, decision.object);
  context_->hash.add(decision.result);
  write(controller, decision);
}

// The scheduler of the cluster is part of the simulated world, so this is no decision of ours and
// no part of the hash; without it nobody could follow a pod to its node.
void World::tell_bound(const api::Pod& pod) {
  if (!options_.decisions) return;
  const api::NodeClaim* claim = context_->state.claim_of_node(pod.spec.node_name);
  const std::string waited =
      to_string(milliseconds((context_->now - pod.meta.created).ns / 1'000'000));
  controllers::Decision bound{
      "Pod/" + pod.meta.key(),
      "bind",
      {{"node", pod.spec.node_name},
       {"claim", claim == nullptr ? "" : claim->meta.name},
       {"waited", waited}},
      "bound to " + pod.spec.node_name,
      {fmt::format("kube-scheduler found it room {} after it was made", waited)}};
  for (const api::OwnerReference& owner : pod.meta.owners) {
    // Autoscalers name the Deployment, whose ReplicaSet stands between it and the pod.
    const std::string kind = owner.kind == "ReplicaSet" ? "Deployment" : owner.kind;
    bound.inputs.emplace_back("owner",
                              fmt::format("{}/{}/{}", kind, pod.meta.namespace_name, owner.name));
  }
  write("kube_scheduler", bound);
}

void World::write(std::string_view controller, const controllers::Decision& decision) {
  if (!options_.decisions) return;
  nlohmann::ordered_json line;
  line["time"] = to_rfc3339(context_->now);
  line["policy"] = controllers::to_string(policy_);
  line["controller"] = controller;
  line["object"] = decision.object;
  line["decision"] = decision.what;
  line["inputs"] = nlohmann::ordered_json::object();
  for (const auto& [name, value] : decision.inputs) line["inputs"][name] = value;
  line["result"] = decision.result;
  line["reasons"] = decision.reasons;
  options_.decisions(line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void World::settle() {
  controllers::Ring::Step step;
  while (true) {
    const std::deque<cluster::Change> changes = context_->state.take_changes();
    for (const cluster::Change& change : changes) react(change);
    ring_.observe(changes, context_->state, context_->now);
    if (!ring_.step(context_->state, context_->now, step)) {
      if (changes.empty()) return;
      continue;
    }
    for (const controllers::Decision& decision : step.outcome.decisions) {
      log(step.controller, decision);
    }
    for (const controllers::Action& action : step.outcome.actions) perform(action);
  }
}

Result<RunResult> World::run() {
  set_up();
  settle();
  const Instant end = scenario_.start + scenario_.duration;
  Instant next_progress = scenario_.start;
  bool partial = false;
  while (true) {
    const Instant next =
        std::min({context_->events.next(), ring_.next_due(), inference_.next_drained(), end});
    context_->now = std::max(next, context_->now);
    if (Status status = inference_.advance(context_->now); !status.ok()) return status.error();
    if (context_->now >= end) break;
    if (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed)) {
      partial = true;
      break;
    }
    if (inference_.next_drained() <= context_->now) inference_.report_drained();
    if (context_->events.next() <= context_->now) context_->events.pop()();
    settle();
    if (options_.progress && context_->now >= next_progress) {
      options_.progress(context_->since_start_s() / scenario_.duration.seconds());
      next_progress = context_->now + minutes(30);
    }
  }
  return recorder_.result(policy_, partial);
}

}  // namespace

Result<RunResult> simulate(const Scenario& scenario, Policy policy, const RunOptions& options) {
  auto context = std::make_unique<Context>(scenario, catalog::built_in(scenario.cloud.catalog));
  auto inference = InferencePlane::open(*context);
  if (!inference.ok()) return inference.error();
  World world(scenario, policy, options, *std::move(inference), std::move(context));
  return world.run();
}

}  // namespace windlass::sim

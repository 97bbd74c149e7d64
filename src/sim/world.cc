#include "sim/world.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "controllers/decision_text.h"

namespace windlass::sim {

using cluster::Kind;
using controllers::Policy;

World::World(const Scenario& scenario, Policy policy, WorldOptions options,
             InferencePlane inference, std::unique_ptr<Context> context)
    : scenario_(scenario),
      policy_(policy),
      options_(std::move(options)),
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

World::~World() = default;

Result<std::unique_ptr<World>> World::open(const Scenario& scenario, Policy policy,
                                           WorldOptions options) {
  auto context = std::make_unique<Context>(scenario, catalog::built_in(scenario.cloud.catalog));
  context->served = options.keep_raw;
  if (Status status = read_clock(options.saved, *context); !status.ok()) return status.error();
  context->state.set_opened(context->opened);
  auto inference = InferencePlane::open(*context);
  if (!inference.ok()) return inference.error();
  std::unique_ptr<World> world(
      new World(scenario, policy, std::move(options), *std::move(inference), std::move(context)));
  if (Status status = world->set_up(); !status.ok()) return status.error().in("saved world");
  return world;
}

void World::connect() {
  exporters_.foreign_answer = options_.answer;
  cloud_.on_running = [this](const Instance& instance) { kubelets_.boot(instance); };
  cloud_.on_gone = [this](const Instance& instance) { kubelets_.remove_node(instance); };
  api_.ends_outside = [this](const api::Pod& pod) { return is_external(pod.spec.node_name); };
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
  workloads_.on_remove = [this](Kind kind, const std::string& key) { take_away(kind, key); };
  inference_.on_drained = [this](const std::string& key) { kubelets_.finish_pod(key); };
  training_.on_done = [this](const std::string& key, bool succeeded) {
    api::Pod pod = context_->state.pods().at(key);
    pod.phase = succeeded ? api::PodPhase::kSucceeded : api::PodPhase::kFailed;
    pod.ready = false;
    context_->note(succeeded ? "succeeded" : "failed", key);
    context_->state.put(std::move(pod));
  };
}

bool World::is_external(const std::string& node) const {
  if (!options_.external) return false;
  const api::Node* found = context_->state.nodes().find(node);
  return found == nullptr || !cloud_.instances().contains(found->provider_id);
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
  if (change.removed) {  // its name may come again
    started_.erase(change.key);
    kubelets_.forget_pod(change.key);
  }
  recorder_.pod_changed(change.key);
  const api::Pod* pod = context_->state.pods().find(change.key);
  const bool starts = pod != nullptr && !pod->spec.node_name.empty() && !pod->meta.deleted &&
                      pod->phase == api::PodPhase::kPending;
  if (starts && started_.insert(change.key).second) {
    recorder_.pod_bound(*pod);
    tell_bound(*pod);
    if (!is_external(pod->spec.node_name)) kubelets_.start_pod(change.key);
  }
}

void World::log(std::string_view controller, const controllers::Decision& decision) {
  context_->note(decision.what, decision.object);
  context_->hash.add(decision.result);
  if (on_decision) on_decision(controller, decision);
}

// The scheduler of the cluster is part of the simulated world, so this is no decision of ours and
// no part of the hash; without it nobody could follow a pod to its node.
void World::tell_bound(const api::Pod& pod) {
  if (!on_decision) return;
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
  const api::Deployment* deployment = context_->state.deployment_of(pod);
  for (const api::OwnerReference& owner : pod.meta.owners) {
    // Autoscalers name the Deployment, whose ReplicaSet stands between it and the pod.
    const bool by_set = owner.kind == "ReplicaSet";
    const std::string& name = by_set && deployment != nullptr ? deployment->meta.name : owner.name;
    bound.inputs.emplace_back("owner", fmt::format("{}/{}/{}", by_set ? "Deployment" : owner.kind,
                                                   pod.meta.namespace_name, name));
  }
  on_decision("kube_scheduler", bound);
}

void World::settle() {
  settled_ = true;
  controllers::Ring::Step step;
  while (true) {
    const std::deque<cluster::Change> changes = context_->state.take_changes();
    for (const cluster::Change& change : changes) react(change);
    if (on_change) {
      for (const cluster::Change& change : changes) on_change(change);
    }
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

Instant World::next_due() const {
  if (!settled_) return context_->now;
  return std::min({context_->events.next(), ring_.next_due(), inference_.next_drained()});
}

Status World::run_until(Instant to, const std::function<bool()>& enough) {
  if (!settled_) settle();
  while (true) {
    context_->now = std::max(std::min(next_due(), to), context_->now);
    if (Status status = inference_.advance(context_->now); !status.ok()) return status;
    if (context_->now >= to) return {};
    if (inference_.next_drained() <= context_->now) inference_.report_drained();
    if (context_->events.next() <= context_->now) context_->events.pop()();
    settle();
    if (enough && enough()) return {};
  }
}

RunResult World::result(bool partial) { return recorder_.result(policy_, partial); }

Result<RunResult> simulate(const Scenario& scenario, Policy policy, const RunOptions& options) {
  auto opened = World::open(scenario, policy, {});
  if (!opened.ok()) return opened.error();
  World& world = **opened;
  if (options.decisions) {
    world.on_decision = [&](std::string_view controller, const controllers::Decision& decision) {
      options.decisions(controllers::decision_line(world.now(), policy, controller, decision));
    };
  }
  Instant next_progress = scenario.start;
  bool partial = false;
  const auto between_events = [&] {
    if (options.progress && world.now() >= next_progress) {
      options.progress((world.now() - scenario.start).seconds() / scenario.duration.seconds());
      next_progress = world.now() + minutes(30);
    }
    partial = options.stop != nullptr && options.stop->load(std::memory_order_relaxed);
    return partial;
  };
  const Instant end = scenario.start + scenario.duration;
  if (Status status = world.run_until(end, between_events); !status.ok()) return status.error();
  return world.result(partial);
}

}  // namespace windlass::sim

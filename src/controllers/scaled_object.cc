#include "controllers/scaled_object.h"

#include <algorithm>

#include <fmt/format.h>

#include "controllers/joint.h"
#include "controllers/scaled_object_plan.h"

namespace windlass::controllers {
namespace {

using cluster::Kind;
using cluster::QueryPurpose;

// The GPU of the pod's node as its label names it; empty: no node, or none with a GPU.
std::string gpu_of(const cluster::State& state, const api::Pod& pod) {
  const api::Node* node = state.nodes().find(pod.spec.node_name);
  if (node == nullptr) return {};
  const auto label = node->meta.labels.find("karpenter.k8s.aws/instance-gpu-name");
  return label == node->meta.labels.end() ? std::string() : label->second;
}

scaling::TargetState target_state(const scaling::ScaledObjectPlan& plan,
                                  const cluster::State& state, const api::Deployment& deployment) {
  scaling::TargetState target;
  target.replicas = deployment.replicas;
  target.always_explain = false;
  std::vector<std::string> gpus;
  for (const std::string& key : state.pods_of(deployment.meta.uid)) {
    const api::Pod& pod = state.pods().at(key);
    const bool ready = pod.phase == api::PodPhase::kRunning && pod.ready && !pod.meta.deleted;
    if (ready) ++target.ready_pods;
    // A pod without a node yet says nothing about the mix.
    const bool placed = !plan.opt_ins.gpu_weights.empty() && !pod.spec.node_name.empty();
    if (placed) gpus.push_back(gpu_of(state, pod));
  }
  target.mean_weight = scaling::mean_gpu_weight(plan.opt_ins, gpus);
  return target;
}

scaling::TriggerReading count_workload(const scaling::TriggerPlan& plan,
                                       const api::ScaledObject& object,
                                       const cluster::State& state) {
  std::vector<const api::Pod*> pods;
  for (const auto& [key, pod] : state.pods()) pods.push_back(&pod);
  return scaling::read_workload(plan, pods, object.meta.namespace_name);
}

// Somebody outside has to be asked for its value.
bool has_source(const scaling::TriggerPlan& plan) {
  using Kind = scaling::TriggerPlan::Kind;
  return plan.kind == Kind::kPrometheus || plan.kind == Kind::kMetricsApi ||
         plan.kind == Kind::kExternal;
}

std::string describe(const scaling::TriggerReading& reading) {
  return reading.ok() ? fmt::format("{:g}", *reading) : "error: " + reading.error().message();
}

std::string no_target(const api::ScaledObject& object) {
  if (object.target_kind != "Deployment") {
    return fmt::format("scaleTargetRef: {} {} is not scaled here (accepted: Deployment)",
                       object.target_kind, object.target_name);
  }
  return fmt::format("scaleTargetRef: there is no Deployment {}", object.target_name);
}

// Said once, not at every look.
void refuse(const api::ScaledObject& object, const std::string& why, Instant now, Outcome& out) {
  api::ScaledObject told = object;
  if (!api::set_condition(told.conditions,
                          {"Ready", "False", "ScaledObjectCheckFailed", why, now})) {
    return;
  }
  out.actions.push_back(PutObject{std::move(told)});
  out.decisions.push_back({"ScaledObject/" + object.meta.key(), "refuse", {}, "not scaled", {why}});
}

}  // namespace

void ScaledObjectController::touched(const cluster::Change& change, const cluster::State& state,
                                     std::vector<std::string>& keys) {
  const bool concerns = change.kind == Kind::kScaledObject || change.kind == Kind::kQueryRound;
  if (concerns) keys.push_back(change.key);
  const bool referred = change.kind == Kind::kSecret || change.kind == Kind::kConfigMap ||
                        change.kind == Kind::kTriggerAuthentication;
  if (!referred) return;
  for (const auto& [key, object] : state.scaled_objects()) {
    if (reference_version(state, object) != 0) keys.push_back(key);
  }
}

void ScaledObjectController::start(const cluster::State& state, std::vector<std::string>& keys) {
  for (const auto& [key, object] : state.scaled_objects()) keys.push_back(key);
}

QueryMetrics ScaledObjectController::ask(const std::string& key, Memory& memory,
                                         QueryPurpose purpose) const {
  QueryMetrics query;
  query.scaled_object = key;
  query.purpose = purpose;
  query.round = ++memory.rounds;
  for (size_t i = 0; i < memory.plan->triggers.size(); ++i) {
    const scaling::TriggerPlan& plan = memory.plan->triggers[i];
    if (!has_source(plan)) continue;
    if (plan.cached && purpose == QueryPurpose::kSync) continue;
    query.queries.push_back({i, plan.server_address, plan.query, plan.timeout});
  }
  (purpose == QueryPurpose::kPoll ? memory.open_poll : memory.open_sync) = query.round;
  return query;
}

std::vector<scaling::TriggerReading> ScaledObjectController::read(Memory& memory,
                                                                  const api::ScaledObject& object,
                                                                  const cluster::QueryRound& round,
                                                                  const cluster::State& state,
                                                                  Instant now) const {
  using Kind = scaling::TriggerPlan::Kind;
  scaling::ScaledObjectPlan& plan = *memory.plan;
  const bool syncing = round.purpose == QueryPurpose::kSync;
  std::vector<scaling::TriggerReading> readings;
  for (size_t i = 0; i < plan.triggers.size(); ++i) {
    const scaling::TriggerPlan& trigger = plan.triggers[i];
    const auto answer = std::find_if(round.answers.begin(), round.answers.end(),
                                     [&](const auto& a) { return a.trigger == i; });
    if (trigger.kind == Kind::kCron) {
      readings.push_back(scaling::read_cron(trigger, now));
    } else if (syncing && trigger.cached && i < memory.polled.size()) {
      readings.push_back(memory.polled[i]);
    } else if (trigger.kind == Kind::kWorkload) {
      readings.push_back(count_workload(trigger, object, state));
    } else if (answer == round.answers.end()) {
      readings.push_back(Error("no answer"));
    } else {
      readings.push_back(scaling::read_prometheus(trigger, {answer->values, answer->error}));
      readings.back().sampled_at = round.at;
      readings.back().active = answer->active;
      if (answer->target_milli) memory.plan->triggers[i].target_milli = *answer->target_milli;
    }
  }
  readings = scaling::trusted_readings(plan, std::move(readings), now, memory.keda);
  if (!syncing) memory.polled = readings;
  return readings;
}

void ScaledObjectController::poll(const api::ScaledObject& object,
                                  const api::Deployment& deployment,
                                  const std::vector<scaling::TriggerReading>& readings,
                                  const cluster::State& state, Instant now, Memory& memory,
                                  Outcome& out) {
  const scaling::PollDecision decision =
      scaling::evaluate_poll(object, *memory.plan, readings,
                             target_state(*memory.plan, state, deployment), now, memory.keda);
  api::ScaledObject updated = object;
  bool changed = describe(updated);
  if (decision.last_active && decision.last_active != object.last_active) {
    updated.last_active = decision.last_active;
    changed = true;
  }
  for (api::Condition condition : decision.conditions) {
    condition.changed = now;
    if (!api::set_condition(updated.conditions, condition)) continue;
    changed = true;
    if (condition.type == "Ready" && condition.status != "True") {
      out.decisions.push_back({"ScaledObject/" + object.meta.key(),
                               "fail",
                               {},
                               condition.message,
                               {"a trigger's source gave no value in this poll"}});
    }
  }
  if (changed) out.actions.push_back(PutObject{updated});
  if (decision.set_replicas && *decision.set_replicas != deployment.replicas) {
    out.actions.push_back(ScaleDeployment{deployment.meta.key(), *decision.set_replicas});
    out.decisions.push_back(
        {"ScaledObject/" + object.meta.key(),
         "activate",
         inputs(memory, readings, deployment),
         fmt::format("{} -> {} replicas", deployment.replicas, *decision.set_replicas),
         {decision.why}});
  }
}

std::vector<std::pair<std::string, std::string>> ScaledObjectController::inputs(
    const Memory& memory, const std::vector<scaling::TriggerReading>& readings,
    const api::Deployment& deployment) const {
  std::vector<std::pair<std::string, std::string>> inputs{
      {"target", "Deployment/" + deployment.meta.key()}};
  for (size_t i = 0; i < readings.size(); ++i) {
    inputs.emplace_back(memory.plan->triggers[i].metric_name, describe(readings[i]));
  }
  return inputs;
}

void ScaledObjectController::sync(const api::ScaledObject& object,
                                  const api::Deployment& deployment,
                                  const std::vector<scaling::TriggerReading>& readings,
                                  const cluster::State& state, Instant now, Memory& memory,
                                  Outcome& out) {
  const scaling::ScaledObjectPlan& plan = *memory.plan;
  const scaling::TargetState target = target_state(plan, state, deployment);
  scaling::HpaInput input;
  input.min_replicas = scaling::hpa_min(object);
  input.max_replicas = object.max();
  input.behavior = plan.behavior ? &*plan.behavior : nullptr;
  input.spec_replicas = deployment.replicas;
  input.status_replicas = deployment.status_replicas;
  input.ready_pods = target.ready_pods;
  input.always_explain = false;
  input.metrics = scaling::hpa_metrics(object, plan, readings, target, memory.keda);
  // There is no metrics-server in this world.
  for (scaling::HpaMetric& metric : input.metrics) {
    if (metric.source != scaling::HpaMetric::Source::kExternal) {
      metric.reading = std::string("no resource metrics here");
    }
  }
  const scaling::HpaDecision decision = scaling::evaluate_hpa(input, hpa_, now, memory.hpa);
  if (decision.replicas == deployment.replicas) return;
  out.actions.push_back(ScaleDeployment{deployment.meta.key(), decision.replicas});
  out.decisions.push_back({"ScaledObject/" + object.meta.key(),
                           "scale",
                           inputs(memory, readings, deployment),
                           fmt::format("{} -> {} replicas", deployment.replicas, decision.replicas),
                           {decision.why}});
}

// KEDA stops the loop and deletes the HPA, with all it remembered; only paused-replicas still acts.
Outcome ScaledObjectController::hold_paused(const api::ScaledObject& object,
                                            const api::Deployment& deployment,
                                            const cluster::State& state, Instant now,
                                            Memory& memory) {
  Outcome out;
  const std::vector<scaling::TriggerReading> none(memory.plan->triggers.size(), Error("paused"));
  poll(object, deployment, none, state, now, memory, out);
  memory.hpa = {};
  memory.open_poll = memory.open_sync = 0;
  memory.next_poll = now;
  memory.next_sync = now + hpa_.sync_period;
  out.requeue_at = now + object.polling_interval;
  return out;
}

Outcome ScaledObjectController::reconcile(const std::string& key, const cluster::State& state,
                                          Instant now) {
  Outcome out;
  const api::ScaledObject* object = state.scaled_objects().find(key);
  if (object == nullptr) {
    memories_.erase(key);
    return out;
  }
  const api::Deployment* deployment = target_of(*object, state);
  if (!known_models_ && deployment != nullptr && state.model_of(deployment->meta.key())) return out;
  Memory& memory = memories_[key];
  const bool changed = memory.generation != object->meta.generation ||
                       memory.annotations != object->meta.annotations || !memory.plan ||
                       memory.references != reference_version(state, *object);
  if (changed) {
    auto plan = plan_in(state, *object);
    if (!plan.ok()) {
      refuse(*object, plan.error().message(), now, out);
      return out;
    }
    memory.plan = *std::move(plan);
    memory.generation = object->meta.generation;
    memory.annotations = object->meta.annotations;
    memory.references = reference_version(state, *object);
    // KEDA looks at once; the HPA's first sync comes one period after creation.
    memory.next_poll = now;
    memory.next_sync = now + hpa_.sync_period;
  }
  if (deployment == nullptr) {
    refuse(*object, no_target(*object), now, out);
    out.requeue_at = now + object->polling_interval;
    return out;
  }
  if (memory.plan->pause.paused) return hold_paused(*object, *deployment, state, now, memory);
  const cluster::QueryRound* polled = state.query_round(key, QueryPurpose::kPoll);
  if (polled != nullptr && polled->id == memory.open_poll) {
    memory.open_poll = 0;
    poll(*object, *deployment, read(memory, *object, *polled, state, now), state, now, memory, out);
  }
  if (polled != nullptr && polled->id == 0 && polled->at > memory.pushed) {
    memory.pushed = polled->at;
    memory.next_poll = now;
  }
  const cluster::QueryRound* synced = state.query_round(key, QueryPurpose::kSync);
  if (synced != nullptr && synced->id == memory.open_sync) {
    memory.open_sync = 0;
    sync(*object, *deployment, read(memory, *object, *synced, state, now), state, now, memory, out);
  }
  if (now >= memory.next_poll) {
    out.actions.push_back(ask(key, memory, QueryPurpose::kPoll));
    memory.next_poll = now + object->polling_interval;
  }
  if (now >= memory.next_sync) {
    out.actions.push_back(ask(key, memory, QueryPurpose::kSync));
    memory.next_sync = now + hpa_.sync_period;
  }
  out.requeue_at = std::min(memory.next_poll, memory.next_sync);
  return out;
}

}  // namespace windlass::controllers

#include "controllers/scaled_object.h"

#include <algorithm>

#include <fmt/format.h>

#include "controllers/joint.h"

namespace windlass::controllers {
namespace {

using cluster::Kind;
using cluster::QueryPurpose;

int32_t ready_pods(const cluster::State& state, const api::Deployment& deployment) {
  int32_t ready = 0;
  for (const std::string& key : state.pods_of(deployment.meta.uid)) {
    const api::Pod& pod = state.pods().at(key);
    if (pod.phase == api::PodPhase::kRunning && pod.ready && !pod.meta.deleted) ++ready;
  }
  return ready;
}

std::string describe(const scaling::TriggerReading& reading) {
  return reading.ok() ? fmt::format("{:g}", *reading) : "error: " + reading.error().message();
}

}  // namespace

void ScaledObjectController::touched(const cluster::Change& change, const cluster::State&,
                                     std::vector<std::string>& keys) {
  const bool concerns = change.kind == Kind::kScaledObject || change.kind == Kind::kQueryRound;
  if (concerns) keys.push_back(change.key);
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
  for (size_t i = 0; i < memory.plans.size(); ++i) {
    const scaling::TriggerPlan& plan = memory.plans[i];
    if (plan.kind != scaling::TriggerPlan::Kind::kPrometheus) continue;
    query.queries.push_back({i, plan.server_address, plan.query, plan.timeout});
  }
  (purpose == QueryPurpose::kPoll ? memory.open_poll : memory.open_sync) = query.round;
  return query;
}

std::vector<scaling::TriggerReading> ScaledObjectController::read(const Memory& memory,
                                                                  const cluster::QueryRound& round,
                                                                  Instant now) const {
  std::vector<scaling::TriggerReading> readings;
  for (size_t i = 0; i < memory.plans.size(); ++i) {
    const scaling::TriggerPlan& plan = memory.plans[i];
    if (plan.kind == scaling::TriggerPlan::Kind::kCron) {
      readings.push_back(scaling::read_cron(plan, now));
      continue;
    }
    const auto answer = std::find_if(round.answers.begin(), round.answers.end(),
                                     [&](const auto& a) { return a.trigger == i; });
    if (answer == round.answers.end()) {
      readings.push_back(Error("no answer"));
    } else {
      readings.push_back(scaling::read_prometheus(plan, {answer->values, answer->error}));
    }
  }
  return readings;
}

void ScaledObjectController::poll(const api::ScaledObject& object,
                                  const api::Deployment& deployment,
                                  const std::vector<scaling::TriggerReading>& readings, Instant now,
                                  Memory& memory, Outcome& out) {
  const scaling::PollDecision decision =
      scaling::evaluate_poll(object, memory.plans, readings, deployment.replicas, now, memory.keda);
  api::ScaledObject updated = object;
  bool changed = false;
  if (decision.last_active && decision.last_active != object.last_active) {
    updated.last_active = decision.last_active;
    changed = true;
  }
  for (api::Condition condition : decision.conditions) {
    condition.changed = now;
    changed |= api::set_condition(updated.conditions, condition);
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
    inputs.emplace_back(memory.plans[i].metric_name, describe(readings[i]));
  }
  return inputs;
}

void ScaledObjectController::sync(const api::ScaledObject& object,
                                  const api::Deployment& deployment,
                                  const std::vector<scaling::TriggerReading>& readings,
                                  const cluster::State& state, Instant now, Memory& memory,
                                  Outcome& out) {
  const int32_t ready = ready_pods(state, deployment);
  scaling::HpaInput input;
  input.min_replicas = std::max(object.min(), 1);
  input.max_replicas = object.max();
  input.behavior = object.behavior ? &*object.behavior : nullptr;
  input.spec_replicas = deployment.replicas;
  input.status_replicas = deployment.status_replicas;
  input.ready_pods = ready;
  input.metrics =
      scaling::hpa_metrics(object, memory.plans, readings, deployment.replicas, ready, memory.keda);
  const scaling::HpaDecision decision = scaling::evaluate_hpa(input, hpa_, now, memory.hpa);
  if (decision.replicas == deployment.replicas) return;
  out.actions.push_back(ScaleDeployment{deployment.meta.key(), decision.replicas});
  out.decisions.push_back({"ScaledObject/" + object.meta.key(),
                           "scale",
                           inputs(memory, readings, deployment),
                           fmt::format("{} -> {} replicas", deployment.replicas, decision.replicas),
                           {decision.why}});
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
  if (memory.generation != object->meta.generation || memory.plans.empty()) {
    auto plans = scaling::plan_triggers(*object, nullptr);
    if (!plans.ok()) {
      out.decisions.push_back(
          {"ScaledObject/" + key, "refuse", {}, "not scaled", {plans.error().message()}});
      return out;
    }
    memory.plans = *std::move(plans);
    memory.generation = object->meta.generation;
    // KEDA looks at once; the HPA's first sync comes one period after creation.
    memory.next_poll = now;
    memory.next_sync = now + hpa_.sync_period;
  }
  if (deployment == nullptr) {
    out.requeue_at = now + object->polling_interval;
    return out;
  }
  const cluster::QueryRound* polled = state.query_round(key, QueryPurpose::kPoll);
  if (polled != nullptr && polled->id == memory.open_poll) {
    memory.open_poll = 0;
    poll(*object, *deployment, read(memory, *polled, now), now, memory, out);
  }
  const cluster::QueryRound* synced = state.query_round(key, QueryPurpose::kSync);
  if (synced != nullptr && synced->id == memory.open_sync) {
    memory.open_sync = 0;
    sync(*object, *deployment, read(memory, *synced, now), state, now, memory, out);
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

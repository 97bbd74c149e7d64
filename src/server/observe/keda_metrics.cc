#include "server/observe/keda_metrics.h"

#include <algorithm>

#include "scaling/scaled_object.h"

namespace windlass::server::observe {
namespace {

const std::vector<std::string> kLabels{"namespace",    "scaledObject", "scaler",
                                       "triggerIndex", "metric",       "type"};

std::vector<std::string> labels_of(const api::ScaledObject& object, size_t index,
                                   const std::string& metric) {
  const api::Trigger& trigger = object.triggers[index];
  return {object.meta.namespace_name,
          object.meta.name,
          trigger.name.empty() ? trigger.type + "Scaler" : trigger.name,
          std::to_string(index),
          metric,
          "scaledobject"};
}

}  // namespace

KedaMetrics::KedaMetrics(Registry& registry, const Sources& sources)
    : sources_(sources),
      values_(registry.gauge("keda_scaler_metrics_value", "What the trigger read last.", kLabels)),
      active_(registry.gauge("keda_scaler_active", "1 while the trigger is active.", kLabels)),
      paused_(registry.gauge("keda_scaled_object_paused", "1 for a paused ScaledObject.",
                             {"namespace", "scaledObject"})),
      errors_(registry.counter("keda_scaler_detail_errors_total",
                               "Reads of the trigger that failed.", kLabels)) {}

void KedaMetrics::observe(const cluster::Change& change) {
  if (change.kind != cluster::Kind::kQueryRound) return;
  const api::ScaledObject* object = sources_.state->scaled_objects().find(change.key);
  if (object == nullptr) return;
  // Which of the two rounds is new isn't said: only KEDA's own polls are counted, by their time.
  const auto* round = sources_.state->query_round(change.key, cluster::QueryPurpose::kPoll);
  if (round == nullptr || round->at != sources_.now()) return;
  for (const cluster::QueryAnswer& answer : round->answers) {
    if (answer.error.empty() || answer.trigger >= object->triggers.size()) continue;
    const std::string metric =
        "s" + std::to_string(answer.trigger) + "-" + object->triggers[answer.trigger].type;
    errors_.with(labels_of(*object, answer.trigger, metric)).add();
  }
}

void KedaMetrics::collect_one(const api::ScaledObject& object) {
  const std::string key = object.meta.key();
  paused_.with({object.meta.namespace_name, object.meta.name})
      .set(scaling::is_paused(object) ? 1 : 0);
  const auto* round = sources_.state->query_round(key, cluster::QueryPurpose::kPoll);
  if (round == nullptr) return;
  const auto plan = scaling::plan_scaled_object(object);
  if (!plan.ok()) return;
  for (size_t i = 0; i < std::min(plan->triggers.size(), object.triggers.size()); ++i) {
    const scaling::TriggerPlan& trigger = plan->triggers[i];
    std::optional<scaling::TriggerReading> reading;
    if (trigger.kind == scaling::TriggerPlan::Kind::kCron) {
      reading = scaling::read_cron(trigger, sources_.now());
    }
    const auto answer = std::ranges::find(round->answers, i, &cluster::QueryAnswer::trigger);
    if (answer != round->answers.end()) {
      reading = scaling::read_prometheus(trigger, {answer->values, answer->error});
    }
    if (!reading || !reading->ok()) continue;
    const std::vector<std::string> labels = labels_of(object, i, trigger.metric_name);
    values_.with(labels).set(**reading);
    active_.with(labels).set(**reading > trigger.activation ? 1 : 0);
  }
}

void KedaMetrics::collect() {
  if (sources_.state == nullptr) return;
  values_.clear();
  active_.clear();
  paused_.clear();
  for (const auto& [key, object] : sources_.state->scaled_objects()) collect_one(object);
}

}  // namespace windlass::server::observe

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "controllers/decision_text.h"
#include "controllers/joint.h"
#include "scaling/scaled_object.h"
#include "server/observe/frame_builder.h"
#include "server/observe/json_text.h"

namespace windlass::server::observe {
namespace {

// The HPA's: nearer than this to the target, a metric asks for nothing else than there is.
constexpr double kTolerance = 0.1;

struct Signal {
  std::string name;
  std::optional<double> value, target;
  std::optional<int32_t> asks_for;
  std::string error;
};

struct Target {
  const api::Deployment* deployment = nullptr;
  int32_t wanted = 0;
  int32_t ready = 0;
  bool waits = false;       // some of its pods have no node
  std::string why_waiting;  // of the first of them
};

Target target_of(const api::ScaledObject& object, const cluster::State& state,
                 const DecisionFeed& decisions) {
  Target out;
  out.deployment = controllers::target_of(object, state);
  if (out.deployment == nullptr) return out;
  out.wanted = out.deployment->replicas;
  for (const std::string& key : state.pods_of(out.deployment->meta.uid)) {
    const api::Pod& pod = state.pods().at(key);
    if (pod.ready && !pod.meta.deleted && !pod.terminal()) ++out.ready;
    if (!state.unbound_pods().contains(key)) continue;
    const std::string_view why = decisions.why_pending(key);
    if (out.why_waiting.empty()) out.why_waiting = why.empty() ? pod.unschedulable_message : why;
    out.waits = true;
  }
  return out;
}

// The answers of the newest round, whoever asked.
const cluster::QueryRound* newest_round(const cluster::State& state, const std::string& key) {
  const auto* poll = state.query_round(key, cluster::QueryPurpose::kPoll);
  const auto* sync = state.query_round(key, cluster::QueryPurpose::kSync);
  if (poll == nullptr || sync == nullptr) return poll == nullptr ? sync : poll;
  return poll->at < sync->at ? sync : poll;
}

std::optional<scaling::TriggerReading> reading_of(const scaling::TriggerPlan& trigger, size_t index,
                                                  const api::ScaledObject& object,
                                                  const cluster::QueryRound* round,
                                                  const Sources& sources) {
  using Kind = scaling::TriggerPlan::Kind;
  if (trigger.kind == Kind::kCron) return scaling::read_cron(trigger, sources.now());
  if (trigger.kind == Kind::kWorkload) {
    std::vector<const api::Pod*> pods;
    for (const auto& [key, pod] : sources.state->pods()) pods.push_back(&pod);
    return scaling::read_workload(trigger, pods, object.meta.namespace_name);
  }
  if (trigger.kind != Kind::kPrometheus || round == nullptr) return std::nullopt;
  const auto answer = std::ranges::find(round->answers, index, &cluster::QueryAnswer::trigger);
  if (answer == round->answers.end()) return std::nullopt;
  return scaling::read_prometheus(trigger, {answer->values, answer->error});
}

// Before bounds and behavior: ceil(value / target), or in proportion to the replicas for a Value.
std::optional<int32_t> wish(const scaling::TriggerPlan& trigger, double value,
                            const Target& target) {
  const double goal = static_cast<double>(trigger.target_milli) / 1000;
  if (!(goal > 0) || !std::isfinite(value)) return std::nullopt;
  const bool average = trigger.target_type == api::MetricTargetType::kAverageValue;
  if (!average && trigger.target_type != api::MetricTargetType::kValue) return std::nullopt;
  const double replicas = std::max(target.wanted, 1);
  const double ratio = average ? value / goal / replicas : value / goal;
  if (std::fabs(ratio - 1) <= kTolerance) return target.wanted;
  const double wanted = std::ceil(average ? value / goal : ratio * target.ready);
  return static_cast<int32_t>(std::clamp(wanted, 0.0, 1e9));
}

std::vector<Signal> queried(const scaling::ScaledObjectPlan& plan, const api::ScaledObject& object,
                            const Target& target, const Sources& sources) {
  const cluster::QueryRound* round = newest_round(*sources.state, object.meta.key());
  std::vector<Signal> out;
  for (size_t i = 0; i < plan.triggers.size(); ++i) {
    const scaling::TriggerPlan& trigger = plan.triggers[i];
    Signal signal{trigger.metric_name, {}, {}, {}, {}};
    if (trigger.target_milli > 0 && !trigger.is_resource()) {
      signal.target = static_cast<double>(trigger.target_milli) / 1000;
    }
    const auto reading = reading_of(trigger, i, object, round, sources);
    if (reading && reading->ok()) {
      signal.value = **reading;
      // With a formula no trigger asks for anything by itself.
      if (!plan.modifiers) signal.asks_for = wish(trigger, *signal.value, target);
    } else if (reading) {
      signal.error = reading->error().message();
    }
    out.push_back(std::move(signal));
  }
  return out;
}

std::optional<double> number_in(const controllers::Decision* decision, std::string_view input) {
  if (decision == nullptr) return std::nullopt;
  const auto value = parse_double(controllers::input_of(*decision, input));
  return value.ok() ? std::optional(*value) : std::nullopt;
}

// What the joint policy looks at in place of the triggers: arrivals now, the rate it planned for at
// its last decision against what a replica serves, and what waits.
std::vector<Signal> watched(const cluster::ModelSignals& signals,
                            const controllers::Decision* decision) {
  // Of the last half minute.
  double arrivals = 0;
  double seconds = 0;
  for (auto it = signals.arrivals.rbegin(); it != signals.arrivals.rend() && seconds < 30; ++it) {
    arrivals += *it;
    seconds += signals.period.seconds();
  }
  const auto per_replica = number_in(decision, "replica_requests_per_s");
  const auto needs = [&](std::optional<double> rate) -> std::optional<int32_t> {
    if (!rate || !per_replica || !(*per_replica > 0)) return std::nullopt;
    return static_cast<int32_t>(std::clamp(std::ceil(*rate / *per_replica), 0.0, 1e9));
  };
  std::vector<Signal> out;
  const std::optional<double> now = seconds > 0 ? std::optional(arrivals / seconds) : std::nullopt;
  out.push_back({"requests_per_s", now, per_replica, needs(now), {}});
  const auto planned = number_in(decision, "planned_per_s");
  if (planned) out.push_back({"planned_per_s", planned, per_replica, needs(planned), {}});
  out.push_back({"queue", signals.waiting, {}, {}, {}});
  return out;
}

// Of claims: one that is neither up nor going.
bool nodes_on_their_way(const cluster::State& state) {
  return std::ranges::any_of(state.node_claims(), [](const auto& entry) {
    const api::NodeClaim& claim = entry.second;
    return !claim.meta.deleted && !api::is_true(claim.conditions, "Initialized");
  });
}

// What keeps the replicas from what is asked for, or those wanted from being there; "" if nothing.
std::string limit_of(const api::ScaledObject& object, const std::vector<Signal>& signals,
                     const Target& target, const cluster::State& state) {
  if (target.deployment == nullptr) return "no such target";
  if (scaling::is_paused(object)) return "paused";
  if (target.waits) {
    const std::string& why = target.why_waiting;
    if (why.find("limits ") != std::string::npos) return "pool limit";
    if (why.find("no available offering") != std::string::npos) return "no capacity";
    // kube-scheduler speaks of the nodes there are; claims it knows nothing of.
    const bool of_nodes = why.find("nodes are available") != std::string::npos;
    const bool waits_for = why.find("waits for") != std::string::npos;
    if (!why.empty() && !waits_for && !(of_nodes && nodes_on_their_way(state))) {
      return "no node fits";
    }
  }
  std::optional<int32_t> asked;
  bool failed = false;
  for (const Signal& signal : signals) {
    if (signal.asks_for) asked = std::max(asked.value_or(0), *signal.asks_for);
    failed |= !signal.error.empty();
  }
  if (!asked) return failed ? "no metrics" : "";
  if (*asked > object.max() && target.wanted >= object.max()) {
    return fmt::format("max {}", object.max());
  }
  if (*asked < object.min() && target.wanted <= object.min()) {
    return fmt::format("min {}", object.min());
  }
  if (*asked > target.wanted) return "scale-up behavior";
  if (*asked < target.wanted && target.wanted > std::max(object.min(), 1)) {
    return "scale-down stabilization";
  }
  return target.waits ? "nodes on their way" : "";
}

void append_number(JsonText& json, std::string_view name, std::optional<double> value) {
  json.key(name);
  value ? json.number(rounded(*value, 3)) : json.null();
}

}  // namespace

ElementPtr scaled_element(const Sources& sources, const DecisionFeed& decisions,
                          const api::ScaledObject& object, const scaling::ScaledObjectPlan* plan) {
  const cluster::State& state = *sources.state;
  const std::string key = object.meta.key();
  const Target target = target_of(object, state, decisions);
  std::vector<Signal> signals;
  if (plan != nullptr) signals = queried(*plan, object, target, sources);
  // Nobody asks a Prometheus where the joint policy decides.
  const bool asked = newest_round(state, key) != nullptr;
  const cluster::InferenceModel* model =
      target.deployment == nullptr ? nullptr : state.model_of(target.deployment->meta.key());
  if (!asked && model != nullptr) {
    if (const cluster::ModelSignals* seen = state.signals(model->name)) {
      signals = watched(*seen, decisions.newest_scaling(key));
    }
  }
  JsonText json;
  json.open('{').key("key").text(key);
  const std::string& ns = object.meta.namespace_name;
  json.key("target").text(ns.empty() ? object.target_name : ns + "/" + object.target_name);
  json.key("min").integer(object.min()).key("max").integer(object.max());
  json.key("wanted").integer(target.wanted).key("ready").integer(target.ready);
  json.key("limited_by").text(limit_of(object, signals, target, state));
  json.key("signals").open('[');
  for (const Signal& signal : signals) {
    json.open('{').key("name").text(signal.name);
    append_number(json, "value", signal.value);
    append_number(json, "target", signal.target);
    json.key("asks_for");
    signal.asks_for ? json.integer(*signal.asks_for) : json.null();
    json.close('}');
  }
  json.close(']').close('}');
  return std::make_shared<Element>(Element{key, json.take(), 0});
}

}  // namespace windlass::server::observe

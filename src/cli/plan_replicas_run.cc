#include "cli/plan_replicas_run.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "scaling/hpa_object.h"
#include "scaling/scaled_job.h"
#include "scaling/scaled_object.h"
#include "scaling/trigger_auth.h"

namespace windlass::cli {
namespace {

using scaling::HpaMetric;
using Source = HpaMetric::Source;
constexpr Duration kSyncPeriod = seconds(15);

// Every moment that is decided: a step's time, and on through its hold in steps of the sync period,
// but never beyond the next step.
template <typename Decide>
Status for_each_moment(const ReadingsFile& file, const Decide& decide) {
  constexpr size_t kMost = 200'000;
  size_t moments = 0;
  for (size_t i = 0; i < file.steps.size(); ++i) {
    const ReadingsStep& step = file.steps[i];
    Instant end = step.at + step.hold;
    if (i + 1 < file.steps.size()) end = std::min(end, file.steps[i + 1].at - nanoseconds(1));
    for (Instant now = step.at; now == step.at || now <= end; now = now + kSyncPeriod) {
      if (++moments > kMost)
        return Error(fmt::format("{}: more than {} moments", step.place, kMost));
      if (const Status status = decide(step, now, now == step.at); !status.ok()) {
        return status.error().in(step.place);
      }
    }
  }
  return {};
}

const api::PodTemplate* template_of(const std::vector<api::Object>& all, std::string_view kind,
                                    const std::string& name, const std::string& namespace_name) {
  for (const api::Object& object : all) {
    const api::ObjectMeta& meta = api::meta_of(object);
    if (api::kind_of(object) != kind || meta.name != name ||
        meta.namespace_name != namespace_name) {
      continue;
    }
    if (const auto* deployment = std::get_if<api::Deployment>(&object))
      return &deployment->pod_template;
    if (const auto* set = std::get_if<api::StatefulSet>(&object)) return &set->pod_template;
  }
  return nullptr;
}

// ---- the target -----------------------------------------------------------------------------

struct Target {
  int32_t replicas = 0;
  std::optional<GivenPods> pods;  // as the last step that spoke of them said

  void begin_step(const ReadingsStep& step) {
    if (step.replicas) replicas = *step.replicas;
    if (step.pods) {
      pods = step.pods;
    } else if (step.replicas) {
      pods.reset();
    }
  }
  // As long as nobody says otherwise, there are as many pods as wanted and all are ready.
  [[nodiscard]] std::vector<scaling::HpaPod> present(Instant now) const {
    if (pods) return pods->pods;
    scaling::HpaPod pod;
    pod.started = pod.ready_changed = now - hours(1);
    return std::vector<scaling::HpaPod>(static_cast<size_t>(std::min(replicas, 100'000)), pod);
  }
};

int32_t count_ready(const std::vector<scaling::HpaPod>& pods) {
  return static_cast<int32_t>(std::ranges::count_if(pods, [](const auto& pod) {
    return pod.phase == api::PodPhase::kRunning && pod.ready == true && !pod.deleted;
  }));
}

// What a pod requests of a resource: as the file says, else as the target's template does.
std::optional<int64_t> request_of(const std::string& resource, const std::string& container,
                                  const ReadingsFile& file, const api::PodTemplate* pod) {
  const auto given = file.requests.find(resource);
  if (given != file.requests.end()) return given->second.milli();
  if (pod == nullptr) return std::nullopt;
  int64_t sum = 0;
  for (const api::Container& c : pod->spec.containers) {
    if (!container.empty() && c.name != container) continue;
    if (!c.requests.has(resource)) return std::nullopt;
    sum += c.requests.milli(resource);
  }
  return sum;
}

// ---- readings -------------------------------------------------------------------------------

const GivenReading* find_reading(const ReadingsStep& step, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    const auto it = key.empty() ? step.readings.end() : step.readings.find(key);
    if (it != step.readings.end()) return &it->second;
  }
  return nullptr;
}

// A step may speak only of triggers and metrics that are there.
Status check_keys(const ReadingsFile& file, const std::set<std::string>& known) {
  for (const ReadingsStep& step : file.steps) {
    for (const auto& [key, reading] : step.readings) {
      if (known.contains(key)) continue;
      return Error(fmt::format("{}.readings.{}: no such trigger or metric (accepted: {})",
                               step.place, key, fmt::join(known, ", ")));
    }
  }
  return {};
}

// A metric with its reading, and for metrics of pods each pod's sample and request.
Status fill_metric(const GivenReading* given, const std::string& container,
                   const std::vector<scaling::HpaPod>& pods, const ReadingsFile& file,
                   const api::PodTemplate* pod, Instant now, HpaMetric& metric) {
  const bool of_pods = metric.source != Source::kExternal && metric.source != Source::kObject;
  if (given == nullptr) {
    metric.reading = std::string("no reading is given");
    return {};
  }
  if (!given->error.empty()) {
    metric.reading = given->error;
    return {};
  }
  if (!of_pods) {
    std::vector<int64_t> items;
    for (const auto& value : given->values) {
      if (value) items.push_back(value->milli());
    }
    metric.reading = std::move(items);
    return {};
  }
  if (given->values.size() > pods.size()) {
    return Error(fmt::format("readings.{}: {} samples for {} pods", metric.name,
                             given->values.size(), pods.size()));
  }
  metric.reading = std::vector<int64_t>();
  metric.samples.assign(pods.size(), std::nullopt);
  metric.requests_milli.assign(pods.size(), request_of(metric.name, container, file, pod));
  for (size_t i = 0; i < given->values.size(); ++i) {
    if (!given->values[i]) continue;
    metric.samples[i] = {given->values[i]->milli(), now - given->age.value_or(Duration{}),
                         seconds(60)};
  }
  return {};
}

// ---- output ---------------------------------------------------------------------------------

class Conditions {
 public:
  void set(std::string_view type, std::string_view status, std::string_view reason) {
    known_[std::string(type)] = {{"type", type}, {"status", status}, {"reason", reason}};
  }
  void set(const std::vector<api::Condition>& all) {
    for (const api::Condition& c : all) set(c.type, c.status, c.reason);
  }
  void set(const scaling::HpaDecision& decision) {
    for (const scaling::HpaCondition& c : decision.conditions) set(c.type, c.status, c.reason);
  }
  [[nodiscard]] Json json() const {
    Json out = Json::array();
    for (const auto& [type, condition] : known_) out.push_back(condition);
    return out;
  }

 private:
  std::map<std::string, Json> known_;
};

// What of an HPA's decision limited it, for the table: a reason of its conditions.
std::string limit_of(const scaling::HpaDecision& decision) {
  std::string out;
  for (const scaling::HpaCondition& c : decision.conditions) {
    const bool limits = (c.type == "ScalingLimited" && c.status == "True") ||
                        (c.type == "ScalingActive" && c.status == "False") ||
                        c.reason == "ScaleDownStabilized" || c.reason == "ScaleUpStabilized";
    if (!limits) continue;
    out += (out.empty() ? "" : ", ") + std::string(c.reason);
  }
  return out;
}

Json row_of(Instant now, int32_t before, int32_t after) {
  return {{"time", to_rfc3339(now)}, {"from", before}, {"replicas", after}};
}

Json wishes_of(const scaling::HpaInput& input, const scaling::HpaDecision& decision) {
  Json out = Json::array();
  for (size_t i = 0; i < input.metrics.size(); ++i) {
    const auto& wish = decision.wanted_by_metric[i];
    out.push_back({{"name", input.metrics[i].name}, {"wants", wish ? Json(*wish) : Json(nullptr)}});
  }
  return out;
}

// ---- triggers -------------------------------------------------------------------------------

scaling::AuthObjects auth_objects(const std::vector<api::Object>& all) {
  scaling::AuthObjects out;
  for (const api::Object& object : all) {
    const std::string key = api::meta_of(object).key();
    if (const auto* a = std::get_if<api::TriggerAuthentication>(&object))
      out.authentications[key] = a;
    if (const auto* s = std::get_if<api::Secret>(&object)) out.secrets[key] = s;
    if (const auto* c = std::get_if<api::ConfigMap>(&object)) out.config_maps[key] = c;
  }
  return out;
}

std::vector<std::string> keys_of(const scaling::TriggerPlan& trigger, size_t index) {
  return {trigger.metric_name, trigger.name, fmt::format("s{}", index)};
}

std::set<std::string> all_keys(const std::vector<scaling::TriggerPlan>& triggers) {
  std::set<std::string> known;
  for (size_t i = 0; i < triggers.size(); ++i) {
    for (std::string& key : keys_of(triggers[i], i)) {
      if (!key.empty()) known.insert(std::move(key));
    }
  }
  return known;
}

// One trigger's reading at this moment. `target` of an external scaler becomes the plan's.
scaling::TriggerReading read_trigger(scaling::TriggerPlan& trigger, size_t index,
                                     const ReadingsStep& step, Instant now) {
  using Kind = scaling::TriggerPlan::Kind;
  const GivenReading* given = find_reading(step, keys_of(trigger, index));
  if (given == nullptr) {
    if (trigger.kind == Kind::kCron) return scaling::read_cron(trigger, now);
    return Error("no reading is given");
  }
  if (!given->error.empty()) return Error(given->error);
  if (given->target) trigger.target_milli = given->target->milli();
  if (trigger.is_resource()) return 0.0;
  std::vector<double> values;
  for (const auto& value : given->values) {
    if (value) values.push_back(value->as_double());
  }
  scaling::TriggerReading reading = 0.0;
  if (trigger.kind == Kind::kPrometheus) {
    reading = scaling::read_prometheus(trigger, {values, ""});
  } else if (values.size() == 1) {
    reading = values.front();
  } else {
    reading = Error(fmt::format("{} values, needs one", values.size()));
  }
  if (given->age) reading.sampled_at = now - *given->age;
  reading.active = given->active;
  return reading;
}

class ScaledObjectRun {
 public:
  ScaledObjectRun(const api::ScaledObject& object, scaling::ScaledObjectPlan plan,
                  const ReadingsFile& file, const api::PodTemplate* pod)
      : object_(object), plan_(std::move(plan)), file_(file), pod_(pod) {
    target_.replicas = file.replicas.value_or(object.min());
    if (object_.meta.created == Instant{}) object_.meta.created = file.steps.front().at;
  }

  Status decide(const ReadingsStep& step, Instant now, bool first, Json& rows) {
    if (first) target_.begin_step(step);
    const int32_t before = target_.replicas;
    std::vector<scaling::TriggerReading> readings;
    for (size_t i = 0; i < plan_.triggers.size(); ++i) {
      readings.push_back(read_trigger(plan_.triggers[i], i, step, now));
    }
    readings = scaling::trusted_readings(plan_, std::move(readings), now, memory_);
    Json row = row_of(now, before, before);
    row["limited_by"] = "";
    row["why"] = "between two polls";
    const bool poll = first || now >= next_poll_;
    if (poll) run_poll(readings, now, row);
    // The poll's step is a moment of its own: the HPA meets it at the next one.
    const bool stepped = target_.replicas != before;
    if (plan_.pause.paused) hpa_memory_ = {};
    if (!plan_.pause.paused && !stepped) {
      const Status status = run_sync(step, readings, now, row);
      if (!status.ok()) return status;
    }
    row["replicas"] = target_.replicas;
    row["conditions"] = conditions_.json();
    rows.push_back(std::move(row));
    return {};
  }

  [[nodiscard]] Json status() const {
    Json external = Json::array();
    Json resource = Json::array();
    Json health = Json::object();
    for (size_t i = 0; i < plan_.triggers.size(); ++i) {
      const auto& trigger = plan_.triggers[i];
      (trigger.is_resource() ? resource : external).push_back(trigger.metric_name);
      if (trigger.is_resource() || i >= memory_.failures.size()) continue;
      health[trigger.metric_name] = {{"numberOfFailures", memory_.failures[i]},
                                     {"status", memory_.failures[i] == 0 ? "Happy" : "Failing"}};
    }
    Json out = {{"hpaName", scaling::hpa_name(object_)},
                {"externalMetricNames", external},
                {"resourceMetricNames", resource},
                {"health", health}};
    if (plan_.modifiers) out["compositeScalerName"] = "composite-metric";
    if (plan_.pause.replicas) out["pausedReplicaCount"] = *plan_.pause.replicas;
    if (object_.last_active) out["lastActiveTime"] = to_rfc3339(*object_.last_active);
    return out;
  }

 private:
  scaling::TargetState state(const std::vector<scaling::HpaPod>& pods) const {
    scaling::TargetState out{target_.replicas, count_ready(pods), 1, true};
    if (target_.pods) out.mean_weight = scaling::mean_gpu_weight(plan_.opt_ins, target_.pods->gpus);
    return out;
  }

  void run_poll(const std::vector<scaling::TriggerReading>& readings, Instant now, Json& row) {
    next_poll_ = now + object_.polling_interval;
    polled_ = readings;
    const auto decision =
        scaling::evaluate_poll(object_, plan_, readings, state(target_.present(now)), now, memory_);
    object_.last_active = decision.last_active;
    for (const api::Condition& c : decision.conditions) api::set_condition(object_.conditions, c);
    conditions_.set(decision.conditions);
    row["active"] = decision.active;
    row["poll"] = decision.why;
    row["why"] = decision.why;
    if (!decision.set_replicas || *decision.set_replicas == target_.replicas) return;
    target_.replicas = *decision.set_replicas;
    target_.pods.reset();
    row["limited_by"] = plan_.pause.paused ? "paused-replicas" : "scale loop";
  }

  Status run_sync(const ReadingsStep& step, std::vector<scaling::TriggerReading> readings,
                  Instant now, Json& row) {
    for (size_t i = 0; i < readings.size(); ++i) {
      if (plan_.triggers[i].cached && i < polled_.size()) readings[i] = polled_[i];
    }
    scaling::HpaInput input;
    input.pods = target_.present(now);
    input.min_replicas = scaling::hpa_min(object_);
    input.max_replicas = object_.max();
    input.behavior = plan_.behavior ? &*plan_.behavior : nullptr;
    input.spec_replicas = target_.replicas;
    input.status_replicas =
        target_.pods ? static_cast<int32_t>(input.pods.size()) : target_.replicas;
    input.ready_pods = count_ready(input.pods);
    input.metrics = scaling::hpa_metrics(object_, plan_, readings, state(input.pods), memory_);
    for (HpaMetric& metric : input.metrics) {
      if (metric.source == Source::kExternal) continue;
      std::string container;
      const GivenReading* given = nullptr;
      for (size_t i = 0; i < plan_.triggers.size(); ++i) {
        const auto& trigger = plan_.triggers[i];
        const bool same = trigger.metric_name == metric.name &&
                          trigger.container.empty() == (metric.source == Source::kResource);
        if (!same) continue;
        container = trigger.container;
        given = find_reading(step, keys_of(trigger, i));
      }
      const Status status = fill_metric(given, container, input.pods, file_, pod_, now, metric);
      if (!status.ok()) return status;
    }
    const auto decision = scaling::evaluate_hpa(input, {}, now, hpa_memory_);
    conditions_.set(decision);
    mirror_hpa(decision);
    row["metrics"] = wishes_of(input, decision);
    row["hpa"] = decision.why;
    row["limited_by"] = limit_of(decision);
    // At zero the poll's words say more than that the HPA is off.
    if (target_.replicas > 0) row["why"] = decision.why;
    if (decision.replicas != target_.replicas) target_.pods.reset();
    target_.replicas = decision.replicas;
    return {};
  }

  // HPAActive mirrors the HPA's ScalingActive; a target at zero is fine (section 1.4).
  void mirror_hpa(const scaling::HpaDecision& decision) {
    for (const scaling::HpaCondition& c : decision.conditions) {
      if (c.type != "ScalingActive") continue;
      const bool fine = c.status == "True" || c.reason == "ScalingDisabled";
      conditions_.set("HPAActive", fine ? "True" : "False",
                      c.status == "True" ? "HPAActive" : c.reason);
    }
  }

  api::ScaledObject object_;
  scaling::ScaledObjectPlan plan_;
  const ReadingsFile& file_;
  const api::PodTemplate* pod_;
  Target target_;
  Instant next_poll_{};
  std::vector<scaling::TriggerReading> polled_;
  scaling::ScaledObjectMemory memory_;
  scaling::HpaMemory hpa_memory_;
  Conditions conditions_;
};

Result<std::vector<scaling::ResolvedValues>> resolve(const std::vector<api::Trigger>& triggers,
                                                     const std::string& namespace_name,
                                                     const api::PodSpec* pod,
                                                     const std::string& container,
                                                     const std::vector<api::Object>& all,
                                                     std::vector<std::string>& notes) {
  scaling::AuthFindings findings;
  auto values = scaling::resolve_trigger_values(triggers, namespace_name, pod, container,
                                                auth_objects(all), findings);
  notes.insert(notes.end(), findings.missing.begin(), findings.missing.end());
  if (!findings.errors.empty()) return Error(fmt::format("{}", fmt::join(findings.errors, "; ")));
  return values;
}

}  // namespace

Result<Json> run_scaled_object(const api::ScaledObject& object, const std::vector<api::Object>& all,
                               const ReadingsFile& readings, std::vector<std::string>& notes) {
  const api::PodTemplate* pod =
      template_of(all, object.target_kind, object.target_name, object.meta.namespace_name);
  const auto values =
      resolve(object.triggers, object.meta.namespace_name, pod == nullptr ? nullptr : &pod->spec,
              object.env_source_container, all, notes);
  if (!values.ok()) return values.error();
  auto plan = scaling::plan_scaled_object(object, *values, &notes);
  if (!plan.ok()) return plan.error();
  if (const Status keys = check_keys(readings, all_keys(plan->triggers)); !keys.ok()) {
    return keys.error();
  }
  ScaledObjectRun run(object, *std::move(plan), readings, pod);
  Json rows = Json::array();
  const Status status =
      for_each_moment(readings, [&](const ReadingsStep& step, Instant now, bool first) {
        return run.decide(step, now, first, rows);
      });
  if (!status.ok()) return status.error();
  return Json{{"steps", std::move(rows)}, {"status", run.status()}};
}

Result<Json> run_scaled_job(const api::ScaledJob& object, const std::vector<api::Object>& all,
                            const ReadingsFile& readings, std::vector<std::string>& notes) {
  const auto values =
      resolve(object.triggers, object.meta.namespace_name, &object.job.pod_template.spec,
              object.env_source_container, all, notes);
  if (!values.ok()) return values.error();
  auto triggers = scaling::plan_scaled_job(object, *values, &notes);
  if (!triggers.ok()) return triggers.error();
  if (const Status keys = check_keys(readings, all_keys(*triggers)); !keys.ok())
    return keys.error();
  Json rows = Json::array();
  scaling::JobCounts jobs;
  Instant next_poll{};
  const Status status =
      for_each_moment(readings, [&](const ReadingsStep& step, Instant now, bool first) -> Status {
        if (first && step.jobs_running) jobs = {*step.jobs_running, 0};
        if (first && step.jobs_pending) jobs.pending = *step.jobs_pending;
        if (jobs.pending > jobs.running) return Error("jobs: more are pending than running");
        if (!first && now < next_poll) return {};
        next_poll = now + object.polling_interval;
        std::vector<scaling::TriggerReading> round;
        for (size_t i = 0; i < triggers->size(); ++i) {
          round.push_back(read_trigger((*triggers)[i], i, step, now));
        }
        const auto decision = scaling::evaluate_scaled_job(object, *triggers, round, jobs, now);
        Conditions conditions;
        conditions.set(decision.conditions);
        rows.push_back({{"time", to_rfc3339(now)},
                        {"running", jobs.running},
                        {"pending", jobs.pending},
                        {"create", decision.create},
                        {"active", decision.active},
                        {"queue_length", decision.queue_length},
                        {"max_scale", decision.max_scale},
                        {"limited_by", decision.create < decision.max_scale ? "strategy" : ""},
                        {"conditions", conditions.json()},
                        {"why", decision.why}});
        // Until a step says otherwise, what was created runs.
        jobs.running += decision.create;
        return {};
      });
  if (!status.ok()) return status.error();
  return Json{{"steps", std::move(rows)}};
}

Result<Json> run_hpa(const api::HorizontalPodAutoscaler& object,
                     const std::vector<api::Object>& all, const ReadingsFile& readings) {
  const api::PodTemplate* pod =
      template_of(all, object.target.kind, object.target.name, object.meta.namespace_name);
  const auto metrics = scaling::metrics_of(object);
  std::set<std::string> known;
  for (const HpaMetric& metric : metrics) known.insert(metric.name);
  if (const Status keys = check_keys(readings, known); !keys.ok()) return keys.error();
  Target target;
  target.replicas = readings.replicas.value_or(std::max(object.min(), 1));
  scaling::HpaMemory memory;
  Conditions conditions;
  Json rows = Json::array();
  const Status status =
      for_each_moment(readings, [&](const ReadingsStep& step, Instant now, bool first) -> Status {
        if (first) target.begin_step(step);
        scaling::HpaInput input;
        input.pods = target.present(now);
        input.min_replicas = object.min();
        input.max_replicas = object.max_replicas;
        input.behavior = object.behavior ? &*object.behavior : nullptr;
        input.spec_replicas = target.replicas;
        input.status_replicas =
            target.pods ? static_cast<int32_t>(input.pods.size()) : target.replicas;
        input.ready_pods = count_ready(input.pods);
        input.metrics = metrics;
        for (size_t i = 0; i < metrics.size(); ++i) {
          const std::string container = object.metrics.empty() ? "" : object.metrics[i].container;
          const Status filled = fill_metric(find_reading(step, {metrics[i].name}), container,
                                            input.pods, readings, pod, now, input.metrics[i]);
          if (!filled.ok()) return filled;
        }
        const auto decision = scaling::evaluate_hpa(input, {}, now, memory);
        conditions.set(decision);
        Json row = row_of(now, target.replicas, decision.replicas);
        row["limited_by"] = limit_of(decision);
        row["conditions"] = conditions.json();
        row["metrics"] = wishes_of(input, decision);
        row["why"] = decision.why;
        rows.push_back(std::move(row));
        if (decision.replicas != target.replicas) target.pods.reset();
        target.replicas = decision.replicas;
        return {};
      });
  if (!status.ok()) return status.error();
  return Json{{"steps", std::move(rows)}};
}

}  // namespace windlass::cli

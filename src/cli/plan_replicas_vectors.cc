#include "cli/plan_replicas_vectors.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/object.h"
#include "base/quantity.h"
#include "base/time.h"
#include "scaling/hpa.h"
#include "scaling/hpa_object.h"

namespace windlass::cli {
namespace {

using scaling::HpaMetric;

// The spec as autoscaling/v2, through the reader that manifests go through.
Result<api::HorizontalPodAutoscaler> read_spec(const Json& spec) {
  Json object = {{"apiVersion", "autoscaling/v2"},
                 {"kind", "HorizontalPodAutoscaler"},
                 {"metadata", {{"name", "recorded"}, {"namespace", "default"}}},
                 {"spec", spec}};
  if (!spec.contains("scaleTargetRef")) {
    object["spec"]["scaleTargetRef"] = {
        {"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"name", "recorded"}};
  }
  auto decoded = api::decode(object);
  if (!decoded.ok()) return decoded.error();
  return std::get<api::HorizontalPodAutoscaler>(*std::move(decoded));
}

double number_at(const Json& object, const char* key, double otherwise) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number() ? it->get<double>() : otherwise;
}

// A value of `set`: "12", ["5", "7"] or {"error": 500}.
Result<std::variant<std::vector<int64_t>, std::string>> read_value(const Json& value) {
  using Reading = std::variant<std::vector<int64_t>, std::string>;
  if (value.is_object()) return Reading(fmt::format("HTTP {}", number_at(value, "error", 500)));
  std::vector<int64_t> items;
  for (const Json& item : value.is_array() ? value : Json::array({value})) {
    if (!item.is_string() && !item.is_number()) return Error("is neither a quantity nor an error");
    const auto quantity =
        Quantity::parse(item.is_string() ? item.get_ref<const std::string&>() : item.dump());
    if (!quantity.ok()) return quantity.error();
    items.push_back(quantity->milli());
  }
  return Reading(std::move(items));
}

// The Deployment, the metrics and the clock around one HPA.
class Replay {
 public:
  explicit Replay(const Json& vector) : spec_(vector.at("spec")) {
    const Json controller = vector.value("controller", Json::object());
    period_s_ = std::max(0.001, number_at(controller, "sync_period_s", 15));
    options_.sync_period = from_seconds(period_s_);
    options_.downscale_stabilization =
        from_seconds(number_at(controller, "downscale_stabilization_s", 300));
    options_.tolerance = number_at(controller, "tolerance", 0.1);
    replicas_ = static_cast<int32_t>(number_at(vector, "initial_replicas", 1));
    next_sync_s_ = period_s_;
  }

  Status run_step(const Json& step, Json& values, Json& conditions) {
    if (step.contains("scale_to")) replicas_ = static_cast<int32_t>(number_at(step, "scale_to", 0));
    if (step.contains("patch_spec")) spec_.merge_patch(step["patch_spec"]);
    const auto hpa = read_spec(spec_);
    if (!hpa.ok()) return hpa.error();
    auto metrics = scaling::metrics_of(*hpa);
    for (HpaMetric& metric : metrics) {
      const Json set = step.value("set", Json::object());
      if (!set.contains(metric.name)) {
        metric.reading = std::string("no value is set");
        continue;
      }
      auto reading = read_value(set[metric.name]);
      if (!reading.ok()) return reading.error().in("set." + metric.name);
      metric.reading = *std::move(reading);
    }
    const Json observed = step.value("observed", Json::object());
    const double held_s = number_at(observed, "held_s", number_at(step, "hold_s", 0));
    values = Json::array();
    for (const double at_s : syncs_of(observed, held_s)) {
      sync(*hpa, metrics, step.value("ready", Json("all")), start_ + from_seconds(at_s), values);
    }
    start_ = start_ + from_seconds(held_s);
    next_sync_s_ = std::max(0.0, next_sync_s_ - held_s);
    conditions = Json::array();
    for (const auto& [type, c] : conditions_) {
      conditions.push_back({{"type", type}, {"status", c.status}, {"reason", c.reason}});
    }
    return {};
  }

 private:
  // A sync that asks for no metric (zero replicas) was not seen by the recorder, but took place.
  std::vector<double> syncs_of(const Json& observed, double held_s) {
    std::vector<double> out;
    for (const Json& at : observed.value("sync_s", Json::array())) {
      if (at.is_number()) out.push_back(at.get<double>());
    }
    if (!out.empty()) {
      next_sync_s_ = out.back() + period_s_;
      return out;
    }
    constexpr size_t kMost = 100'000;
    for (; next_sync_s_ < held_s && out.size() < kMost; next_sync_s_ += period_s_) {
      out.push_back(next_sync_s_);
    }
    return out;
  }

  void sync(const api::HorizontalPodAutoscaler& hpa, const std::vector<HpaMetric>& metrics,
            const Json& ready, Instant now, Json& values) {
    scaling::HpaInput input;
    input.min_replicas = hpa.min();
    input.max_replicas = hpa.max_replicas;
    input.behavior = hpa.behavior ? &*hpa.behavior : nullptr;
    input.spec_replicas = input.status_replicas = replicas_;
    input.ready_pods = ready.is_number() ? std::min(ready.get<int32_t>(), replicas_)
                       : ready == "all"  ? replicas_
                                         : 0;
    input.metrics = metrics;
    input.always_explain = false;
    const auto decision = scaling::evaluate_hpa(input, options_, now, memory_);
    for (const scaling::HpaCondition& c : decision.conditions) conditions_[c.type] = c;
    if (decision.replicas != replicas_) values.push_back(decision.replicas);
    replicas_ = decision.replicas;
  }

  Json spec_;
  int32_t replicas_ = 1;
  double period_s_ = 15;
  double next_sync_s_ = 15;  // from the step's begin
  scaling::HpaOptions options_;
  scaling::HpaMemory memory_;
  Instant start_{1'700'000'000'000'000'000};
  std::map<std::string_view, scaling::HpaCondition> conditions_;
};

Result<Json> replay(const Json& vector) {
  Json out = {
      {"id", vector.value("id", "")}, {"values", Json::array()}, {"conditions", Json::array()}};
  if (!vector.contains("spec") || !vector["spec"].is_object()) return Error("spec: is missing");
  const auto hpa = read_spec(vector["spec"]);
  if (!hpa.ok()) {
    out["refused"] = hpa.error().message();
    return out;
  }
  Replay world(vector);
  const Json steps = vector.value("steps", Json::array());
  for (size_t i = 0; i < steps.size(); ++i) {
    Json values;
    Json conditions;
    if (!steps[i].is_object()) return Error(fmt::format("steps[{}]: is no map", i));
    if (const Status status = world.run_step(steps[i], values, conditions); !status.ok()) {
      return status.error().in(fmt::format("steps[{}]", i));
    }
    out["values"].push_back(std::move(values));
    out["conditions"].push_back(std::move(conditions));
  }
  return out;
}

}  // namespace

Result<Json> replay_vectors(const Json& file, std::string_view name) {
  if (!file.is_object() || !file.contains("vectors") || !file["vectors"].is_array()) {
    return Error(fmt::format("{}: has no list of vectors (accepted: {{\"vectors\": [..]}})", name));
  }
  Json out = Json::array();
  for (size_t i = 0; i < file["vectors"].size(); ++i) {
    const Json& vector = file["vectors"][i];
    const std::string place = fmt::format("{}: vectors[{}]", name, i);
    if (!vector.is_object()) return Error(place + ": is no map");
    try {
      auto replayed = replay(vector);
      if (!replayed.ok()) return replayed.error().in(place);
      out.push_back(*std::move(replayed));
    } catch (const Json::exception& error) {
      // A field of the wrong type.
      return Error(fmt::format("{}: {}", place, error.what()));
    }
  }
  return out;
}

}  // namespace windlass::cli

// Replays what a real kube-controller-manager did (../shared/vectors/hpa) against evaluate_hpa:
// each vector's spec, metrics and recorded sync times go in, every value that spec.replicas took
// must come out. Where later releases differ, the vectors' derived values are the measure.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/object.h"
#include "base/json.h"
#include "scaling/hpa.h"
#include "scaling/scaled_object.h"

namespace windlass::scaling {
namespace {

constexpr const char* kDirectory = "../shared/vectors/hpa";

int64_t milli_of(const Json& text) {
  const auto quantity = Quantity::parse(text.get<std::string>());
  EXPECT_TRUE(quantity.ok()) << text;
  return quantity.ok() ? quantity->milli() : 0;
}

api::ScalingRules read_rules(const Json& json) {
  api::ScalingRules rules;
  if (json.contains("stabilizationWindowSeconds")) {
    rules.stabilization_window = seconds(json["stabilizationWindowSeconds"].get<int64_t>());
  }
  const std::string select = json.value("selectPolicy", "Max");
  rules.select = select == "Min"        ? api::SelectPolicy::kMin
                 : select == "Disabled" ? api::SelectPolicy::kDisabled
                                        : api::SelectPolicy::kMax;
  for (const Json& policy : json.value("policies", Json::array())) {
    rules.policies.push_back({policy["type"] == "Pods" ? api::ScalingPolicy::Type::kPods
                                                       : api::ScalingPolicy::Type::kPercent,
                              policy["value"].get<int32_t>(),
                              seconds(policy["periodSeconds"].get<int64_t>())});
  }
  return rules;
}

std::optional<api::Behavior> read_behavior(const Json& spec) {
  if (!spec.contains("behavior") || spec["behavior"].is_null()) return std::nullopt;
  api::Behavior behavior;
  const Json& json = spec["behavior"];
  if (json.contains("scaleUp")) behavior.scale_up = read_rules(json["scaleUp"]);
  if (json.contains("scaleDown")) behavior.scale_down = read_rules(json["scaleDown"]);
  return behavior;
}

std::variant<std::vector<int64_t>, std::string> read_reading(const Json& set,
                                                             const std::string& name) {
  if (!set.contains(name)) return "not set";
  const Json& value = set[name];
  if (value.is_object()) return fmt::format("HTTP {}", value["error"].get<int>());
  std::vector<int64_t> items;
  if (value.is_string()) {
    items.push_back(milli_of(value));
  } else {
    for (const Json& item : value) items.push_back(milli_of(item));
  }
  return items;
}

std::vector<HpaMetric> read_metrics(const Json& spec, const Json& set) {
  std::vector<HpaMetric> metrics;
  for (const Json& json : spec["metrics"]) {
    const Json& external = json["external"];
    HpaMetric metric;
    metric.name = external["metric"]["name"].get<std::string>();
    const Json& target = external["target"];
    const bool average = target.contains("averageValue");
    metric.target_type =
        average ? api::MetricTargetType::kAverageValue : api::MetricTargetType::kValue;
    metric.target_milli = milli_of(target[average ? "averageValue" : "value"]);
    metric.reading = read_reading(set, metric.name);
    metrics.push_back(std::move(metric));
  }
  return metrics;
}

int32_t ready_pods(const Json& ready, int32_t pods) {
  if (ready.is_number()) return std::min(ready.get<int32_t>(), pods);
  return ready == "all" ? pods : 0;
}

// The Deployment, the metrics and the clock around one HPA.
class World {
 public:
  explicit World(const Json& vector)
      : spec_(vector["spec"]), replicas_(vector["initial_replicas"].get<int32_t>()) {
    const Json& controller = vector["controller"];
    options_.sync_period = from_seconds(controller["sync_period_s"].get<double>());
    options_.downscale_stabilization =
        from_seconds(controller["downscale_stabilization_s"].get<double>());
    options_.tolerance = controller["tolerance"].get<double>();
  }

  // Every value that spec.replicas took by the HPA's hand, with syncs at these seconds of the step.
  std::vector<int32_t> run_step(const Json& step, const std::vector<double>& syncs, double held_s) {
    if (step.contains("scale_to")) replicas_ = step["scale_to"].get<int32_t>();
    if (step.contains("patch_spec")) spec_.merge_patch(step["patch_spec"]);
    const std::optional<api::Behavior> behavior = read_behavior(spec_);
    std::vector<int32_t> taken;
    for (const double at : syncs) {
      HpaInput input;
      input.min_replicas = spec_.value("minReplicas", 1);
      input.max_replicas = spec_["maxReplicas"].get<int32_t>();
      input.behavior = behavior ? &*behavior : nullptr;
      input.spec_replicas = replicas_;
      input.status_replicas = replicas_;
      input.ready_pods = ready_pods(step["ready"], replicas_);
      input.metrics = read_metrics(spec_, step["set"]);
      const HpaDecision decision =
          evaluate_hpa(input, options_, start_ + from_seconds(at), memory_);
      for (const HpaCondition& c : decision.conditions) conditions_[c.type] = c;
      if (decision.replicas != replicas_) taken.push_back(decision.replicas);
      replicas_ = decision.replicas;
    }
    start_ = start_ + from_seconds(held_s);
    return taken;
  }

  [[nodiscard]] std::string conditions() const {
    std::string out;
    for (const auto& [type, c] : conditions_)
      out += fmt::format("{}={}:{} ", type, c.status, c.reason);
    return out;
  }

 private:
  Json spec_;
  int32_t replicas_;
  HpaOptions options_;
  HpaMemory memory_;
  Instant start_{1'700'000'000'000'000'000};
  std::map<std::string_view, HpaCondition> conditions_;
};

std::string recorded_conditions(const Json& step) {
  std::map<std::string, std::string> sorted;
  for (const Json& c : step["observed"]["conditions"]) {
    sorted[c["type"].get<std::string>()] =
        c["status"].get<std::string>() + ":" + c["reason"].get<std::string>();
  }
  std::string out;
  for (const auto& [type, text] : sorted) out += type + "=" + text + " ";
  return out;
}

// When the syncs of each step took place, and how long the steps were, in seconds.
struct Timing {
  std::vector<std::vector<double>> syncs;
  std::vector<double> held;
};

double period_of(const Json& vector) { return vector["controller"]["sync_period_s"].get<double>(); }

// A sync that asks for no metric (zero replicas) was not seen by the recorder, but took place.
std::vector<double> or_every_period(std::vector<double> seen, double held_s, double period_s) {
  if (seen.empty()) {
    for (double t = period_s; t < held_s; t += period_s) seen.push_back(t);
  }
  return seen;
}

Timing first_run(const Json& vector) {
  Timing timing;
  for (const Json& step : vector["steps"]) {
    const Json& observed = step["observed"];
    timing.held.push_back(observed["held_s"].get<double>());
    timing.syncs.push_back(or_every_period(observed["sync_s"].get<std::vector<double>>(),
                                           timing.held.back(), period_of(vector)));
  }
  return timing;
}

Timing second_run(const Json& vector) {
  Timing timing;
  const Json& repeat = vector["repeat"];
  timing.held = repeat["second_run_held_s"].get<std::vector<double>>();
  for (size_t i = 0; i < timing.held.size(); ++i) {
    timing.syncs.push_back(
        or_every_period(repeat["second_run_sync_s"][i].get<std::vector<double>>(), timing.held[i],
                        period_of(vector)));
  }
  return timing;
}

// One sync a period, the first at `phase` periods.
Timing regular(const Json& vector, double phase) {
  Timing timing;
  const double period = period_of(vector);
  double next = phase * period;
  for (const Json& step : vector["steps"]) {
    const double held = step["observed"]["held_s"].get<double>();
    auto& syncs = timing.syncs.emplace_back();
    for (; next < held; next += period) syncs.push_back(next);
    next -= held;
    timing.held.push_back(held);
  }
  return timing;
}

struct Tally {
  int replayed = 0;
  int derived = 0;
  int runs = 0;
  int steps = 0;
  int condition_steps = 0;
  int refused = 0;
  std::vector<std::string> skipped;
};

void replay_run(const Json& vector, const Timing& timing, bool with_conditions, Tally& tally) {
  const Json& later = vector["later_releases"];
  const bool differs = later["differ"].get<bool>();
  World world(vector);
  for (size_t i = 0; i < vector["steps"].size(); ++i) {
    const Json& step = vector["steps"][i];
    const Json& expected =
        differs ? later["derived_replica_values"][i] : step["observed"]["replica_values"];
    EXPECT_EQ(world.run_step(step, timing.syncs[i], timing.held[i]),
              expected.get<std::vector<int32_t>>())
        << "step " << i;
    ++tally.steps;
    if (differs || !with_conditions) continue;
    EXPECT_EQ(world.conditions(), recorded_conditions(step)) << "step " << i;
    ++tally.condition_steps;
  }
  ++tally.runs;
}

// The API server refused this HPA. KEDA writes the HPA, so its fields come from a ScaledObject and
// are refused there; three of the mistakes cannot be written in one.
void expect_refused(const Json& vector, Tally& tally) {
  const std::string id = vector["id"].get<std::string>();
  if (id == "rj-min0" || id == "rj-both-targets" || id == "rj-no-name") {
    tally.skipped.push_back(id);
    return;
  }
  const Json& spec = vector["spec"];
  const std::string target =
      spec["metrics"][0]["external"]["target"]["averageValue"].get<std::string>();
  Json object = {
      {"apiVersion", "keda.sh/v1alpha1"},
      {"kind", "ScaledObject"},
      {"metadata", {{"name", "refused"}, {"namespace", "default"}}},
      {"spec",
       {{"scaleTargetRef", {{"name", "target"}}},
        {"minReplicaCount", spec["minReplicas"]},
        {"maxReplicaCount", spec["maxReplicas"]},
        {"triggers",
         {{{"type", "prometheus"},
           {"metadata",
            {{"serverAddress", "http://p"}, {"query", "q"}, {"threshold", target}}}}}}}}};
  if (spec.contains("behavior")) {
    object["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"] = spec["behavior"];
  }
  const auto decoded = api::decode(object);
  const bool ok =
      decoded.ok() && plan_triggers(std::get<api::ScaledObject>(*decoded), nullptr).ok();
  EXPECT_FALSE(ok);
  ++tally.refused;
}

void replay(const Json& vector, Tally& tally) {
  SCOPED_TRACE(vector["id"].get<std::string>() + ": " + vector["description"].get<std::string>());
  if (!vector["accepted"].get<bool>()) return expect_refused(vector, tally);
  const bool differs = vector["later_releases"]["differ"].get<bool>();
  const auto conditions_repeat = vector["repeat"]["same_conditions"].get<bool>();
  replay_run(vector, first_run(vector), true, tally);
  replay_run(vector, second_run(vector), conditions_repeat, tally);
  // That the phase plays no part was established by the rules of v1.20.2 only.
  if (vector["phase_independent"].get<bool>() && !differs) {
    for (const double phase : {0.2, 0.5, 0.9}) {
      replay_run(vector, regular(vector, phase), false, tally);
    }
  }
  ++tally.replayed;
  tally.derived += differs ? 1 : 0;
}

TEST(HpaVectors, EveryRecordedScalingIsReproduced) {
  if (!std::filesystem::is_directory(kDirectory)) {
    GTEST_SKIP() << kDirectory << " is not here";
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(kDirectory)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  ASSERT_FALSE(files.empty());
  Tally tally;
  for (const auto& file : files) {
    std::ifstream stream(file);
    std::stringstream text;
    text << stream.rdbuf();
    const auto json = parse_json(text.str());
    ASSERT_TRUE(json.ok()) << file << ": " << json.error().message();
    for (const Json& vector : (*json)["vectors"]) replay(vector, tally);
  }
  EXPECT_GT(tally.replayed, 50);
  fmt::print(
      "{} vectors replayed ({} against later releases' values) in {} runs, {} steps, "
      "conditions of {} steps; {} refused as they should be; skipped, because a ScaledObject "
      "cannot say it: {}\n",
      tally.replayed, tally.derived, tally.runs, tally.steps, tally.condition_steps, tally.refused,
      fmt::join(tally.skipped, " "));
}

}  // namespace
}  // namespace windlass::scaling

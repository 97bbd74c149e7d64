#include "sim/scenario.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/json_reader.h"
#include "controllers/spec.h"
#include "sim/job_trace.h"
#include "sim/scenario_checks.h"

namespace windlass::sim {
namespace {

using api::Reader;

Delay read_delay(Reader reader, Delay fallback) {
  if (!reader.present()) return fallback;
  // A plain duration is a constant; else median and p95 of a log-normal.
  if (reader.json().is_string()) {
    const Duration constant = reader.duration().value_or(Duration{});
    return {constant, constant};
  }
  reader.expect_map();
  Delay delay;
  delay.median = reader.required("median").duration().value_or(Duration{});
  delay.p95 = reader.at("p95").duration().value_or(delay.median);
  if (delay.p95 < delay.median) reader.error("p95 is below the median");
  reader.refuse_unknown_keys();
  return delay;
}

LengthSpec read_lengths(Reader reader, LengthSpec spec) {
  spec.median = reader.at("median").number(1, 1e6).value_or(spec.median);
  spec.p95 = reader.at("p95").number(1, 1e6).value_or(std::max(spec.p95, spec.median));
  spec.min = reader.at("min").int32(1, 1'000'000).value_or(spec.min);
  spec.max = reader.at("max").int32(1, 1'000'000).value_or(spec.max);
  if (spec.p95 < spec.median) reader.error("p95 is below the median");
  if (spec.max < spec.min) reader.error("max is below min");
  reader.refuse_unknown_keys();
  return spec;
}

DayShape read_shape(Reader reader) {
  DayShape shape;
  double last = -1;
  for (Reader& point : reader.items()) {
    const double hour = point.required("hour").number(0, 24).value_or(0);
    const double factor = point.required("factor").number(0, 1e6).value_or(1);
    if (hour <= last) point.error("hours must rise from point to point");
    last = hour;
    point.refuse_unknown_keys();
    shape.points.push_back({hour, factor});
  }
  return shape;
}

TrafficSpec read_traffic(Reader reader, const std::filesystem::path& folder) {
  TrafficSpec spec;
  Reader trace = reader.at("trace");
  Reader generator = reader.at("generator");
  if (trace.present() == generator.present()) {
    reader.error("exactly one of trace and generator is accepted");
  }
  if (trace.present()) {
    TraceSpec read;
    const std::string path = trace.required("path").required_string();
    read.path = (folder / path).lexically_normal().string();
    read.repeat = trace.at("repeat").boolean().value_or(read.repeat);
    read.rate_scale = trace.at("rateScale").number(1e-6, 1e6).value_or(read.rate_scale);
    read.time_scale = trace.at("timeScale").number(1e-6, 1e6).value_or(read.time_scale);
    trace.refuse_unknown_keys();
    spec.trace = read;
  }
  if (generator.present()) {
    GeneratorSpec read;
    read.requests_per_s = generator.required("requestsPerSecond").number(0, 1e6).value_or(1);
    read.input = read_lengths(generator.required("inputTokens"), read.input);
    read.output = read_lengths(generator.required("outputTokens"), read.output);
    Reader bursts = generator.at("bursts");
    read.bursts_per_h = bursts.at("perHour").number(0, 3600).value_or(0);
    read.burst_factor = bursts.at("factor").number(0, 1000).value_or(1);
    read.burst_length = bursts.at("length").duration().value_or(read.burst_length);
    bursts.refuse_unknown_keys();
    generator.refuse_unknown_keys();
    spec.generator = read;
  }
  spec.shape = read_shape(reader.at("shape"));
  reader.refuse_unknown_keys();
  return spec;
}

ModelSpec read_model(Reader reader, const std::filesystem::path& folder) {
  ModelSpec spec;
  spec.model = controllers::read_inference_model(reader);
  spec.weights = read_delay(reader.at("weightsLoad"), spec.weights);
  spec.engine_start = read_delay(reader.at("engineStart"), spec.engine_start);
  spec.request_timeout = reader.at("requestTimeout").duration().value_or(Duration{});
  spec.max_retries = reader.at("maxRetries").int32(0, 100).value_or(spec.max_retries);
  spec.traffic = read_traffic(reader.required("traffic"), folder);
  reader.refuse_unknown_keys();
  return spec;
}

CloudSpec read_cloud(Reader reader) {
  CloudSpec cloud;
  Reader spot = reader.at("spot");
  cloud.catalog = controllers::read_catalog_options(reader, spot);
  cloud.spot_interruptions_per_h = spot.at("interruptionsPerHour").number(0, 60).value_or(0);
  cloud.spot_notice = spot.at("notice").duration().value_or(cloud.spot_notice);
  spot.refuse_unknown_keys();
  cloud.launch = read_delay(reader.at("launch"), cloud.launch);
  cloud.boot = read_delay(reader.at("boot"), cloud.boot);
  cloud.device_plugin = read_delay(reader.at("devicePlugin"), cloud.device_plugin);
  cloud.shutdown = read_delay(reader.at("shutdown"), cloud.shutdown);
  cloud.capacity_error = read_delay(reader.at("capacityError"), cloud.capacity_error);
  for (Reader& item : reader.at("insufficientCapacity").items()) {
    CapacityGap gap;
    gap.instance_types = item.at("instanceTypes").strings();
    gap.zones = item.at("zones").strings();
    gap.capacity_types = item.at("capacityTypes").strings();
    gap.from = item.at("from").duration().value_or(Duration{});
    gap.until = item.at("until").duration();
    gap.probability = item.at("probability").number(0, 1).value_or(1);
    item.refuse_unknown_keys();
    cloud.gaps.push_back(std::move(gap));
  }
  reader.refuse_unknown_keys();
  return cloud;
}

std::vector<api::Taint> read_taints(Reader reader) {
  std::vector<api::Taint> taints;
  for (Reader& item : reader.items()) {
    taints.push_back({item.required("key").required_string(),
                      item.at("value").string().value_or(""),
                      item.required("effect").required_string()});
    item.refuse_unknown_keys();
  }
  return taints;
}

StartSpec read_start(Reader reader) {
  StartSpec start;
  for (Reader& item : reader.at("nodes").items()) {
    NodeGroup group;
    group.instance_type = item.required("instanceType").required_string();
    group.capacity_type = item.at("capacityType").string().value_or("on-demand");
    group.pool = item.at("nodePool").string().value_or("");
    group.count = item.at("count").int32(0, 100'000).value_or(1);
    group.labels = item.at("labels").string_map();
    group.taints = read_taints(item.at("taints"));
    item.refuse_unknown_keys();
    start.nodes.push_back(std::move(group));
  }
  for (const auto& [key, value] : reader.at("replicas").entries()) {
    start.replicas[key] = value.int32(0, 100'000).value_or(0);
  }
  reader.refuse_unknown_keys();
  return start;
}

TrainingSpec read_training(Reader reader, const std::filesystem::path& folder, Duration length,
                           uint64_t seed) {
  TrainingSpec training;
  training.reference_gpu = reader.at("referenceGpu").string().value_or(training.reference_gpu);
  if (catalog::find_gpu(training.reference_gpu) == nullptr) {
    reader.at("referenceGpu").error("unknown GPU");
  }
  training.checkpoint_interval = reader.at("checkpointInterval").duration();
  if (training.checkpoint_interval && training.checkpoint_interval->ns <= 0) {
    reader.at("checkpointInterval").error("must be above zero");
    training.checkpoint_interval.reset();
  }
  training.image = reader.at("image").string().value_or(training.image);
  training.start = read_delay(reader.at("start"), training.start);
  training.node_selector = reader.at("nodeSelector").string_map();
  for (Reader& item : reader.at("tolerations").items()) {
    api::Toleration toleration;
    toleration.key = item.at("key").string().value_or("");
    toleration.op = item.at("operator").string().value_or("Equal");
    toleration.value = item.at("value").string().value_or("");
    toleration.effect = item.at("effect").string().value_or("");
    item.refuse_unknown_keys();
    training.tolerations.push_back(std::move(toleration));
  }
  JobDefaults defaults;
  defaults.namespace_name = reader.at("namespace").string().value_or("training");
  defaults.priority_class = reader.at("priorityClass").string().value_or("");
  defaults.requests = reader.at("requests").resources();
  training.jobs = read_jobs(reader, folder, defaults, length, seed);
  reader.refuse_unknown_keys();
  return training;
}

MetricsSpec read_metrics(Reader reader) {
  MetricsSpec metrics;
  metrics.scrape_interval = reader.at("scrapeInterval").duration().value_or(seconds(15));
  if (metrics.scrape_interval < seconds(1)) {
    reader.at("scrapeInterval").error("at least 1s is accepted");
    metrics.scrape_interval = seconds(1);
  }
  metrics.query_latency = reader.at("queryLatency").duration().value_or(metrics.query_latency);
  for (Reader& item : reader.at("outages").items()) {
    metrics.outages.emplace_back(item.required("from").duration().value_or(Duration{}),
                                 item.required("until").duration().value_or(Duration{}));
    item.refuse_unknown_keys();
  }
  reader.refuse_unknown_keys();
  return metrics;
}

// To whole seconds: nobody knows a start-up time better, and reasons are read by people.
Duration whole(Duration d) { return seconds((d.ns + 500'000'000) / 1'000'000'000); }

// What the joint policy expects of a start, from the declared distributions: their means.
void expect_lead_times(Scenario& scenario) {
  for (ModelSpec& spec : scenario.models) {
    std::string image;
    for (const api::Object& object : scenario.objects) {
      const auto* deployment = std::get_if<api::Deployment>(&object);
      if (deployment == nullptr || deployment->meta.key() != spec.model.deployment) continue;
      const auto& containers = deployment->pod_template.spec.containers;
      if (!containers.empty()) image = containers.front().image;
    }
    const auto declared = scenario.image_pull.find(image);
    const Delay& pull =
        declared == scenario.image_pull.end() ? scenario.default_image_pull : declared->second;
    spec.model.warm_start = whole(spec.weights.mean() + spec.engine_start.mean());
    const CloudSpec& cloud = scenario.cloud;
    spec.model.lead_time =
        whole(cloud.launch.mean() + cloud.boot.mean() + cloud.device_plugin.mean() + pull.mean()) +
        spec.model.warm_start;
  }
}

void read_policies(Reader reader, Scenario& scenario) {
  for (Reader& item : reader.items()) {
    const auto name = item.string();
    if (!name) continue;
    const auto policy = controllers::parse_policy(*name);
    if (policy.ok()) {
      scenario.policies.push_back(*policy);
    } else {
      item.error(policy.error().message());
    }
  }
  if (scenario.policies.empty()) {
    scenario.policies = {controllers::Policy::kStatic, controllers::Policy::kStock,
                         controllers::Policy::kWindlass};
  }
}

void read_spec(Reader spec, const std::filesystem::path& folder, std::optional<uint64_t> seed,
               std::optional<Duration> duration, Scenario& scenario,
               std::vector<std::string>& manifests) {
  scenario.duration = spec.at("duration").duration().value_or(hours(24));
  if (scenario.duration.ns <= 0) spec.at("duration").error("must be above zero");
  if (duration) scenario.duration = *duration;
  scenario.start = spec.at("start").time().value_or(Instant{1'772'409'600'000'000'000});
  scenario.seed = static_cast<uint64_t>(spec.at("seed").integer(0, INT64_MAX).value_or(1));
  if (seed) scenario.seed = *seed;
  manifests = spec.required("manifests").strings();
  read_policies(spec.at("policies"), scenario);
  scenario.cloud = read_cloud(spec.at("cloud"));
  Reader images = spec.at("images");
  scenario.default_image_pull = read_delay(images.at("defaultPull"), scenario.default_image_pull);
  for (const auto& [image, delay] : images.at("pull").entries()) {
    scenario.image_pull[image] = read_delay(delay, scenario.default_image_pull);
  }
  images.refuse_unknown_keys();
  for (const Reader& model : spec.at("models").items()) {
    scenario.models.push_back(read_model(model, folder));
  }
  scenario.training = read_training(spec.at("training"), folder, scenario.duration, scenario.seed);
  scenario.fixed = read_start(spec.at("static"));
  scenario.autoscaled = read_start(spec.at("autoscaled"));
  scenario.metrics = read_metrics(spec.at("metrics"));
  scenario.wiring.joint = controllers::read_joint_options(spec.at("windlass"));
  scenario.sample_period = spec.at("samplePeriod").duration().value_or(minutes(1));
  if (scenario.sample_period < seconds(5)) spec.at("samplePeriod").error("at least 5s is accepted");
  spec.refuse_unknown_keys();
}

Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) {
    return Error(fmt::format("can't read {}", path.string()));
  }
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void read_manifest_files(const std::vector<std::string>& files, const std::filesystem::path& folder,
                         ScenarioFile& out) {
  for (const std::string& name : files) {
    const auto path = (folder / name).lexically_normal();
    const auto text = read_file(path);
    if (!text.ok()) {
      out.errors.push_back({name, text.error().message()});
      continue;
    }
    api::Manifests read = api::read_manifests(*text, path.string());
    std::move(read.objects.begin(), read.objects.end(), std::back_inserter(out.scenario.objects));
    std::move(read.errors.begin(), read.errors.end(), std::back_inserter(out.errors));
    for (const api::Finding& warning : read.warnings) {
      out.scenario.notes.push_back(warning.place + ": " + warning.text);
    }
  }
}

}  // namespace

Result<ScenarioFile> read_scenario(const std::string& path, std::optional<uint64_t> seed,
                                   std::optional<Duration> duration) {
  const auto text = read_file(path);
  if (!text.ok()) return text.error();
  const auto documents = parse_yaml(*text);
  if (!documents.ok()) return documents.error().in(path);
  if (documents->size() != 1) {
    return Error(
        fmt::format("{}: one Scenario document is accepted, found {}", path, documents->size()));
  }
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  ScenarioFile out;
  api::ReadLog log;
  Reader root(*documents->front().value, "", log);
  if (root.expect_map()) {
    const std::string kind = root.required("kind").required_string();
    const std::string version = root.required("apiVersion").required_string();
    if (kind != "Scenario" || version != "windlass.dev/v1alpha1") {
      return Error(
          fmt::format("{}: found kind {} of {}, accepted is kind Scenario of "
                      "windlass.dev/v1alpha1",
                      path, kind, version));
    }
    Reader metadata = root.required("metadata");
    out.scenario.name = metadata.required("name").required_string();
    out.scenario.document = documents->front().value;
    std::vector<std::string> manifests;
    read_spec(root.required("spec"), folder, seed, duration, out.scenario, manifests);
    root.refuse_unknown_keys();
    read_manifest_files(manifests, folder, out);
  }
  std::vector<api::Finding> mine;
  for (const api::ReadFinding& finding : log.errors) {
    const int line = yaml_line_of(*text, 0, finding.path);
    mine.push_back({line > 0 ? fmt::format("{}:{}: {}", path, line, finding.path)
                             : fmt::format("{}: {}", path, finding.path),
                    finding.text});
  }
  out.errors.insert(out.errors.begin(), mine.begin(), mine.end());
  if (out.errors.empty()) {
    expect_lead_times(out.scenario);
    for (std::string& text_of : check_scenario(out.scenario)) {
      out.errors.push_back({path, std::move(text_of)});
    }
  }
  return out;
}

}  // namespace windlass::sim

#include "cli/replay_scenario.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/object.h"
#include "base/hash.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "cli/plan_input.h"
#include "cli/replay_trace.h"
#include "sim/scenario.h"

namespace windlass::cli {
namespace {

namespace fs = std::filesystem;

// From the launch of an instance to its Node object, which no metric of kube-state-metrics shows:
// the machine's own boot (30-80 s measured on EC2's GPU types).
constexpr double kAssumedMachineBoot = 30;

std::string number(double value) {
  if (value >= 1e15) return fmt::format("{:g}", value);
  std::string digits = fmt::format("{:.0f}", value);
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string length(double seconds) {
  if (seconds >= 2 * 86400) return fmt::format("{:.1f} days", seconds / 86400);
  if (seconds >= 2 * 3600) return fmt::format("{:.1f} h", seconds / 3600);
  return seconds >= 120 ? fmt::format("{:.0f} min", seconds / 60)
                        : fmt::format("{:.0f} s", seconds);
}

std::string text_of(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// Milliseconds: a Duration of the scenario file.
std::string seconds_text(double seconds) {
  return to_string(milliseconds(std::llround(std::max(seconds, 0.0) * 1000)));
}
Json delay_json(double median, double p95) {
  return {{"median", seconds_text(median)}, {"p95", seconds_text(std::max(median, p95))}};
}

// What the manifests have that a beginning may refer to.
struct Known {
  std::set<std::string> pools;
  std::set<std::string> deployments;
  std::map<std::string, std::string> images;  // first container's, by Deployment
};

class ScenarioWriter {
 public:
  ScenarioWriter(std::string directory, const ReplayScenarioInput& input)
      : directory_(std::move(directory)),
        input_(input),
        history_(*input.history),
        spec_(*input.models->spec) {}

  Result<ReplayScenario> write() {
    std::error_code error;
    fs::create_directories(directory_ / "manifests", error);
    if (error) {
      return Error(fmt::format("can't make {}: {}", directory_.string(), error.message()));
    }
    if (Status status = copy_manifests(); !status) return status.error();
    set_time();
    if (Status status = write_models(); !status) return status.error();
    set_delays();
    set_beginnings();
    set_policies();
    tell_gpus();
    if (Status status = write_file(); !status) return status.error();
    return std::move(out_);
  }

 private:
  void found(std::string text) { out_.found.push_back(std::move(text)); }
  void assumed(std::string text) { out_.assumed.push_back(std::move(text)); }
  [[nodiscard]] double span_s() const {
    return static_cast<double>(history_.span.to - history_.span.from);
  }
  [[nodiscard]] Instant time(int64_t second) const { return {second * 1'000'000'000}; }

  Status copy_manifests() {
    spec_["manifests"] = Json::array();
    for (size_t i = 0; i < input_.manifests.size(); ++i) {
      const std::string& path = input_.manifests[i];
      const auto text = read_file(path);
      if (!text.ok()) return text.error();
      const std::string base = path == "-" ? "standard-input.yaml" : fs::path(path).filename();
      // Numbered: two may have one name, and their order may matter.
      const std::string name = fmt::format("manifests/{:02}-{}", i, base);
      std::ofstream file(directory_ / name, std::ios::binary | std::ios::trunc);
      file << *text;
      file.close();
      if (!file) return Error(fmt::format("can't write {}", (directory_ / name).string()));
      spec_["manifests"].push_back(name);
      // Faults are for the scenario's reader to list, all together.
      for (const api::Object& object : api::read_manifests(*text, path).objects) note(object);
    }
    return {};
  }
  void note(const api::Object& object) {
    if (const auto* pool = std::get_if<api::NodePool>(&object))
      known_.pools.insert(pool->meta.name);
    if (const auto* deployment = std::get_if<api::Deployment>(&object)) {
      const std::string key = deployment->meta.key();
      known_.deployments.insert(key);
      const auto& containers = deployment->pod_template.spec.containers;
      if (!containers.empty()) known_.images[key] = containers.front().image;
    }
  }

  void set_time() {
    spec_["start"] = to_rfc3339(time(history_.span.from));
    spec_["duration"] = to_string(seconds(history_.span.to - history_.span.from));
    if (input_.seed) spec_["seed"] = *input_.seed;
    found(fmt::format("Prometheus {}: {} from {}, a rate every {}", input_.source, length(span_s()),
                      to_rfc3339(time(history_.span.from)),
                      to_string(seconds(history_.span.step))));
  }

  [[nodiscard]] uint64_t seed() const {
    const auto it = spec_.find("seed");
    return it != spec_.end() && it->is_number_unsigned() ? it->get<uint64_t>() : 1;
  }

  Status write_models() {
    std::set<std::string> wanted;
    for (size_t i = 0; i < spec_["models"].size(); ++i) {
      Json& model = spec_["models"][i];
      const std::string name = text_of(model, "name");
      wanted.insert(name);
      const auto it = history_.models.find(name);
      if (it == history_.models.end() || it->second.requests < 1) {
        assumed(fmt::format("model {}: no requests, none were recorded under this name", name));
        model["traffic"] = {{"generator",
                             {{"requestsPerSecond", 0},
                              {"inputTokens", Json::object()},
                              {"outputTokens", Json::object()}}}};
        continue;
      }
      if (Status status = write_model(i, name, it->second, model); !status) return status;
    }
    for (const auto& [name, model] : history_.models) {
      if (wanted.contains(name) || model.requests < 1) continue;
      assumed(fmt::format("left out: {} requests to {}, which --models doesn't have",
                          number(model.requests), name));
    }
    return {};
  }

  Status write_model(size_t index, const std::string& name, const ModelHistory& model, Json& json) {
    const std::string file = fmt::format("traffic-{}.csv", index);
    const auto written =
        write_trace((directory_ / file).string(), name, model, history_.span, seed());
    if (!written.ok()) return written.error();
    if (written->rows == 0) {
      return Error(fmt::format("model {}: too few requests were recorded to replay", name));
    }
    json["traffic"] = {{"trace", {{"path", file}, {"repeat", false}}}};
    if (written->every > 1) {
      json["traffic"]["trace"]["rateScale"] = written->every;
      assumed(fmt::format("model {}: one request stands for {} (there are that many)", name,
                          written->every));
    }
    found(fmt::format(
        "model {}: {} requests, {:.2f}/s on average, {:.2f}/s at most, {:.0f} tokens "
        "in and {:.0f} out; {} of {} covered{}{}",
        name, number(model.requests), model.requests / span_s(), model.peak, written->input_mean,
        written->output_mean, length(model.covered_s), length(span_s()), gaps_text(model),
        model.waiting_peak > 0
            ? fmt::format("; {:.0f} requests waiting at most", model.waiting_peak)
            : ""));
    if (written->input_assumed || written->output_assumed) {
      assumed(fmt::format("model {}: {}", name,
                          written->input_assumed && written->output_assumed
                              ? fmt::format("{:.0f} tokens in and {:.0f} out on average",
                                            kAssumedInput, kAssumedOutput)
                          : written->input_assumed
                              ? fmt::format("{:.0f} tokens in on average", kAssumedInput)
                              : fmt::format("{:.0f} tokens out on average", kAssumedOutput)));
    }
    if (written->spread_assumed) {
      assumed(fmt::format("model {}: lengths whose P95 is three means", name));
    }
    return {};
  }

  std::string gaps_text(const ModelHistory& model) const {
    if (model.gaps.empty()) return ", no gaps";
    const auto longest =
        std::ranges::max_element(model.gaps, {}, [](const Gap& gap) { return gap.to - gap.from; });
    return fmt::format(", {} gap{} (no requests then), the longest {} from {}", model.gaps.size(),
                       model.gaps.size() == 1 ? "" : "s",
                       length(static_cast<double>(longest->to - longest->from)),
                       to_rfc3339(time(longest->from)));
  }

  // Sets spec[section][key] unless the models file has it.
  bool set_default(Json& section, const char* key, Json value) {
    if (section.contains(key)) return false;
    section[key] = std::move(value);
    return true;
  }

  void set_delays() {
    Json& cloud = section("cloud");
    if (history_.node_ready) {
      const Took& took = *history_.node_ready;
      if (set_default(
              cloud, "boot",
              delay_json(took.median + kAssumedMachineBoot, took.p95 + kAssumedMachineBoot))) {
        found(fmt::format("nodes: {:.0f} s from their creation to Ready (P95 {:.0f} s, {} nodes)",
                          took.median, took.p95, took.times));
        assumed(fmt::format("nodes: {:.0f} s more from the launch to the Node object",
                            kAssumedMachineBoot));
      }
    } else if (!cloud.contains("boot")) {
      assumed("nodes: Ready after " + delay_text(sim::CloudSpec{}.boot) +
              ", none was seen to start");
    }
    if (history_.node_gpus) {
      const double mean = *history_.node_gpus;
      if (set_default(cloud, "devicePlugin", delay_json(mean, mean))) {
        found(fmt::format("nodes: {:.0f} s from Ready to their GPUs", mean));
      }
    }
    set_pod_delays();
  }

  static std::string delay_text(const sim::Delay& delay) {
    return fmt::format("{:.0f} s (P95 {:.0f} s)", delay.median.seconds(), delay.p95.seconds());
  }

  void set_pod_delays() {
    if (!history_.pod_start) {
      assumed("pods: image " + delay_text(sim::Scenario{}.default_image_pull) + ", weights " +
              delay_text(sim::ModelSpec{}.weights) + ", engine " +
              delay_text(sim::ModelSpec{}.engine_start) +
              " unless --models says so; none was seen to start");
      return;
    }
    const Took& took = *history_.pod_start;
    bool used = false;
    for (Json& model : spec_["models"]) {
      // Its own figures stay whole: a start is not put together from two sources.
      if (model.contains("weightsLoad") || model.contains("engineStart")) continue;
      model["weightsLoad"] = "0s";
      model["engineStart"] = delay_json(took.median, took.p95);
      used = true;
      if (history_.pull_within_start) set_pull(text_of(model, "deployment"), "0s");
    }
    if (history_.image_pull) {
      for (const Json& model : spec_["models"]) {
        set_pull(text_of(model, "deployment"),
                 delay_json(history_.image_pull->median, history_.image_pull->p95));
      }
      found(fmt::format("images: {:.0f} s to pull (P95 {:.0f} s, {} times)",
                        history_.image_pull->median, history_.image_pull->p95,
                        history_.image_pull->times));
    }
    if (used) {
      found(fmt::format("pods: {:.0f} s from {} to Ready (P95 {:.0f} s, {} pods)", took.median,
                        history_.pull_within_start ? "their binding" : "their container's start",
                        took.p95, took.times));
    }
    if (used && history_.pull_within_start) {
      assumed("pods: pulling the image is part of that, every time");
    }
  }

  void set_pull(const std::string& deployment, const Json& delay) {
    const auto image = known_.images.find(deployment);
    if (image == known_.images.end()) return;
    Json& pulls = section("images")["pull"];
    if (!pulls.is_object()) pulls = Json::object();
    if (!pulls.contains(image->second)) pulls[image->second] = delay;
  }

  Json& section(const char* name) {
    Json& out = spec_[name];
    if (!out.is_object()) out = Json::object();
    return out;
  }

  // ---- where the runs begin ----

  Json nodes_json(const std::vector<NodeCount>& nodes) {
    const catalog::Catalog types = catalog::built_in({});
    Json out = Json::array();
    for (const NodeCount& group : nodes) {
      const catalog::InstanceType* type = types.find(group.instance_type);
      if (type == nullptr) {
        if (told_.insert(group.instance_type).second) {
          assumed(fmt::format("left out: nodes of the type \"{}\", which isn't known",
                              group.instance_type));
        }
        continue;
      }
      const bool offered = std::ranges::any_of(type->offerings, [&](const auto& offering) {
        return offering.capacity_type == group.capacity_type;
      });
      Json json{{"instanceType", group.instance_type}, {"count", group.count}};
      json["capacityType"] = offered ? group.capacity_type : "on-demand";
      if (known_.pools.contains(group.pool)) json["nodePool"] = group.pool;
      out.push_back(std::move(json));
    }
    return out;
  }
  Json replicas_json(const std::map<std::string, int>& replicas) const {
    Json out = Json::object();
    for (const auto& [deployment, count] : replicas) {
      if (known_.deployments.contains(deployment)) out[deployment] = count;
    }
    return out;
  }
  static std::string nodes_text(const Json& nodes) {
    std::vector<std::string> parts;
    for (const Json& node : nodes) {
      const bool spot = text_of(node, "capacityType") == "spot";
      parts.push_back(fmt::format("{} {}{}", node["count"].get<int>(),
                                  text_of(node, "instanceType"), spot ? " (spot)" : ""));
    }
    return join(parts, ", ");
  }
  static std::string replicas_text(const Json& replicas) {
    std::vector<std::string> parts;
    for (const auto& [deployment, count] : replicas.items()) {
      parts.push_back(fmt::format("{} of {}", count.get<int>(), deployment));
    }
    return join(parts, ", ");
  }

  void set_beginning(const char* name, const std::vector<NodeCount>& nodes,
                     const std::map<std::string, int>& replicas, const char* when) {
    if (spec_.contains(name)) return;
    Json begin{{"nodes", nodes_json(nodes)}, {"replicas", replicas_json(replicas)}};
    const bool has_nodes = !begin["nodes"].empty();
    const bool has_replicas = !begin["replicas"].empty();
    if (has_nodes || has_replicas) {
      found(fmt::format("{}: {}{}{}", when, has_nodes ? nodes_text(begin["nodes"]) : "",
                        has_nodes && has_replicas ? "; replicas: " : "",
                        has_replicas ? replicas_text(begin["replicas"]) : ""));
    }
    if (!has_nodes) {
      assumed(fmt::format("{}: no nodes (Karpenter's metrics don't say)", when));
    }
    if (!has_replicas) assumed(fmt::format("{}: the manifests' replicas", when));
    // The static policy without nodes would serve nobody.
    if (std::string_view(name) == "static" && !has_nodes) return;
    spec_[name] = std::move(begin);
  }

  void set_beginnings() {
    set_beginning("autoscaled", history_.first_nodes, history_.first_replicas, "at the beginning");
    set_beginning("static", history_.most_nodes, history_.most_replicas,
                  "static, as at the highest point");
  }

  void set_policies() {
    if (!input_.policies.empty()) {
      spec_["policies"] = input_.policies;
    } else if (!spec_.contains("policies")) {
      spec_["policies"] = Json{"stock", "windlass"};
      if (spec_.contains("static")) {
        spec_["policies"].insert(spec_["policies"].begin(), "static");
      } else {
        assumed("policies: stock and windlass; static needs nodes (give them in --models)");
      }
    }
  }

  void tell_gpus() {
    for (const std::string& why : history_.unanswered) assumed("as if it were absent: " + why);
    if (history_.gpus) {
      found(fmt::format("GPUs (DCGM): {:.1f} on average, {} GPU hours{}", *history_.gpus,
                        number(*history_.gpus * span_s() / 3600),
                        history_.gpu_utilization
                            ? fmt::format(", {:.0f} % busy", *history_.gpu_utilization * 100)
                            : ""));
    }
    for (const auto& [metric, peak] : history_.keda_peaks) {
      found(fmt::format("KEDA {}: {:g} at most", metric, peak));
    }
  }

  Status write_file() {
    const Json document{{"apiVersion", "windlass.dev/v1alpha1"},
                        {"kind", "Scenario"},
                        {"metadata", {{"name", "replay"}}},
                        {"spec", spec_}};
    std::string text = "# What a Prometheus recorded, made by windlass replay.\n#\n";
    // Whatever labels hold, a comment ends with its line.
    const auto add = [&text](const char* what, const std::vector<std::string>& lines) {
      text += fmt::format("# {}:\n", what);
      for (std::string line : lines) {
        std::ranges::replace_if(
            line, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
        text += "#   " + line + "\n";
      }
    };
    add("Found", out_.found);
    add("Assumed", out_.assumed);
    text += yaml_text(document);
    out_.path = (directory_ / "scenario.yaml").string();
    std::ofstream file(out_.path, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (!file) return Error(fmt::format("can't write {}", out_.path));
    return {};
  }

  fs::path directory_;
  const ReplayScenarioInput& input_;
  const ReplayHistory& history_;
  Json spec_;
  Known known_;
  std::set<std::string> told_;
  ReplayScenario out_;
};

}  // namespace

Result<ModelsFile> read_models_file(const std::string& path) {
  const auto text = read_file(path);
  if (!text.ok()) return text.error();
  const auto documents = parse_yaml(*text);
  if (!documents.ok()) return documents.error().in(path);
  if (documents->size() != 1) return Error(fmt::format("{}: one document is accepted", path));
  ModelsFile out;
  const Json& root = *documents->front().value;
  if (root.is_array()) {
    out.spec = std::make_shared<Json>(Json{{"models", root}});
  } else if (root.is_object() && root.contains("spec")) {
    out.spec = std::make_shared<Json>(root["spec"]);
  } else {
    out.spec = std::make_shared<Json>(root);
  }
  Json& spec = *out.spec;
  if (!spec.is_object() || !spec.contains("models") || !spec["models"].is_array() ||
      spec["models"].empty()) {
    return Error(
        fmt::format("{}: has no models (accepted: a scenario, its spec, or the list of "
                    "its models)",
                    path));
  }
  for (const Json& model : spec["models"]) {
    if (!model.is_object() || text_of(model, "name").empty()) {
      return Error(fmt::format("{}: a model has no name", path));
    }
    out.names.push_back(text_of(model, "name"));
    out.deployments.push_back(text_of(model, "deployment"));
  }
  for (const char* section : {"cloud", "images", "training"}) {
    if (spec.contains(section) && !spec[section].is_object()) {
      return Error(fmt::format("{}: {} is no map", path, section));
    }
  }
  // Paths are the file's own; the scenario will stand elsewhere.
  const fs::path folder = fs::absolute(path).parent_path();
  if (spec.contains("manifests") && spec["manifests"].is_array()) {
    for (const Json& manifest : spec["manifests"]) {
      if (manifest.is_string()) out.manifests.push_back(folder / manifest.get<std::string>());
    }
  }
  if (spec.contains("training") && spec["training"].contains("trace")) {
    Json& trace = spec["training"]["trace"];
    const std::string jobs = trace.is_object() ? text_of(trace, "path") : std::string();
    if (!jobs.empty()) trace["path"] = (folder / jobs).string();
  }
  return out;
}

Result<ReplayScenario> write_scenario(const std::string& directory,
                                      const ReplayScenarioInput& input) {
  return ScenarioWriter(directory, input).write();
}

}  // namespace windlass::cli

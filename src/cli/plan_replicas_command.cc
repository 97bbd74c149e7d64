#include "cli/plan_replicas_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "api/object.h"
#include "base/text.h"
#include "cli/plan_input.h"
#include "cli/plan_replicas_run.h"
#include "cli/plan_replicas_vectors.h"

namespace windlass::cli {
namespace {

Result<std::vector<api::Object>> read_objects(const std::vector<std::string>& paths,
                                              std::vector<std::string>& warnings) {
  const auto files = manifest_files(paths);
  if (!files.ok()) return files.error();
  std::vector<api::Object> objects;
  std::vector<std::string> errors;
  for (const std::string& file : *files) {
    const auto text = read_file(file);
    if (!text.ok()) return text.error();
    api::Manifests manifests = api::read_manifests(*text, file == "-" ? "standard input" : file);
    for (const auto& f : manifests.errors) errors.push_back(f.place + ": " + f.text);
    for (const auto& f : manifests.warnings) warnings.push_back(f.place + ": " + f.text);
    for (api::Object& object : manifests.objects) objects.push_back(std::move(object));
  }
  if (!errors.empty()) return Error(join(errors, "\n"));
  return objects;
}

bool is_scaler(const api::Object& object) {
  return std::holds_alternative<api::ScaledObject>(object) ||
         std::holds_alternative<api::ScaledJob>(object) ||
         std::holds_alternative<api::HorizontalPodAutoscaler>(object);
}

std::string name_of(const api::Object& object) {
  return fmt::format("{}/{}", api::kind_of(object), api::meta_of(object).key());
}

// The readings are of one object's triggers, so there must be one.
Result<const api::Object*> the_scaler(const std::vector<api::Object>& objects) {
  std::vector<std::string> names;
  const api::Object* found = nullptr;
  for (const api::Object& object : objects) {
    if (!is_scaler(object)) continue;
    found = &object;
    names.push_back(name_of(object));
  }
  if (names.size() == 1) return found;
  return Error(
      fmt::format("the manifests hold {} (accepted: one ScaledObject, ScaledJob or "
                  "HorizontalPodAutoscaler)",
                  names.empty() ? "none that scales" : join(names, ", ")));
}

Result<Json> replay_files(const std::vector<std::string>& files) {
  Json all = Json::array();
  for (const std::string& file : files) {
    const auto text = read_file(file);
    if (!text.ok()) return text.error();
    const auto json = parse_json(*text);
    if (!json.ok()) return json.error().in(file);
    auto replayed = replay_vectors(*json, file);
    if (!replayed.ok()) return replayed.error();
    for (Json& vector : *replayed) all.push_back(std::move(vector));
  }
  return Json{{"vectors", std::move(all)}};
}

std::string vectors_table(const Json& replay) {
  std::vector<std::vector<std::string>> rows{{"vector", "replicas in each step"}};
  for (const Json& vector : replay["vectors"]) {
    const bool refused = vector.contains("refused");
    rows.push_back(
        {vector["id"].get<std::string>(),
         refused ? "refused: " + vector["refused"].get<std::string>() : vector["values"].dump()});
  }
  return format_table(rows, {false, false});
}

int fail(std::string_view what) {
  fmt::print(stderr, "error: {}\n", what);
  return 2;
}

}  // namespace

Result<Json> plan_replicas(const PlanReplicasOptions& options, std::vector<std::string>& warnings) {
  const auto objects = read_objects(options.files, warnings);
  if (!objects.ok()) return objects.error();
  const auto scaler = the_scaler(*objects);
  if (!scaler.ok()) return scaler.error();
  const auto text = read_file(options.readings);
  if (!text.ok()) return text.error();
  const auto readings = read_readings(*text, options.readings);
  if (!readings.ok()) return readings.error();

  const std::string name = name_of(**scaler);
  std::vector<std::string> notes;
  Result<Json> plan = Error("");
  if (const auto* object = std::get_if<api::ScaledObject>(*scaler)) {
    plan = run_scaled_object(*object, *objects, *readings, notes);
  } else if (const auto* job = std::get_if<api::ScaledJob>(*scaler)) {
    plan = run_scaled_job(*job, *objects, *readings, notes);
  } else {
    plan = run_hpa(std::get<api::HorizontalPodAutoscaler>(**scaler), *objects, *readings);
  }
  for (const std::string& note : notes) warnings.push_back(name + ": " + note);
  if (!plan.ok()) return plan.error().in(name);
  (*plan)["object"] = name;
  return plan;
}

std::string plan_replicas_table(const Json& plan) {
  const bool jobs = !plan["steps"].empty() && plan["steps"][0].contains("create");
  std::vector<std::vector<std::string>> rows;
  rows.push_back(
      {"time", jobs ? "running" : "from", jobs ? "create" : "replicas", "limited by", "why"});
  for (const Json& step : plan["steps"]) {
    const std::string limit = step["limited_by"].get<std::string>();
    rows.push_back({step["time"].get<std::string>(), step[jobs ? "running" : "from"].dump(),
                    step[jobs ? "create" : "replicas"].dump(), limit.empty() ? "-" : limit,
                    step["why"].get<std::string>()});
  }
  return format_table(rows, {false, true, true, false, false});
}

int run_plan_replicas(const PlanReplicasOptions& options) {
  const bool json = options.output == "json";
  if (!options.vectors.empty()) {
    if (!options.files.empty() || !options.readings.empty()) {
      return fail("--vectors takes the place of --file and --readings");
    }
    const auto replay = replay_files(options.vectors);
    if (!replay.ok()) return fail(replay.error().message());
    fmt::print("{}\n", json ? replay->dump(2) : vectors_table(*replay));
    return 0;
  }
  if (options.files.empty() || options.readings.empty()) {
    return fail("needs --file and --readings, or --vectors");
  }
  std::vector<std::string> warnings;
  const auto plan = plan_replicas(options, warnings);
  for (const std::string& warning : warnings) fmt::print(stderr, "warning: {}\n", warning);
  if (!plan.ok()) return fail(plan.error().message());
  fmt::print("{}\n", json ? plan->dump(2) : plan_replicas_table(*plan));
  return 0;
}

}  // namespace windlass::cli

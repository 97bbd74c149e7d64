#include "cli/simulate_command.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/progress.h"
#include "report/report.h"
#include "sim/world.h"

namespace windlass::cli {
namespace {

std::atomic<bool> g_stop{false};  // set by the signal handler

extern "C" void on_interrupt(int) { g_stop.store(true, std::memory_order_relaxed); }

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// What one policy's run left behind.
struct Run {
  controllers::Policy policy{};
  std::optional<sim::RunResult> result;
  std::string error;
  std::string decisions;  // JSON lines
};

void run_one(const sim::Scenario& scenario, bool keep_decisions, Progress& progress, size_t index,
             Run& run) {
  sim::RunOptions options;
  options.stop = &g_stop;
  options.progress = [&](double share) { progress.update(index, share); };
  if (keep_decisions) {
    options.decisions = [&](const std::string& line) { run.decisions += line + "\n"; };
  }
  const double began = now_s();
  auto result = sim::simulate(scenario, run.policy, options);
  if (!result.ok()) {
    run.error = result.error().message();
    return;
  }
  run.result = *std::move(result);
  run.result->wall_s = now_s() - began;
  progress.update(index, run.result->partial ? -1 : 1);
}

// Whole worlds side by side, one a core: they share the scenario, which nobody changes.
std::vector<Run> run_all(const sim::Scenario& scenario, const SimulateOptions& options) {
  std::vector<Run> runs(scenario.policies.size());
  std::vector<std::string> names;
  for (size_t i = 0; i < runs.size(); ++i) {
    runs[i].policy = scenario.policies[i];
    names.emplace_back(controllers::to_string(runs[i].policy));
  }
  Progress progress(names, !options.quiet);
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next++; i < runs.size(); i = next++) {
      run_one(scenario, !options.decisions.empty(), progress, i, runs[i]);
    }
  };
  const size_t cores = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::thread> threads;
  for (size_t i = 1; i < std::min(cores, runs.size()); ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  progress.finish();
  return runs;
}

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (file) return true;
  std::cerr << fmt::format("error: can't write {}\n", path);
  return false;
}

}  // namespace

std::optional<sim::Scenario> load_scenario(const SimulateOptions& options) {
  auto file = sim::read_scenario(options.scenario, options.seed);
  if (!file.ok()) {
    std::cerr << "error: " << file.error().message() << "\n";
    return std::nullopt;
  }
  for (const api::Finding& finding : file->errors) {
    std::cerr << fmt::format("error: {}: {}\n", finding.place, finding.text);
  }
  if (!file->errors.empty()) {
    std::cerr << fmt::format("{} error{}; nothing was run\n", file->errors.size(),
                             file->errors.size() == 1 ? "" : "s");
    return std::nullopt;
  }
  sim::Scenario scenario = std::move(file->scenario);
  if (options.policies.empty()) return scenario;
  scenario.policies.clear();
  for (const std::string& name : options.policies) {
    const auto policy = controllers::parse_policy(name);
    if (!policy.ok()) {
      std::cerr << "error: --policy: " << policy.error().message() << "\n";
      return std::nullopt;
    }
    scenario.policies.push_back(*policy);
  }
  return scenario;
}

int run_simulate(const SimulateOptions& options) {
  const std::optional<sim::Scenario> scenario = load_scenario(options);
  return scenario ? simulate_scenario(*scenario, options) : 2;
}

int simulate_scenario(const sim::Scenario& scenario, const SimulateOptions& options) {
  // Files that can't be written are said before the work, not after it.
  for (const std::string& path : {options.report, options.decisions}) {
    if (!path.empty() && !write_file(path, "")) return 2;
  }
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
  std::vector<Run> runs = run_all(scenario, options);
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);

  sim::ScenarioResult result;
  result.scenario = scenario.name;
  result.seed = scenario.seed;
  result.duration_s = scenario.duration.seconds();
  result.notes = scenario.notes;
  int exit_code = g_stop ? 130 : 0;
  std::string decisions;
  for (Run& run : runs) {
    decisions += run.decisions;
    if (run.result) {
      result.policies.push_back(std::move(*run.result));
    } else {
      std::cerr << fmt::format("error: policy {}: {}\n", controllers::to_string(run.policy),
                               run.error);
      exit_code = 1;
    }
  }
  if (options.output == "json") {
    std::cout << report::results_json(result).dump(2) << "\n";
  } else {
    std::cout << report::results_table(result);
  }
  if (!options.decisions.empty() && !write_file(options.decisions, decisions)) exit_code = 1;
  if (!options.report.empty()) {
    if (!write_file(options.report, report::results_html(result))) return 1;
    if (options.output != "json") std::cout << "\nreport: " << options.report << "\n";
  }
  return exit_code;
}

}  // namespace windlass::cli

#include "cli/up_command.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <sys/stat.h>
#include <system_error>

#include <fmt/format.h>

#include "base/text.h"
#include "base/utf8.h"
#include "report/report.h"
#include "server/embedded/embedded_cluster.h"

namespace windlass::cli {
namespace {

// A cluster that is left running: as long as any session of trying lasts. Traffic and jobs are
// drawn as time passes, so a long one costs nothing.
constexpr Duration kOpenEnd = hours(24 * 90);

Instant wall_now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count()};
}

int refuse(const std::string& what) {
  std::cerr << "error: " << what << "\n";
  return 2;
}

std::string state_home() {
  if (const char* home = std::getenv("XDG_STATE_HOME"); home != nullptr && *home != '\0') {
    return home;
  }
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "." : home) + "/.local/state";
}

// "HOST", "HOST:PORT", ":PORT", "[::1]:PORT", "::1".
Status read_listen(const std::string& text, server::embedded::ClusterOptions& out) {
  if (text.empty()) return {};
  std::string host = text;
  std::string port;
  const size_t colon = text.rfind(':');
  const bool bracketed = text.starts_with('[');
  const bool has_port =
      colon != std::string::npos && (bracketed ? text[colon - 1] == ']' : text.find(':') == colon);
  if (has_port) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    const auto number = parse_int(port);
    if (!number.ok() || *number < 0 || *number > 65535) {
      return Error(fmt::format("--listen: \"{}\" is not a port (0 to 65535)", port));
    }
    out.api_port = static_cast<uint16_t>(*number);
  }
  if (bracketed && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (host.empty()) return Error("--listen: \"[]\" has no address in it");
  }
  if (!host.empty()) out.host = host;
  return {};
}

Status read_until(const std::string& text, server::embedded::ClusterOptions& out) {
  if (const auto length = parse_duration(text); length.ok() && length->ns > 0) {
    out.until_after = *length;
  } else if (const auto time = parse_rfc3339(text); time.ok()) {
    out.until = *time;
  } else if (!text.empty()) {
    return Error(
        fmt::format("--until: \"{}\" is neither a time (2026-03-02T04:00:00Z) nor a "
                    "duration from the cluster's start (4h)",
                    text));
  }
  return {};
}

void greet(const server::embedded::EmbeddedCluster& cluster, const sim::Scenario& scenario,
           const UpOptions& options, const std::string& data_dir) {
  const server::embedded::Addresses& at = cluster.addresses();
  std::cout << fmt::format(
      "Windlass embedded cluster: {}, {:g} simulated second{} a second\n"
      "{} at {}; state in {}\n\n"
      "  export KUBECONFIG={}\n"
      "  kubectl get nodes -w\n\n"
      "  dashboard  {}\n"
      "  API        {}   (for trying and testing; no container runs)\n\n"
      "Ctrl-C stops it; started again, it goes on from there.\n",
      options.external ? "nodes and autoscaling are clients'"
                       : fmt::format("scenario {}, policy {}", scenario.name, options.policy),
      options.speed, options.speed == 1 ? "" : "s", cluster.resumed() ? "goes on" : "begins",
      to_rfc3339(cluster.now()), data_dir, at.kubeconfig, at.dashboard, at.api);
  std::cout.flush();
}

// Objects alone: what comes and goes by itself in a scenario would be this world's own.
void leave_to_clients(sim::Scenario& scenario) {
  scenario.models.clear();
  scenario.training.jobs.clear();
  scenario.fixed = {};
  scenario.autoscaled = {};
}

Result<sim::Scenario> load(const UpOptions& options) {
  if (options.scenario.empty()) {
    if (!options.external) {
      return Error("scenario is required (or --external for an empty cluster)");
    }
    sim::Scenario empty;
    empty.name = "external";
    empty.duration = kOpenEnd;
    return empty;
  }
  auto file = sim::read_scenario(options.scenario, std::nullopt, kOpenEnd);
  if (!file.ok()) return file.error();
  for (const api::Finding& finding : file->errors) {
    std::cerr << fmt::format("error: {}: {}\n", finding.place, finding.text);
  }
  if (!file->errors.empty()) {
    return Error(fmt::format("{} error{} in the scenario; nothing was started", file->errors.size(),
                             file->errors.size() == 1 ? "" : "s"));
  }
  for (const std::string& note : file->scenario.notes) std::cerr << "note: " << note << "\n";
  if (options.external) leave_to_clients(file->scenario);
  return std::move(file->scenario);
}

// What it came to, as `simulate` prints it.
void print_results(server::embedded::EmbeddedCluster& cluster, const std::string& name,
                   uint64_t seed) {
  sim::ScenarioResult result;
  result.scenario = name;
  result.seed = seed;
  result.duration_s = (cluster.now() - cluster.started()).seconds();
  result.policies = cluster.results();
  std::cout << "\n" << report::results_table(result);
}

}  // namespace

int run_up(const UpOptions& options) {
  const auto policy = controllers::parse_policy(options.external ? "static" : options.policy);
  if (!policy.ok()) return refuse("--policy: " + policy.error().message());
  if (!(options.speed >= 0.1 && options.speed <= 100'000)) {
    return refuse("--speed: accepted are 0.1 to 100000 simulated seconds a second");
  }
  Result<sim::Scenario> scenario = load(options);
  if (!scenario.ok()) return refuse(scenario.error().message());

  server::embedded::ClusterOptions cluster_options;
  if (Status status = read_listen(options.listen, cluster_options); !status.ok()) {
    return refuse(status.error().message());
  }
  cluster_options.dashboard_port = options.dashboard_port;
  cluster_options.plain_http = options.plain_http;
  cluster_options.speed = options.speed;
  cluster_options.traffic = !options.no_traffic && !options.external;
  cluster_options.external = options.external;
  cluster_options.version = options.version;
  cluster_options.wall_now = wall_now;
  if (Status status = read_until(options.until, cluster_options); !status.ok()) {
    return refuse(status.error().message());
  }
  const std::string name = scenario->name;
  if (options.data_dir.empty() && (name.find('/') != std::string::npos || name.starts_with('.'))) {
    return refuse(
        fmt::format("the scenario's name \"{}\" can't name a directory; give a --data-dir",
                    printable(name, 64)));
  }
  cluster_options.data_dir =
      options.data_dir.empty() ? state_home() + "/windlass/" + name : options.data_dir;
  const std::string data_dir = cluster_options.data_dir;
  // A new cluster begins now; an old one is asked when it is open.
  const bool is_new = !std::filesystem::exists(data_dir + "/cluster.db");
  if (is_new && cluster_options.until && *cluster_options.until <= wall_now()) {
    return refuse(
        fmt::format("--until: {} is not after now, when the cluster would begin", options.until));
  }
  // What is made from here on is nobody else's to read. The rights of a directory that is there
  // already stay as they are: it may be /tmp.
  ::umask(S_IRWXG | S_IRWXO);
  std::error_code failed;
  std::filesystem::create_directories(data_dir, failed);
  if (failed) return refuse(fmt::format("--data-dir: {}: {}", data_dir, failed.message()));

  const sim::Scenario facts = *scenario;
  auto cluster =
      server::embedded::EmbeddedCluster::open(*std::move(scenario), *policy, cluster_options);
  if (!cluster.ok()) return refuse(cluster.error().message());
  (*cluster)->on_new_dashboard_link = [](const std::string& url) {
    std::cout << "dashboard opened; another link: " << url << std::endl;
  };
  greet(**cluster, facts, options, data_dir);
  if (Status status = (*cluster)->run(); !status.ok()) {
    std::cerr << "error: " << status.error().message() << "\n";
    return 1;
  }
  if (!options.external) print_results(**cluster, name, facts.seed);
  return 0;
}

}  // namespace windlass::cli

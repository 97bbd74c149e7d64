#include "cli/run_config.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "api/json_reader.h"
#include "base/text.h"
#include "controllers/spec.h"

namespace windlass::cli {
namespace {

using api::Reader;

constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warning", "error"};

// Credentials in an address would stand in logs.
std::string fault_of_url(std::string_view url) {
  std::string_view rest = url;
  if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
  } else {
    return "an address of http:// or https:// is accepted";
  }
  const std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  if (host.empty()) return "names no host";
  if (host.find('@') != std::string_view::npos) return "credentials in an address are not accepted";
  const bool graphic = std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7f; });
  return graphic ? "" : "holds characters that no address has";
}

ScrapedModel read_model(Reader reader) {
  ScrapedModel out;
  out.model = controllers::read_inference_model(reader);
  out.model.lead_time = reader.at("leadTime").duration().value_or(minutes(4));
  out.model.warm_start = reader.at("warmStart").duration().value_or(seconds(90));
  Reader metrics = reader.at("metrics");
  out.port = static_cast<uint16_t>(metrics.at("port").int32(1, 65535).value_or(out.port));
  out.path = metrics.at("path").string().value_or(out.path);
  if (const auto url = metrics.at("url").string()) {
    out.url = *url;
    const std::string fault = fault_of_url(out.url);
    if (!fault.empty()) metrics.error("url: " + fault);
    if (metrics.has("port") || metrics.has("path")) {
      metrics.error("url: stands for all pods, so port and path mean nothing beside it");
    }
  }
  out.period = metrics.at("period").duration().value_or(out.period);
  if (out.period < seconds(1)) metrics.error("period: at least 1s is accepted");
  metrics.refuse_unknown_keys();
  reader.refuse_unknown_keys();
  return out;
}

void read_simulated(Reader reader, live::cloud::SimulatedCloudOptions& out) {
  out.namespace_name = reader.at("namespace").string().value_or(out.namespace_name);
  const auto delay = [&](const char* key, Duration& value) {
    value = reader.at(key).duration().value_or(value);
  };
  delay("launch", out.launch);
  delay("boot", out.boot);
  delay("devicePlugin", out.device_plugin);
  delay("podPull", out.pod_pull);
  delay("podReady", out.pod_ready);
  delay("podStop", out.pod_stop);
  delay("shutdown", out.shutdown);
  out.without_capacity = reader.at("withoutCapacity").strings();
  reader.refuse_unknown_keys();
}

void read_lease_duration(Reader reader, Duration& out) {
  const auto lease = reader.duration();
  if (!lease) return;
  // A Lease has whole seconds; shorter ones are lost to any hiccup of the API server.
  if (*lease < seconds(3) || *lease > hours(1) || lease->ns % seconds(1).ns != 0) {
    reader.error("accepted are whole seconds, 3s to 1h");
  } else {
    out = *lease;
  }
}

void read_policy(Reader reader, controllers::Policy& out) {
  const auto name = reader.string();
  if (!name) return;
  const auto policy = controllers::parse_policy(*name);
  if (policy.ok()) {
    out = *policy;
  } else {
    reader.error(policy.error().message());
  }
}

void read_spec(Reader& root, RunSettings& out) {
  const auto text = [&](const char* key, std::string& value) {
    value = root.at(key).string().value_or(value);
  };
  text("kubeconfig", out.kubeconfig);
  text("context", out.context);
  text("cloud", out.cloud);
  text("decisions", out.decisions);
  text("listen", out.listen);
  text("leaseNamespace", out.lease_namespace);
  text("logLevel", out.log_level);
  out.namespaces = root.at("namespaces").strings();
  read_policy(root.at("policy"), out.policy);
  out.observe = root.at("observe").boolean().value_or(out.observe);
  out.leader_election = root.at("leaderElection").boolean().value_or(out.leader_election);
  read_lease_duration(root.at("leaseDuration"), out.lease_duration);
  out.requests_per_s = root.at("requestsPerSecond").number(0.1, 1e6).value_or(out.requests_per_s);
  if (root.has("karpenterNamespaces")) {
    out.karpenter_namespaces = root.at("karpenterNamespaces").strings();
  }
  if (root.has("kedaNamespaces")) out.keda_namespaces = root.at("kedaNamespaces").strings();
  Reader prices = root.at("prices");
  Reader spot = prices.at("spot");
  out.catalog = controllers::read_catalog_options(prices, spot);
  spot.refuse_unknown_keys();
  prices.refuse_unknown_keys();
  read_simulated(root.at("simulated"), out.simulated);
  for (const Reader& model : root.at("models").items()) out.models.push_back(read_model(model));
  out.wiring.joint = controllers::read_joint_options(root.at("windlass"));
}

Status read_file(const std::string& path, RunSettings& out) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) return Error("--config: can't read " + path);
  const auto documents = parse_yaml(text.str());
  if (!documents.ok()) return documents.error().in(path);
  if (documents->size() != 1) {
    return Error(fmt::format("{}: one document is accepted, found {}", path, documents->size()));
  }
  api::ReadLog log;
  Reader root(*documents->front().value, "", log);
  if (root.expect_map()) {
    const std::string kind = root.required("kind").required_string();
    const std::string version = root.required("apiVersion").required_string();
    if (kind != "Config" || version != "windlass.dev/v1alpha1") {
      return Error(
          fmt::format("{}: found kind {} of {}, accepted is kind Config of "
                      "windlass.dev/v1alpha1",
                      path, kind, version));
    }
    read_spec(root, out);
    root.refuse_unknown_keys();
  }
  std::vector<std::string> errors;
  for (const api::ReadFinding& finding : log.errors) {
    const int line = yaml_line_of(text.str(), 0, finding.path);
    errors.push_back(fmt::format("{}:{}: {}: {}", path, line, finding.path, finding.text));
  }
  if (!errors.empty()) return Error(join(errors, "\n       "));
  return {};
}

Status check(const RunSettings& settings) {
  if (settings.cloud == "aws") {
    return Error("--cloud aws: EC2 is not driven yet (accepted: simulated)");
  }
  if (settings.cloud != "simulated") {
    return Error(fmt::format("--cloud: \"{}\" is none (accepted: simulated, aws)", settings.cloud));
  }
  if (std::find(kLevels.begin(), kLevels.end(), settings.log_level) == kLevels.end()) {
    return Error(fmt::format("--log-level: \"{}\" is none (accepted: debug, info, warning, error)",
                             settings.log_level));
  }
  if (settings.policy == controllers::Policy::kStatic) {
    return Error("--policy static: nothing would be decided (accepted: stock, windlass)");
  }
  if (auto listen = parse_host_port(settings.listen); !listen.ok() && settings.listen != "none") {
    return listen.error().in("--listen");
  }
  return {};
}

Status take_flag(std::string_view name, const std::string& given, bool& value) {
  if (given.empty()) return {};
  if (given != "true" && given != "false" && given != "1" && given != "0") {
    return Error(fmt::format("{}: \"{}\" is neither true nor false", name, given));
  }
  value = given == "true" || given == "1";
  return {};
}

}  // namespace

Result<std::pair<std::string, uint16_t>> parse_host_port(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) {
    return Error(fmt::format("\"{}\" has no port (accepted: HOST:PORT, :PORT)", text));
  }
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto port = parse_int(text.substr(colon + 1));
  if (!port.ok() || *port < 0 || *port > 65535) {
    return Error(fmt::format("\"{}\" is not a port (0 to 65535)", text.substr(colon + 1)));
  }
  return std::pair(host.empty() ? std::string("0.0.0.0") : host, static_cast<uint16_t>(*port));
}

Result<RunSettings> settle(const RunOptions& options) {
  RunSettings out;
  if (!options.config.empty()) {
    if (Status status = read_file(options.config, out); !status.ok()) return status.error();
  }
  const auto take = [](const std::string& given, std::string& value) {
    if (!given.empty()) value = given;
  };
  take(options.kubeconfig, out.kubeconfig);
  take(options.context, out.context);
  take(options.cloud, out.cloud);
  take(options.decisions, out.decisions);
  take(options.listen, out.listen);
  take(options.lease_namespace, out.lease_namespace);
  take(options.log_level, out.log_level);
  if (!options.namespaces.empty()) out.namespaces = options.namespaces;
  if (!options.policy.empty()) {
    const auto policy = controllers::parse_policy(options.policy);
    if (!policy.ok()) return policy.error().in("--policy");
    out.policy = *policy;
  }
  if (Status status = take_flag("--observe", options.observe, out.observe); !status.ok()) {
    return status.error();
  }
  if (Status status = take_flag("--leader-election", options.leader_election, out.leader_election);
      !status.ok()) {
    return status.error();
  }
  if (options.requests_per_s) {
    if (!(*options.requests_per_s >= 0.1)) return Error("--requests-per-second: at least 0.1");
    out.requests_per_s = *options.requests_per_s;
  }
  if (Status status = check(out); !status.ok()) return status.error();
  return out;
}

}  // namespace windlass::cli

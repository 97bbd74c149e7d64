#include "scaling/trigger_kinds.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/quantity.h"
#include "base/text.h"

namespace windlass::scaling {
namespace {

using Kind = TriggerPlan::Kind;

// KEDA cuts the target off below a thousandth; the API refuses a metric whose target is then 0.
int64_t target_milli(TriggerMetadata& metadata, std::string_view key) {
  const size_t errors_before = metadata.errors().size();
  const double value = metadata.number(key);
  // One complaint a field: a threshold that is no number is not also too small.
  if (metadata.errors().size() != errors_before) return 1;
  const double milli = std::trunc(value * 1000);
  if (milli >= 1 && milli < 9.2e18) return static_cast<int64_t>(milli);
  metadata.fail(key, fmt::format("{} cannot be a target: it must be at least 0.001", value));
  return 1;
}

// A metric's name is part of a URL path; KEDA puts a dash for what would need escaping there.
std::string normalized(std::string name) {
  for (char& c : name) {
    if (std::string_view("/.:%()").find(c) != std::string_view::npos) c = '-';
  }
  return name;
}

// ---- requests over HTTP ---------------------------------------------------------------------

// authModes may stand in the metadata or in the authentication; bearer, basic and oauth exclude one
// another.
void read_auth_modes(TriggerMetadata& metadata, HttpAccess& access) {
  std::string modes = metadata.text_or("authModes", "");
  if (modes.empty()) modes = metadata.text_or("authMode", "");
  int exclusive = 0;
  for (const std::string_view part : split(modes, ',')) {
    const std::string mode(trim(part));
    if (mode.empty()) continue;
    constexpr std::array<std::string_view, 6> kModes{"basic",  "bearer", "tls",
                                                     "custom", "apiKey", "oauth"};
    if (std::ranges::find(kModes, mode) == kModes.end()) {
      metadata.fail("authModes", fmt::format("\"{}\" is none (accepted: {})", mode.substr(0, 40),
                                             fmt::join(kModes, ", ")));
    }
    exclusive += mode == "bearer" || mode == "basic" || mode == "oauth" ? 1 : 0;
    access.auth_modes.push_back(mode);
  }
  if (exclusive > 1) metadata.fail("authModes", "takes one of bearer, basic and oauth");
}

// The parameters a mode cannot work without; values are never shown.
void read_auth_parameters(TriggerMetadata& metadata, HttpAccess& access) {
  for (const char* name :
       {"bearerToken", "token", "username", "password", "ca", "cert", "key", "customAuthHeader",
        "customAuthValue", "apiKey", "method", "keyParamName"}) {
    if (auto value = metadata.auth(name)) access.auth[name] = *std::move(value);
  }
  const auto needs = [&](const std::string& mode, std::initializer_list<const char*> names) {
    if (std::ranges::find(access.auth_modes, mode) == access.auth_modes.end()) return;
    for (const char* name : names) {
      if (access.auth.contains(name)) continue;
      metadata.fail("authModes",
                    fmt::format("{} needs the parameter {} of the authentication", mode, name));
    }
  };
  if (!access.auth.contains("token")) needs("bearer", {"bearerToken"});
  needs("basic", {"username"});
  needs("tls", {"cert", "key"});
  needs("custom", {"customAuthHeader", "customAuthValue"});
  needs("apiKey", {"apiKey"});
}

void read_access(TriggerMetadata& metadata, TriggerPlan& plan) {
  plan.access.skip_tls_check = metadata.flag_or("unsafeSsl", false);
  plan.timeout = metadata.duration_or("timeout", seconds(3));
  read_auth_modes(metadata, plan.access);
  read_auth_parameters(metadata, plan.access);
}

void read_prometheus_fields(const TriggerPlace& place, TriggerMetadata& metadata,
                            TriggerPlan& plan) {
  plan.kind = Kind::kPrometheus;
  plan.metric_name = fmt::format("s{}-prometheus", place.index);
  plan.server_address = metadata.text("serverAddress");
  plan.query = metadata.text("query");
  plan.target_milli = target_milli(metadata, "threshold");
  plan.activation = metadata.number_or("activationThreshold", 0);
  plan.ignore_null_values = metadata.flag_or("ignoreNullValues", true);
  plan.query_namespace = metadata.text_or("namespace", "");
  plan.access.headers = metadata.map("customHeaders");
  plan.access.parameters = metadata.map("queryParameters");
  read_access(metadata, plan);
}

void read_metrics_api_fields(const TriggerPlace& place, TriggerMetadata& metadata,
                             TriggerPlan& plan) {
  plan.kind = Kind::kMetricsApi;
  plan.server_address = metadata.text("url");
  plan.value_location = metadata.text("valueLocation");
  plan.metric_name =
      fmt::format("s{}-{}", place.index, normalized("metric-api-" + plan.value_location));
  plan.target_milli = target_milli(metadata, "targetValue");
  plan.activation = metadata.number_or("activationTargetValue", 0);
  const std::string format = metadata.one_of("format", {"json", "yaml", "prometheus", "xml"});
  if (format == "xml")
    metadata.fail("format", "xml is not read (accepted: json, yaml, prometheus)");
  plan.format = format == "yaml"         ? TriggerPlan::Format::kYaml
                : format == "prometheus" ? TriggerPlan::Format::kPrometheus
                                         : TriggerPlan::Format::kJson;
  const std::string type = metadata.one_of("aggregationType", {"average", "sum", "max", "min"});
  if (metadata.flag_or("aggregateFromKubeServiceEndpoints", false)) {
    using A = TriggerPlan::Aggregation;
    plan.aggregation = type == "sum"   ? A::kSum
                       : type == "max" ? A::kMax
                       : type == "min" ? A::kMin
                                       : A::kAverage;
  }
  read_access(metadata, plan);
}

// ---- cron -----------------------------------------------------------------------------------

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// Without the characters that mean something in a schedule.
std::string spelled(std::string schedule) {
  schedule = replace_all(std::move(schedule), " ", "");
  schedule = replace_all(std::move(schedule), "*", "x");
  schedule = replace_all(std::move(schedule), "/", "Sl");
  return replace_all(std::move(schedule), "?", "Qm");
}

CronSchedule read_schedule(TriggerMetadata& metadata, std::string_view key, const std::string& text,
                           const std::string& zone) {
  if (text.empty()) return {};
  const auto schedule = CronSchedule::parse(text);
  if (!schedule.ok()) {
    metadata.fail(key, schedule.error().message());
    return {};
  }
  // Asked once, of "start": two schedules share the zone and its error.
  if (!zone.empty() && key == "start") {
    const auto next = schedule->next(Instant{}, zone);
    if (!next.ok()) metadata.fail("timezone", next.error().message());
  }
  return *schedule;
}

void read_cron_fields(const TriggerPlace& place, TriggerMetadata& metadata, TriggerPlan& plan) {
  plan.kind = Kind::kCron;
  const std::string start = metadata.text("start");
  const std::string end = metadata.text("end");
  plan.timezone = metadata.text("timezone");
  const int64_t replicas = metadata.whole("desiredReplicas");
  if (replicas < 0) metadata.fail("desiredReplicas", fmt::format("negative: {}", replicas));
  plan.cron_replicas = static_cast<double>(replicas);
  plan.cron_start = read_schedule(metadata, "start", start, plan.timezone);
  plan.cron_end = read_schedule(metadata, "end", end, plan.timezone);
  if (!start.empty() && start == end) {
    metadata.fail("end", "the same as start, so there is no window");
  }
  plan.target_milli = 1000;  // one replica a unit: the value is a replica count
  plan.metric_name = fmt::format(
      "s{}-{}", place.index,
      normalized(fmt::format("cron-{}-{}-{}", plan.timezone, spelled(start), spelled(end))));
}

// ---- what the cluster itself knows ----------------------------------------------------------

void read_resource_fields(const TriggerPlace& place, TriggerMetadata& metadata, TriggerPlan& plan) {
  plan.kind = place.trigger.type == "cpu" ? Kind::kCpu : Kind::kMemory;
  plan.metric_name = place.trigger.type;
  plan.container = metadata.text_or("containerName", "");
  if (!metadata.text_or("type", "").empty()) {
    metadata.fail("type", "no longer taken from the metadata (accepted: the trigger's metricType)");
  }
  const bool percent = place.trigger.metric_type == api::MetricTargetType::kUtilization;
  if (!place.trigger.metric_type_given ||
      place.trigger.metric_type == api::MetricTargetType::kValue) {
    metadata.fail("metricType", fmt::format("a {} trigger takes Utilization or AverageValue",
                                            place.trigger.type));
  }
  const std::string value = metadata.text("value");
  if (value.empty()) return;
  const auto whole = parse_int(value);
  const auto quantity = Quantity::parse(value);
  if (percent && whole.ok() && *whole > 0 && *whole <= INT32_MAX) {
    plan.target_milli = *whole;
  } else if (!percent && quantity.ok() && quantity->milli() > 0) {
    plan.target_milli = quantity->milli();
  } else {
    metadata.fail("value", percent ? "not a percentage above 0" : "not a quantity above 0");
  }
}

void read_workload_fields(const TriggerPlace& place, TriggerMetadata& metadata, TriggerPlan& plan) {
  plan.kind = Kind::kWorkload;
  plan.metric_name = fmt::format("s{}-{}", place.index,
                                 normalized("workload-" + std::string(place.namespace_name)));
  const std::string selector = metadata.text("podSelector");
  if (auto parsed = parse_label_selector(selector); parsed.ok()) {
    plan.pod_selector = *std::move(parsed);
  } else {
    metadata.fail("podSelector", parsed.error().message());
  }
  plan.target_milli = target_milli(metadata, "value");
  plan.activation = metadata.number_or("activationValue", 0);
  plan.group_by_node = metadata.flag_or("groupByNode", false);
}

}  // namespace

std::string_view native_trigger_types() {
  return "prometheus, metrics-api, cron, cpu, memory, kubernetes-workload, external, external-push";
}

bool read_trigger_kind(const TriggerPlace& place, TriggerMetadata& metadata, TriggerPlan& plan) {
  const std::string& type = place.trigger.type;
  if (type == "prometheus") {
    read_prometheus_fields(place, metadata, plan);
  } else if (type == "metrics-api") {
    read_metrics_api_fields(place, metadata, plan);
  } else if (type == "cron") {
    read_cron_fields(place, metadata, plan);
  } else if (type == "cpu" || type == "memory") {
    read_resource_fields(place, metadata, plan);
  } else if (type == "kubernetes-workload") {
    read_workload_fields(place, metadata, plan);
  } else if (type == "external" || type == "external-push") {
    // Its server names the metric and the target; here stands what it is called until then.
    plan.kind = Kind::kExternal;
    plan.metric_name = fmt::format("s{}-{}", place.index, type);
    plan.server_address = metadata.text("scalerAddress");
  } else {
    return false;
  }
  return true;
}

}  // namespace windlass::scaling

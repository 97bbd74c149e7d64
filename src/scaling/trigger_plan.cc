// plan_triggers: a ScaledObject's triggers with their metadata read and checked (reference
// keda_hpa.md 1.2, 2.1 and the cron row of 2.2).
#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "scaling/cron.h"
#include "scaling/scaled_object.h"
#include "scaling/trigger_metadata.h"

namespace windlass::scaling {
namespace {

constexpr std::string_view kMetricNameGone =
    "ignored; metricName is obsolete, the metric's name follows from the trigger's place and type";

// Fields that KEDA's prometheus scaler knows and a plan does not carry. A reader should hear that
// they have no effect here, which is more than an unknown key deserves.
const std::set<std::string_view>& unsupported_prometheus_keys() {
  static const std::set<std::string_view> keys{"namespace", "customHeaders", "queryParameters",
                                               "unsafeSsl", "authModes",     "authMode",
                                               "awsRegion", "identityOwner"};
  return keys;
}

// KEDA cuts the target off below a thousandth; the API refuses a metric whose target is then 0.
int64_t target_milli(TriggerMetadata& metadata, std::string_view key, double value) {
  const double milli = std::trunc(value * 1000);
  if (!(milli >= 1 && milli < 9.2e18)) {
    metadata.fail(key, fmt::format("{} cannot be a target: it must be at least 0.001", value));
    return 1;
  }
  return static_cast<int64_t>(milli);
}

void read_prometheus_metadata(TriggerMetadata& metadata, size_t index, TriggerPlan& plan) {
  plan.kind = TriggerPlan::Kind::kPrometheus;
  plan.metric_name = fmt::format("s{}-prometheus", index);
  plan.server_address = metadata.text("serverAddress");
  plan.query = metadata.text("query");
  const size_t errors_before = metadata.errors().size();
  const double threshold = metadata.number("threshold");
  // One complaint a field: a threshold that is no number is not also too small.
  if (metadata.errors().size() == errors_before) {
    plan.target_milli = target_milli(metadata, "threshold", threshold);
  }
  plan.activation = metadata.number_or("activationThreshold", 0);
  plan.ignore_null_values = metadata.flag_or("ignoreNullValues", true);
  plan.timeout = metadata.duration_or("timeout", seconds(3));
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// A metric's name is part of a URL path, so KEDA spells a schedule without its special characters.
std::string cron_metric_name(size_t index, const TriggerPlan& plan) {
  const auto spell = [](std::string schedule) {
    schedule = replace_all(std::move(schedule), " ", "");
    schedule = replace_all(std::move(schedule), "*", "x");
    schedule = replace_all(std::move(schedule), "/", "Sl");
    return replace_all(std::move(schedule), "?", "Qm");
  };
  std::string name = fmt::format("s{}-cron-{}-{}-{}", index, plan.timezone, spell(plan.cron_start),
                                 spell(plan.cron_end));
  for (char& c : name) {
    if (std::string_view("/.:%()").find(c) != std::string_view::npos) c = '-';
  }
  return name;
}

void check_schedule(TriggerMetadata& metadata, std::string_view key, const std::string& text,
                    const std::string& zone) {
  if (text.empty()) return;
  const auto schedule = CronSchedule::parse(text);
  if (!schedule.ok()) return metadata.fail(key, schedule.error().message());
  if (zone.empty()) return;
  // Asked once, of "start": two schedules share the zone and its error.
  if (key != "start") return;
  if (const auto next = schedule->next(Instant{}, zone); !next.ok()) {
    metadata.fail("timezone", next.error().message());
  }
}

void read_cron_metadata(TriggerMetadata& metadata, size_t index, TriggerPlan& plan) {
  plan.kind = TriggerPlan::Kind::kCron;
  plan.cron_start = metadata.text("start");
  plan.cron_end = metadata.text("end");
  plan.timezone = metadata.text("timezone");
  const int64_t replicas = metadata.whole("desiredReplicas");
  if (replicas < 0) metadata.fail("desiredReplicas", fmt::format("negative: {}", replicas));
  plan.cron_replicas = static_cast<double>(replicas);
  check_schedule(metadata, "start", plan.cron_start, plan.timezone);
  check_schedule(metadata, "end", plan.cron_end, plan.timezone);
  if (!plan.cron_start.empty() && plan.cron_start == plan.cron_end) {
    metadata.fail("end", "the same as start, so there is no window");
  }
  plan.target_milli = 1000;  // one replica a unit: the value is a replica count
  plan.metric_name = cron_metric_name(index, plan);
}

void report_unread(const TriggerMetadata& metadata, TriggerPlan::Kind kind,
                   std::vector<std::string>* ignored) {
  if (ignored == nullptr) return;
  for (const std::string& key : metadata.unread()) {
    std::string_view what = "ignored; no such field";
    if (key == "metricName") {
      what = kMetricNameGone;
    } else if (kind == TriggerPlan::Kind::kPrometheus &&
               unsupported_prometheus_keys().contains(key)) {
      what = "ignored; KEDA knows this field, Windlass does not act on it";
    } else if (key.ends_with("FromEnv")) {
      what = "ignored; environment variables of the target's container are not read";
    }
    ignored->push_back(fmt::format("{}.metadata.{}: {}", metadata.place(), key, what));
  }
}

void check_common(const api::Trigger& trigger, bool cron, TriggerMetadata& metadata) {
  if (trigger.metric_type == api::MetricTargetType::kUtilization) {
    metadata.fail("metricType",
                  "Utilization is for cpu and memory triggers only (accepted here: "
                  "AverageValue, Value)");
  }
  if (cron && trigger.use_cached_metrics) {
    metadata.fail("useCachedMetrics", "not allowed on a cron trigger");
  }
}

}  // namespace

Result<std::vector<TriggerPlan>> plan_triggers(const api::ScaledObject& object,
                                               std::vector<std::string>* ignored) {
  std::vector<TriggerPlan> plans;
  std::vector<std::string> errors;
  if (object.triggers.empty()) errors.emplace_back("triggers: at least one is required");
  std::set<std::string> names;
  for (size_t i = 0; i < object.triggers.size(); ++i) {
    const api::Trigger& trigger = object.triggers[i];
    TriggerMetadata metadata(fmt::format("triggers[{}]", i), trigger.metadata);
    TriggerPlan plan;
    plan.target_type = trigger.metric_type;
    if (!trigger.name.empty() && !names.insert(trigger.name).second) {
      metadata.fail("name", fmt::format("\"{}\" is used by an earlier trigger", trigger.name));
    }
    const bool known = trigger.type == "prometheus" || trigger.type == "cron";
    if (trigger.type == "prometheus") {
      read_prometheus_metadata(metadata, i, plan);
    } else if (trigger.type == "cron") {
      read_cron_metadata(metadata, i, plan);
    } else {
      metadata.fail("type", fmt::format("\"{}\" is not supported (accepted: prometheus, cron)",
                                        trigger.type));
    }
    check_common(trigger, trigger.type == "cron", metadata);
    if (known) report_unread(metadata, plan.kind, ignored);
    errors.insert(errors.end(), metadata.errors().begin(), metadata.errors().end());
    plans.push_back(std::move(plan));
  }
  if (!errors.empty()) return Error(join(errors, "; "));
  return plans;
}

}  // namespace windlass::scaling

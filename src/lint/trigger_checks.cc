// Triggers' metadata, and what happens when they fail or see nothing (reference keda_hpa.md 1.2,
// 1.5, 2.1).
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "base/utf8.h"
#include "lint/checks.h"
#include "lint/query_shape.h"
#include "lint/scaled.h"
#include "scaling/scaled_object.h"

namespace windlass::lint {
namespace {

constexpr std::array<std::string_view, 15> kPrometheusKeys{
    "serverAddress", "query",           "threshold",        "activationThreshold", "namespace",
    "customHeaders", "queryParameters", "ignoreNullValues", "unsafeSsl",           "timeout",
    "authModes",     "authMode",        "awsRegion",        "identityOwner",       "metricName"};

// Values that come from a Secret or from the target's environment are not known here.
bool has_outside_values(const api::Trigger& trigger) {
  return trigger.auth.has_value() || std::ranges::any_of(trigger.metadata, [](const auto& entry) {
           return entry.first.ends_with("FromEnv");
         });
}

std::string without(std::string text, std::string_view prefix) {
  for (size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at)) {
    text.erase(at, prefix.size());
  }
  return text;
}

void report_ignored(Manifests& manifests, const Scaled& scaled, size_t index,
                    const std::vector<std::string>& ignored) {
  const api::Trigger& trigger = (*scaled.triggers)[index];
  for (const std::string& text : ignored) {
    constexpr std::string_view kBefore = "triggers[0].metadata.";
    if (!text.starts_with(kBefore)) continue;
    const std::string key = text.substr(kBefore.size(), text.find(": ") - kBefore.size());
    const bool known = trigger.type == "prometheus" &&
                       std::ranges::find(kPrometheusKeys, key) != kPrometheusKeys.end();
    // metricName has been told of by the reader.
    if (known || key == "metricName" || key.ends_with("FromEnv")) continue;
    const std::string_view near =
        trigger.type != "prometheus" || key.size() > 64
            ? ""
            : nearest_name(key, {kPrometheusKeys.begin(), kPrometheusKeys.end()});
    manifests.report("trigger-metadata-ignored", *scaled.origin, scaled.kind, *scaled.meta,
                     trigger_field(index, "metadata." + key),
                     "KEDA ignores metadata it does not know, without a word",
                     near.empty() ? "remove it" : fmt::format("{}, if that is meant", near));
  }
}

// One trigger at a time through the very function that decides, so that each is told of by itself.
void check_metadata(Manifests& manifests, const Scaled& scaled, size_t index) {
  api::ScaledObject alone;
  alone.meta = *scaled.meta;
  alone.triggers = {(*scaled.triggers)[index]};
  const api::Trigger& trigger = alone.triggers.front();
  // Names are about several triggers; the reader has seen to them.
  alone.triggers.front().name.clear();
  std::vector<std::string> ignored;
  const auto plans = scaling::plan_triggers(alone, &ignored);
  report_ignored(manifests, scaled, index, ignored);
  if (plans.ok()) return;
  const std::string& why = plans.error().message();
  if (why.find("triggers[0].type: ") != std::string::npos) {
    // Part of Kubernetes rather than of KEDA, with little that could be wrong.
    if (trigger.type == "cpu" || trigger.type == "memory") return;
    manifests.report("trigger-not-evaluated", *scaled.origin, scaled.kind, *scaled.meta,
                     trigger_field(index, "type"),
                     fmt::format("{} triggers are KEDA's to read; Windlass says nothing of them",
                                 printable(trigger.type, 64)),
                     "nothing; it takes no part in what is said here");
  } else if (!has_outside_values(trigger)) {
    manifests.report("trigger-invalid", *scaled.origin, scaled.kind, *scaled.meta,
                     trigger_field(index, ""), without(why, "triggers[0]."), "correct the field");
  }
}

void check_nulls(Manifests& manifests, const Scaled& scaled, size_t index) {
  const api::Trigger& trigger = (*scaled.triggers)[index];
  if (trigger.type != "prometheus") return;
  const std::string ignore = metadata_of(trigger, "ignoreNullValues");
  for (const char* no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (ignore == no) return;
  }
  manifests.report(
      "null-is-zero", *scaled.origin, scaled.kind, *scaled.meta, trigger_field(index, "metadata"),
      fmt::format("ignoreNullValues is true by default: while Prometheus is up but the series is "
                  "gone (exporter or target lost, a renamed metric) the value reads as 0, and "
                  "replicas go down to {}",
                  scaled.min),
      "ignoreNullValues: \"false\", with a fallback");
}

void check_activation(Manifests& manifests, const Scaled& scaled, size_t index) {
  const api::Trigger& trigger = (*scaled.triggers)[index];
  const double threshold = positive_number(trigger, "threshold");
  const double activation = positive_number(trigger, "activationThreshold");
  if (threshold == 0 || activation <= threshold || scaled.min > 0) return;
  manifests.report("activation-above-threshold", *scaled.origin, scaled.kind, *scaled.meta,
                   trigger_field(index, "metadata.activationThreshold"),
                   fmt::format("activation comes before the threshold: at a value of {:g} there "
                               "are 0 replicas, one step above it {:g}",
                               activation, activation / threshold),
                   "an activationThreshold below the threshold");
}

// Metrics that only the target's own pods, or the GPUs under them, can report.
bool is_of_the_target(std::string_view metric) {
  static constexpr std::array<std::string_view, 8> kPrefixes{
      "vllm:", "sglang:", "tgi_", "nv_inference", "nv_gpu", "DCGM_", "container_", "trtllm"};
  return std::ranges::any_of(kPrefixes, [&](auto prefix) { return metric.starts_with(prefix); });
}

bool can_wake(const api::Trigger& trigger) {
  if (trigger.type == "cpu" || trigger.type == "memory") return false;
  if (trigger.type != "prometheus") return true;
  const std::string query = metadata_of(trigger, "query");
  // What says that something is absent says so of a target at zero, too.
  if (query.find("absent") != std::string::npos) return true;
  const QueryShape shape = shape_of(query);
  return shape.metrics.empty() || !std::ranges::all_of(shape.metrics, is_of_the_target);
}

void check_wake(Manifests& manifests, const Scaled& scaled) {
  if (scaled.object == nullptr || scaled.triggers->empty()) return;
  const bool to_zero = scaled.min == 0 || scaled.object->idle_replicas == 0;
  if (!to_zero || scaled.meta->annotations.contains("autoscaling.keda.sh/force-activation")) return;
  if (std::ranges::any_of(*scaled.triggers, can_wake)) return;
  manifests.report("zero-without-wake", *scaled.origin, scaled.kind, *scaled.meta, "spec.triggers",
                   "at 0 replicas nothing reports the metrics that are asked for, so they read as "
                   "0 and the target stays at 0 for good",
                   "a trigger on what stands before the pods (the router's queue, requests at the "
                   "gateway), or minReplicaCount: 1");
}

void check_fallback(Manifests& manifests, const Scaled& scaled) {
  if (scaled.object == nullptr || scaled.object->fallback) return;
  const bool external = std::ranges::any_of(*scaled.triggers, [](const api::Trigger& trigger) {
    return trigger.type != "cpu" && trigger.type != "memory" && trigger.type != "cron";
  });
  if (!external) return;
  manifests.report("no-fallback", *scaled.origin, scaled.kind, *scaled.meta, "spec",
                   "while a trigger fails, replicas stay as they are (one failing trigger also "
                   "holds back every scale-in)",
                   "spec.fallback with failureThreshold and replicas");
}

}  // namespace

void check_triggers(Manifests& manifests) {
  for (const Scaled& scaled : all_scaled(manifests)) {
    for (size_t i = 0; i < scaled.triggers->size(); ++i) {
      check_metadata(manifests, scaled, i);
      check_nulls(manifests, scaled, i);
      check_activation(manifests, scaled, i);
    }
    check_wake(manifests, scaled);
    check_fallback(manifests, scaled);
  }
}

}  // namespace windlass::lint

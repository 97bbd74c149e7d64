// plan_triggers: all triggers of an object, with everything that is wrong with any of them.
#include "scaling/trigger_plan.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "scaling/trigger_kinds.h"
#include "scaling/trigger_metadata.h"

namespace windlass::scaling {
namespace {

constexpr std::string_view kMetricNameGone =
    "ignored; metricName is obsolete, the metric's name follows from the trigger's place and type";

void report_unread(const TriggerMetadata& metadata, const TriggerPlan& plan,
                   std::vector<std::string>* ignored) {
  // An external scaler defines keys of its own.
  if (ignored == nullptr || plan.kind == TriggerPlan::Kind::kExternal) return;
  for (const std::string& key : metadata.unread()) {
    std::string_view what = "ignored; no such field";
    if (key == "metricName") {
      what = kMetricNameGone;
    } else if (key == "awsRegion" || key == "identityOwner") {
      what = "ignored; KEDA knows this field, Windlass does not act on it";
    } else if (key.ends_with("FromEnv")) {
      what = "ignored; the field stands in the metadata itself, or there is no such field";
    }
    ignored->push_back(fmt::format("{}.metadata.{}: {}", metadata.place(), key, what));
  }
}

void check_common(const api::Trigger& trigger, TriggerMetadata& metadata, TriggerPlan& plan) {
  if (!plan.is_resource() && trigger.metric_type == api::MetricTargetType::kUtilization) {
    metadata.fail("metricType",
                  "Utilization is for cpu and memory triggers only (accepted here: "
                  "AverageValue, Value)");
  }
  const bool keeps_nothing = plan.is_resource() || plan.kind == TriggerPlan::Kind::kCron;
  if (keeps_nothing && trigger.use_cached_metrics) {
    metadata.fail("useCachedMetrics", fmt::format("not allowed on a {} trigger", trigger.type));
  }
  plan.cached = trigger.use_cached_metrics;
}

// The API server takes a metric's name once; KEDA refuses two of a name.
void check_metric_names(const std::vector<TriggerPlan>& plans, std::vector<std::string>& errors) {
  std::set<std::pair<std::string_view, std::string_view>> names;
  for (size_t i = 0; i < plans.size(); ++i) {
    if (!names.emplace(plans[i].metric_name, plans[i].container).second) {
      errors.push_back(
          fmt::format("triggers[{}]: a second trigger for the metric {}", i, plans[i].metric_name));
    }
  }
}

}  // namespace

Result<std::vector<TriggerPlan>> plan_triggers(const std::vector<api::Trigger>& triggers,
                                               std::string_view namespace_name,
                                               std::span<const ResolvedValues> values,
                                               std::vector<std::string>* ignored) {
  WL_ASSERT(values.empty() || values.size() == triggers.size());
  std::vector<TriggerPlan> plans;
  std::vector<std::string> errors;
  if (triggers.empty()) errors.emplace_back("triggers: at least one is required");
  std::set<std::string> names;
  for (size_t i = 0; i < triggers.size(); ++i) {
    const api::Trigger& trigger = triggers[i];
    TriggerMetadata metadata(fmt::format("triggers[{}]", i), trigger.metadata,
                             values.empty() ? nullptr : &values[i]);
    TriggerPlan plan;
    plan.name = trigger.name;
    plan.target_type = trigger.metric_type;
    if (!trigger.name.empty() && !names.insert(trigger.name).second) {
      metadata.fail("name", fmt::format("\"{}\" is used by an earlier trigger", trigger.name));
    }
    if (read_trigger_kind({i, namespace_name, trigger}, metadata, plan)) {
      check_common(trigger, metadata, plan);
      report_unread(metadata, plan, ignored);
    } else {
      plan.metric_name = fmt::format("s{}-{}", i, trigger.type);
      metadata.fail("type", fmt::format("\"{}\" is not decided natively (accepted: {})",
                                        trigger.type.substr(0, 64), native_trigger_types()));
    }
    errors.insert(errors.end(), metadata.errors().begin(), metadata.errors().end());
    plans.push_back(std::move(plan));
  }
  check_metric_names(plans, errors);
  if (!errors.empty()) return Error(join(errors, "; "));
  return plans;
}

Result<std::vector<TriggerPlan>> plan_triggers(const api::ScaledObject& object,
                                               std::vector<std::string>* ignored) {
  return plan_triggers(object.triggers, object.meta.namespace_name, {}, ignored);
}

}  // namespace windlass::scaling

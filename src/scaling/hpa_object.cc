#include "scaling/hpa_object.h"

namespace windlass::scaling {
namespace {

HpaMetric metric_of(const api::HpaMetricSpec& spec) {
  HpaMetric metric{spec.name, spec.target_type, 0, {}};
  metric.source = spec.source;
  const bool of_requests = spec.source == HpaMetric::Source::kResource ||
                           spec.source == HpaMetric::Source::kContainerResource;
  // With two amounts the average wins (section 4.2); the type says the same or is ignored.
  if (spec.average_value) {
    metric.target_type = api::MetricTargetType::kAverageValue;
    metric.target_milli = spec.average_value->milli();
  } else if (of_requests) {
    metric.target_type = api::MetricTargetType::kUtilization;
    metric.target_milli = spec.average_utilization.value_or(0);
  } else if (spec.value) {
    metric.target_type = api::MetricTargetType::kValue;
    metric.target_milli = spec.value->milli();
  }
  return metric;
}

}  // namespace

std::vector<HpaMetric> metrics_of(const api::HorizontalPodAutoscaler& hpa) {
  std::vector<HpaMetric> metrics;
  for (const api::HpaMetricSpec& spec : hpa.metrics) metrics.push_back(metric_of(spec));
  if (metrics.empty()) {
    HpaMetric cpu{"cpu", api::MetricTargetType::kUtilization, 80, {}};
    cpu.source = HpaMetric::Source::kResource;
    metrics.push_back(std::move(cpu));
  }
  return metrics;
}

}  // namespace windlass::scaling

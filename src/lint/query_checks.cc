// What a Prometheus trigger's query can and can't ask for (reference keda_hpa.md 2.1, 4.2;
// gpu_inference.md 0, 4).
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "lint/checks.h"
#include "lint/query_shape.h"
#include "lint/scaled.h"

namespace windlass::lint {
namespace {

struct Question {
  const Scaled& scaled;
  const api::Trigger& trigger;
  size_t index;
  std::string query;
  QueryShape shape;
  double threshold;  // 0: none that can be read
};

void report(Manifests& manifests, const Question& q, std::string_view rule, std::string_view field,
            std::string what, std::string fix) {
  manifests.report(rule, *q.scaled.origin, q.scaled.kind, *q.scaled.meta,
                   trigger_field(q.index, field), std::move(what), std::move(fix));
}

// The largest value of metrics that have one: percentages and fractions of a GPU.
std::optional<double> bound_of(std::string_view metric) {
  static constexpr std::array<std::pair<std::string_view, double>, 11> kBounds{{
      {"DCGM_FI_DEV_GPU_UTIL", 100},
      {"DCGM_FI_DEV_MEM_COPY_UTIL", 100},
      {"DCGM_FI_PROF_GR_ENGINE_ACTIVE", 1},
      {"DCGM_FI_PROF_SM_ACTIVE", 1},
      {"DCGM_FI_PROF_SM_OCCUPANCY", 1},
      {"DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", 1},
      {"DCGM_FI_PROF_DRAM_ACTIVE", 1},
      {"nv_gpu_utilization", 1},
      {"vllm:gpu_cache_usage_perc", 1},
      {"vllm:kv_cache_usage_perc", 1},
      {"vllm:cpu_cache_usage_perc", 1},
  }};
  for (const auto& [name, bound] : kBounds) {
    if (metric == name) return bound;
  }
  return std::nullopt;
}

// The largest value the query can have, where it is one value of a bounded metric and nothing is
// calculated with it.
std::optional<double> bound_of(const Question& q) {
  static constexpr std::array<std::string_view, 4> kOfValues{"avg", "max", "min", "quantile"};
  if (std::ranges::find(kOfValues, q.shape.aggregation) == kOfValues.end()) return std::nullopt;
  if (q.shape.metrics.size() != 1) return std::nullopt;
  for (const std::string_view change : {"*", "/", "+", "^", "rate", "increase", "sum", "count"}) {
    if (q.query.find(change) != std::string::npos) return std::nullopt;
  }
  return bound_of(q.shape.metrics.front());
}

bool is_average_value(const Question& q) {
  const bool formula = q.scaled.object != nullptr && q.scaled.object->modifiers.has_value();
  return !formula && q.trigger.metric_type == api::MetricTargetType::kAverageValue;
}

// Under AverageValue the HPA wants ceil(value / threshold) replicas, so the value has to be the
// whole load. An average stays the same however many replicas there are.
void check_average(Manifests& manifests, const Question& q) {
  if (!is_average_value(q) || q.shape.grouped) return;
  if (const auto bound = bound_of(q); bound && q.threshold > 0) {
    const double most = std::ceil(*bound / q.threshold);
    if (most >= q.scaled.max) return;
    report(manifests, q, "average-capped", "metadata.query",
           fmt::format("AverageValue asks for ceil(value / threshold) replicas; {} of {} is at "
                       "most {:g}, so this trigger can never ask for more than ceil({:g} / {:g}) = "
                       "{:g} of the {} replicas",
                       q.shape.aggregation, q.shape.metrics.front(), *bound, *bound, q.threshold,
                       most, q.scaled.max),
           "sum() in place of the average, or metricType: Value");
    return;
  }
  if (q.shape.aggregation != "avg") return;
  report(manifests, q, "average-under-average-value", "metadata.query",
         "AverageValue divides the value by the threshold, not by the replicas: an average does "
         "not grow with the load of many replicas, and asks for as many as one is worth",
         "sum() in place of avg(), or metricType: Value");
}

// Under Value the wish is replicas * value / threshold: a total keeps it growing.
void check_sum(Manifests& manifests, const Question& q) {
  const bool total = q.shape.aggregation == "sum" || q.shape.aggregation == "count";
  if (q.trigger.metric_type != api::MetricTargetType::kValue || !total || q.shape.grouped) return;
  report(manifests, q, "sum-under-value", "metadata.query",
         fmt::format("Value asks for ready replicas * value / threshold; a {}() does not fall when "
                     "replicas are added, so every sync asks for more, up to {}",
                     q.shape.aggregation, q.scaled.max),
         "metricType: AverageValue, or avg() in the query");
}

void check_series(Manifests& manifests, const Question& q) {
  if (q.shape.series != QueryShape::Series::kMany) return;
  report(manifests, q, "query-many-series", "metadata.query",
         fmt::format("{}; KEDA takes one value, and more than one is an error at every poll",
                     q.shape.grouped ? "the grouping gives a series for each of its labels' values"
                                     : "without an aggregation around it, it gives a series for "
                                       "each pod, GPU or target"),
         "one sum(), avg() or max() around the whole query");
}

// Upper bounds of buckets, in seconds (gpu_inference.md 4).
const std::vector<double>* buckets_of(std::string_view metric) {
  static const std::vector<double> kEndToEnd{0.3, 0.5, 0.8, 1,  1.5, 2,   2.5, 5,   10,   15,  20,
                                             30,  40,  50,  60, 120, 240, 480, 960, 1920, 7680};
  static const std::vector<double> kFirstToken{0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,
                                               0.25,  0.5,   0.75, 1,    2.5,  5,    7.5,  10,
                                               20,    40,    80,   160,  640,  2560};
  static const std::vector<double> kPerToken{0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2,
                                             0.3,  0.4,   0.5,  0.75,  1,   2.5,  5,
                                             7.5,  10,    20,   40,    80};
  if (!metric.starts_with("vllm:") || !metric.ends_with("_seconds_bucket")) return nullptr;
  if (metric.find("time_to_first_token") != std::string_view::npos) return &kFirstToken;
  if (metric.find("per_output_token") != std::string_view::npos ||
      metric.find("inter_token") != std::string_view::npos) {
    return &kPerToken;
  }
  return &kEndToEnd;
}

// Within a bucket a quantile is drawn as a straight line. On a bound it is exact.
void check_histogram(Manifests& manifests, const Question& q) {
  if (q.query.find("histogram_quantile") == std::string::npos || q.threshold <= 0) return;
  const bool in_ms = q.query.find("1000") != std::string::npos;
  const double seconds = q.threshold / (in_ms ? 1000 : 1);
  for (const std::string& metric : q.shape.metrics) {
    const std::vector<double>* bounds = buckets_of(metric);
    if (bounds == nullptr) continue;
    const auto upper = std::ranges::lower_bound(*bounds, seconds);
    if (upper == bounds->end() || *upper == seconds) continue;
    const double lower = upper == bounds->begin() ? 0 : *(upper - 1);
    constexpr double kCoarse = 0.25;  // of the target
    if ((*upper - lower) / seconds <= kCoarse) continue;
    report(
        manifests, q, "histogram-coarse", "metadata.query",
        fmt::format("the target of {:g} s lies in the bucket ({:g}, {:g}] s of {}: every latency "
                    "in it looks alike, and a quantile there is interpolated, not measured",
                    seconds, lower, *upper, metric),
        fmt::format("a target on a bound ({:g} or {:g} s), or the share of requests under a "
                    "bound in place of a quantile",
                    lower > 0 ? lower : *upper, *upper));
  }
}

void check_utilization(Manifests& manifests, const Question& q) {
  for (const std::string& metric : q.shape.metrics) {
    if (metric != "DCGM_FI_DEV_GPU_UTIL" && metric != "DCGM_FI_DEV_FB_USED") continue;
    report(manifests, q, "gpu-utilization-signal", "metadata.query",
           metric == "DCGM_FI_DEV_GPU_UTIL"
               ? "DCGM_FI_DEV_GPU_UTIL is the share of time in which anything ran on the GPU: a "
                 "server with one request and one that is full both show about 100"
               : "an inference server takes its GPU memory at the start, so "
                 "DCGM_FI_DEV_FB_USED does not follow the load",
           "the server's queue (vllm:num_requests_waiting) or requests in progress");
    return;
  }
}

}  // namespace

void check_queries(Manifests& manifests) {
  for (const Scaled& scaled : all_scaled(manifests)) {
    for (size_t i = 0; i < scaled.triggers->size(); ++i) {
      const api::Trigger& trigger = (*scaled.triggers)[i];
      if (trigger.type != "prometheus") continue;
      std::string query = metadata_of(trigger, "query");
      QueryShape shape = shape_of(query);
      const Question q{scaled,           trigger,          i,
                       std::move(query), std::move(shape), positive_number(trigger, "threshold")};
      check_average(manifests, q);
      check_sum(manifests, q);
      check_series(manifests, q);
      check_histogram(manifests, q);
      check_utilization(manifests, q);
    }
  }
}

}  // namespace windlass::lint

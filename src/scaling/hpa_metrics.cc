#include "scaling/hpa_metrics.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "scaling/hpa_pods.h"

namespace windlass::scaling {
namespace {

using Source = HpaMetric::Source;

constexpr int32_t kInt32Max = std::numeric_limits<int32_t>::max();
constexpr int32_t kInt32Min = std::numeric_limits<int32_t>::min();

// The controller adds int64 without a check; wrapping through unsigned is the same, defined.
int64_t sum_items(const std::vector<int64_t>& items) {
  uint64_t sum = 0;
  for (const int64_t item : items) sum += static_cast<uint64_t>(item);
  return static_cast<int64_t>(sum);
}

// Value: the ratio scales the pods that are Running and Ready, whatever spec.replicas says.
int32_t wish_of_value(double usage, double target, const HpaInput& input,
                      const Tolerance& tolerance) {
  const double ratio = usage / target;
  const bool from_zero = input.spec_replicas == 0;
  if (!from_zero && within(ratio, tolerance)) return input.spec_replicas;
  // The product stays in floating point: 25 * 1.12 is 28.000000000000004, hence 29.
  const double wish = std::ceil(from_zero ? ratio : ratio * input.ready_pods);
  if (wish > kInt32Max) return kInt32Max;
  return to_int32_unchecked(wish);
}

// AverageValue: pods are not looked at; status.replicas only decides whether the change counts.
int32_t wish_of_average(double usage, double target, const HpaInput& input,
                        const Tolerance& tolerance) {
  const double ratio = usage / (target * input.status_replicas);
  if (within(ratio, tolerance)) return input.status_replicas;
  return to_int32_unchecked(std::ceil(usage / target));
}

bool measured_at_pods(Source source) {
  return source == Source::kResource || source == Source::kContainerResource ||
         source == Source::kPods;
}

MetricWish wish_of(const HpaMetric& metric, const HpaInput& input, const HpaOptions& options,
                   const Tolerance& tolerance, Instant now) {
  MetricWish out;
  if (const auto* error = std::get_if<std::string>(&metric.reading)) {
    out.error = error->empty() ? "no answer" : *error;
    return out;
  }
  const bool of_pods = measured_at_pods(metric.source);
  const bool percent = metric.target_type == api::MetricTargetType::kUtilization;
  if (metric.target_milli <= 0 || (percent && (!of_pods || metric.source == Source::kPods))) {
    out.error = of_pods ? "needs a target above 0" : "needs a Value or AverageValue target above 0";
    return out;
  }
  if (of_pods) return wish_of_pods(metric, input, options, tolerance, now);
  const auto& items = std::get<std::vector<int64_t>>(metric.reading);
  // The metrics client turns an answer without items into an error, before any arithmetic.
  if (items.empty()) {
    out.error = "no items";
    return out;
  }
  out.usage_milli = sum_items(items);
  const auto usage = static_cast<double>(out.usage_milli);
  const auto target = static_cast<double>(metric.target_milli);
  const bool average = metric.target_type == api::MetricTargetType::kAverageValue;
  out.pods = input.ready_pods;
  out.replicas = average ? wish_of_average(usage, target, input, tolerance)
                         : wish_of_value(usage, target, input, tolerance);
  return out;
}

std::string_view failure_of(Source source) {
  switch (source) {
    case Source::kResource:
      return "FailedGetResourceMetric";
    case Source::kContainerResource:
      return "FailedGetContainerResourceMetric";
    case Source::kPods:
      return "FailedGetPodsMetric";
    case Source::kObject:
      return "FailedGetObjectMetric";
    case Source::kExternal:
      return "FailedGetExternalMetric";
  }
  WL_UNREACHABLE("metric source");
}

std::string words_of_one(const HpaMetric& metric, const MetricWish& wish) {
  if (!wish.replicas) return fmt::format("{} failed: {}", metric.name, wish.error);
  if (metric.target_type == api::MetricTargetType::kUtilization) {
    return fmt::format("{} wants {} ({} %/{} % on {} pods)", metric.name, *wish.replicas,
                       wish.usage_milli, metric.target_milli, wish.pods);
  }
  const bool value = metric.target_type == api::MetricTargetType::kValue;
  const std::string base = value ? fmt::format(" on {} ready", wish.pods)
                           : measured_at_pods(metric.source) ? fmt::format(" on {} pods", wish.pods)
                                                             : std::string();
  return fmt::format("{} wants {} ({}/{}{})", metric.name, *wish.replicas,
                     milli_text(wish.usage_milli), milli_text(metric.target_milli), base);
}

}  // namespace

bool within(double ratio, const Tolerance& tolerance) {
  return 1.0 - tolerance.down <= ratio && ratio <= 1.0 + tolerance.up;
}

int32_t to_int32_unchecked(double value) {
  if (!(value > -2147483649.0 && value < 2147483648.0)) return kInt32Min;
  return static_cast<int32_t>(value);
}

std::string milli_text(int64_t milli) {
  // The magnitude as unsigned, so that the smallest int64 is no special case.
  const uint64_t size =
      milli < 0 ? uint64_t{0} - static_cast<uint64_t>(milli) : static_cast<uint64_t>(milli);
  std::string out = fmt::format("{}{}", milli < 0 ? "-" : "", size / 1000);
  if (size % 1000 == 0) return out;
  std::string digits = fmt::format("{:03}", size % 1000);
  digits.erase(digits.find_last_not_of('0') + 1);
  return out + "." + digits;
}

MetricsWish wish_of_metrics(const HpaInput& input, const HpaOptions& options,
                            const Tolerance& tolerance, Instant now) {
  MetricsWish out;
  out.by_metric.reserve(input.metrics.size());
  std::optional<int32_t> largest;
  for (const HpaMetric& metric : input.metrics) {
    MetricWish wish = wish_of(metric, input, options, tolerance, now);
    if (!wish.replicas && out.failure.empty()) out.failure = failure_of(metric.source);
    if (wish.replicas && (!largest || *wish.replicas > *largest)) largest = wish.replicas;
    out.by_metric.push_back(std::move(wish));
  }
  if (!largest) {
    if (input.metrics.empty()) out.failure = "FailedGetExternalMetric";
    return out;
  }
  // Section 4.3: with a metric missing the true need may be higher, so only growth is trusted.
  if (!out.failure.empty() && *largest < input.spec_replicas) return out;
  out.replicas = largest;
  return out;
}

std::string words_of(const HpaInput& input, const MetricsWish& wish) {
  if (input.metrics.empty()) return "there is no metric";
  std::string chosen;
  std::string failed;
  std::optional<int32_t> largest;
  for (size_t i = 0; i < input.metrics.size(); ++i) {
    const MetricWish& one = wish.by_metric[i];
    if (!one.replicas && failed.empty()) failed = words_of_one(input.metrics[i], one);
    if (!one.replicas || (largest && *one.replicas <= *largest)) continue;
    largest = one.replicas;
    chosen = words_of_one(input.metrics[i], one);
  }
  if (chosen.empty()) return failed;
  if (failed.empty()) return chosen;
  if (!wish.replicas) return fmt::format("{}; that blocks scale-in, though {}", failed, chosen);
  return fmt::format("{}; {}", chosen, failed);
}

}  // namespace windlass::scaling

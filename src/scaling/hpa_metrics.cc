#include "scaling/hpa_metrics.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace windlass::scaling {
namespace {

constexpr int32_t kInt32Max = std::numeric_limits<int32_t>::max();
constexpr int32_t kInt32Min = std::numeric_limits<int32_t>::min();

// Kubernetes converts an AverageValue's float to int32 unchecked; on amd64 whatever does not fit
// becomes the smallest int32, which then lands on minReplicas. Seen in a real controller
// (vectors/hpa, very_large), so callers who compare with one get the same.
int32_t to_int32_unchecked(double value) {
  if (!(value > -2147483649.0 && value < 2147483648.0)) return kInt32Min;
  return static_cast<int32_t>(value);
}

// The controller adds int64 without a check; wrapping through unsigned is the same, defined.
int64_t sum_items(const std::vector<int64_t>& items) {
  uint64_t sum = 0;
  for (const int64_t item : items) sum += static_cast<uint64_t>(item);
  return static_cast<int64_t>(sum);
}

// Releases from 1.33 compare the ratio itself, so exactly 1.1 is inside 0.1. NaN is never inside.
bool within(double ratio, const Tolerance& tolerance) {
  return 1.0 - tolerance.down <= ratio && ratio <= 1.0 + tolerance.up;
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

// One metric's wish, or why it has none, with the figures in words.
struct Wish {
  std::optional<int32_t> replicas;
  std::string words;
};

Wish wish_of(const HpaMetric& metric, const HpaInput& input, const Tolerance& tolerance) {
  if (const auto* error = std::get_if<std::string>(&metric.reading)) {
    return {std::nullopt, fmt::format("{} failed: {}", metric.name, *error)};
  }
  const auto& items = std::get<std::vector<int64_t>>(metric.reading);
  // The metrics client turns an answer without items into an error, before any arithmetic.
  if (items.empty()) return {std::nullopt, fmt::format("{} failed: no items", metric.name)};
  if (metric.target_type == api::MetricTargetType::kUtilization || metric.target_milli <= 0) {
    return {std::nullopt,
            fmt::format("{} failed: needs a Value or AverageValue target above 0", metric.name)};
  }
  const int64_t usage_milli = sum_items(items);
  const auto usage = static_cast<double>(usage_milli);
  const auto target = static_cast<double>(metric.target_milli);
  const bool average = metric.target_type == api::MetricTargetType::kAverageValue;
  const int32_t wish = average ? wish_of_average(usage, target, input, tolerance)
                               : wish_of_value(usage, target, input, tolerance);
  const std::string base = average ? "" : fmt::format(" on {} ready", input.ready_pods);
  return {wish, fmt::format("{} wants {} ({}/{}{})", metric.name, wish, milli_text(usage_milli),
                            milli_text(metric.target_milli), base)};
}

}  // namespace

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

MetricsWish wish_of_metrics(const HpaInput& input, const Tolerance& tolerance) {
  MetricsWish out;
  size_t failed = 0;
  int32_t largest = 0;
  std::string chosen;
  std::string first_error;
  for (const HpaMetric& metric : input.metrics) {
    const Wish wish = wish_of(metric, input, tolerance);
    out.by_metric.push_back(wish.replicas);
    if (!wish.replicas) {
      if (failed++ == 0) first_error = wish.words;
      continue;
    }
    if (chosen.empty() || *wish.replicas > largest) {
      largest = *wish.replicas;
      chosen = wish.words;
    }
  }
  if (failed >= input.metrics.size()) {
    out.why = input.metrics.empty() ? "there is no metric" : first_error;
    return out;
  }
  // Section 4.3: with a metric missing the true need may be higher, so only growth is trusted.
  if (failed > 0 && largest < input.spec_replicas) {
    out.why = fmt::format("{}; that blocks scale-in, though {}", first_error, chosen);
    return out;
  }
  out.replicas = largest;
  out.why = failed > 0 ? fmt::format("{}; {}", chosen, first_error) : chosen;
  return out;
}

}  // namespace windlass::scaling

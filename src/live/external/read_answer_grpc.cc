#include <cmath>

#include <fmt/format.h>

#include "live/external/read_answer.h"

namespace windlass::live::external {
namespace {

// The float counts where it is above 0, else the whole number from before there were floats.
double either(double fraction, int64_t whole) {
  return fraction > 0 || std::isnan(fraction) ? fraction : static_cast<double>(whole);
}

constexpr double kMost = 1e15;  // in milli it still fits 64 bits

}  // namespace

Result<MetricTarget> read_target(const externalscaler::GetMetricSpecResponse& reply) {
  if (reply.metricspecs_size() != 1) {
    return Error(fmt::format("the scaler names {} metrics; a trigger here has one",
                             reply.metricspecs_size()));
  }
  const externalscaler::MetricSpec& spec = reply.metricspecs(0);
  if (spec.metricname().empty()) return Error("the scaler's metric has no name");
  const double target = either(spec.targetsizefloat(), spec.targetsize());
  if (!(target >= 0.001 && target <= kMost)) {
    return Error(fmt::format("the scaler's target is {}, which nothing can be divided by", target));
  }
  return MetricTarget{spec.metricname(), std::llround(target * 1000)};
}

Result<std::vector<double>> read_values(const externalscaler::GetMetricsResponse& reply) {
  if (reply.metricvalues_size() == 0) return Error("the scaler gave no value");
  std::vector<double> out;
  for (const externalscaler::MetricValue& value : reply.metricvalues()) {
    out.push_back(either(value.metricvaluefloat(), value.metricvalue()));
    if (!(std::abs(out.back()) <= kMost)) {
      return Error(fmt::format("the scaler's value is {}", out.back()));
    }
  }
  return out;
}

}  // namespace windlass::live::external

// Functions over the samples of each series in a window. The sums are compensated (Neumaier), as in
// Prometheus since 2.32, so that results agree to the last digits.
#include <algorithm>
#include <cmath>
#include <optional>

#include "sim/prometheus/functions.h"

namespace windlass::sim::prometheus {
namespace {

struct CompensatedSum {
  double sum = 0;
  double lost = 0;

  void add(double value) {
    const double total = sum + value;
    lost += std::fabs(sum) >= std::fabs(value) ? (sum - total) + value : (value - total) + sum;
    sum = total;
  }
  [[nodiscard]] double value() const { return std::isinf(sum) ? sum : sum + lost; }
};

// `fold(const Window&)` gives each series' value, or nothing to leave the series out.
template <typename Fold>
Result<Operand> fold_windows(Evaluation& evaluation, const Query& range, Fold fold,
                             bool keep_names = false) {
  const auto& selector = std::get<Selector>(range->node);
  Vector out;
  out.unique_without_name = !selector.name.empty();
  evaluation.for_each_window(selector, [&](const Labels& labels, const Window& window) {
    const std::optional<double> value = fold(window);
    if (value) out.elements.push_back({&labels, false, *value});
  });
  if (keep_names) return Operand(std::move(out));
  auto nameless = without_names(std::move(out));
  if (!nameless) return nameless.error();
  return Operand(std::move(*nameless));
}

// How much the value grew, adding what a counter had reached before each reset.
double growth(std::span<const Sample> samples, bool is_counter) {
  double total = samples.back().value - samples.front().value;
  if (!is_counter) return total;
  for (size_t i = 1; i < samples.size(); ++i) {
    if (samples[i].value < samples[i - 1].value) total += samples[i - 1].value;
  }
  return total;
}

// The growth over the whole window, from that between its first and last sample. Where those are
// near the window's ends (within 1.1 of the mean distance between samples), the series is taken to
// go on to the end; else it is taken to begin or end half a distance away. A counter is not
// continued to before it would have been zero. (extrapolatedRate in Prometheus' promql/functions;
// the order of the operations is its own too, which makes the result equal to the last bit.)
std::optional<double> extrapolated_growth(const Window& window, bool is_counter,
                                          bool per_second = false) {
  const auto samples = window.samples;
  if (samples.size() < 2) return std::nullopt;
  const double total = growth(samples, is_counter);
  const auto seconds = [](int64_t from_ms, int64_t to_ms) {
    return static_cast<double>(to_ms - from_ms) / 1000;
  };
  double to_start = seconds(window.start_ms, samples.front().t_ms);
  const double to_end = seconds(samples.back().t_ms, window.end_ms);
  const double sampled = seconds(samples.front().t_ms, samples.back().t_ms);
  const double distance = sampled / static_cast<double>(samples.size() - 1);
  if (is_counter && total > 0 && samples.front().value >= 0) {
    to_start = std::min(to_start, sampled * (samples.front().value / total));
  }
  const double near = distance * 1.1;
  double covered = sampled;
  covered += to_start < near ? to_start : distance / 2;
  covered += to_end < near ? to_end : distance / 2;
  double factor = covered / sampled;
  if (per_second) factor /= seconds(window.start_ms, window.end_ms);
  return total * factor;
}

struct Spread {
  CompensatedSum mean, squares;
  double count = 0;
};

// Welford's running variance.
double variance(std::span<const Sample> samples) {
  Spread spread;
  for (const Sample& sample : samples) {
    spread.count += 1;
    const double delta = sample.value - (spread.mean.sum + spread.mean.lost);
    spread.mean.add(delta / spread.count);
    spread.squares.add(delta * (sample.value - (spread.mean.sum + spread.mean.lost)));
  }
  return (spread.squares.sum + spread.squares.lost) / spread.count;
}

// An infinite mean stays unless the other infinity or NaN comes.
double mean(std::span<const Sample> samples) {
  CompensatedSum mean;
  double count = 0;
  for (const Sample& sample : samples) {
    count += 1;
    if (std::isinf(mean.sum)) {
      if (std::isfinite(sample.value)) continue;
      if (std::isinf(sample.value) && (mean.sum > 0) == (sample.value > 0)) continue;
    }
    mean.add(sample.value / count - mean.sum / count);
  }
  return mean.value();
}

}  // namespace

Result<Operand> apply_rate(Evaluation& evaluation, const Call& call) {
  return fold_windows(evaluation, call.arguments[0],
                      [](const Window& w) { return extrapolated_growth(w, true, true); });
}

Result<Operand> apply_increase(Evaluation& evaluation, const Call& call) {
  return fold_windows(evaluation, call.arguments[0],
                      [](const Window& w) { return extrapolated_growth(w, true); });
}

Result<Operand> apply_delta(Evaluation& evaluation, const Call& call) {
  return fold_windows(evaluation, call.arguments[0],
                      [](const Window& w) { return extrapolated_growth(w, false); });
}

// Between the last two samples; after a reset the counter is taken to have begun at zero.
Result<Operand> apply_irate(Evaluation& evaluation, const Call& call) {
  return fold_windows(evaluation, call.arguments[0], [](const Window& w) -> std::optional<double> {
    if (w.samples.size() < 2) return std::nullopt;
    const Sample& last = w.samples.back();
    const Sample& previous = w.samples[w.samples.size() - 2];
    const double grown = last.value < previous.value ? last.value : last.value - previous.value;
    return grown / (static_cast<double>(last.t_ms - previous.t_ms) / 1000);
  });
}

Result<Operand> apply_avg_over_time(Evaluation& evaluation, const Call& call) {
  return fold_windows(evaluation, call.arguments[0],
                      [](const Window& w) { return std::optional(mean(w.samples)); });
}

// A compensated sum, so that a long window of small steps does not drift.
Result<Operand> apply_sum_over_time(Evaluation& evaluation, const Call& call) {
  return fold_windows(evaluation, call.arguments[0], [](const Window& w) {
    CompensatedSum sum;
    for (const Sample& sample : w.samples) sum.add(sample.value);
    return std::optional(sum.value());
  });
}

Result<Operand> apply_count_over_time(Evaluation& evaluation, const Call& call) {
  return fold_windows(evaluation, call.arguments[0], [](const Window& w) {
    return std::optional(static_cast<double>(w.samples.size()));
  });
}

// The one function of this family that keeps the metric's name: its value is the metric's own.
Result<Operand> apply_last_over_time(Evaluation& evaluation, const Call& call) {
  return fold_windows(
      evaluation, call.arguments[0],
      [](const Window& w) { return std::optional(w.samples.back().value); }, true);
}

Result<Operand> apply_present_over_time(Evaluation& evaluation, const Call& call) {
  return fold_windows(evaluation, call.arguments[0],
                      [](const Window&) { return std::optional(1.0); });
}

// NaN yields to any number, here and in the minimum.
Result<Operand> apply_max_over_time(Evaluation& evaluation, const Call& call) {
  return fold_windows(evaluation, call.arguments[0], [](const Window& w) {
    double top = w.samples.front().value;
    for (const Sample& s : w.samples) top = s.value > top || std::isnan(top) ? s.value : top;
    return std::optional(top);
  });
}

Result<Operand> apply_min_over_time(Evaluation& evaluation, const Call& call) {
  return fold_windows(evaluation, call.arguments[0], [](const Window& w) {
    double low = w.samples.front().value;
    for (const Sample& s : w.samples) low = s.value < low || std::isnan(low) ? s.value : low;
    return std::optional(low);
  });
}

Result<Operand> apply_quantile_over_time(Evaluation& evaluation, const Call& call) {
  const auto q = evaluation.scalar(call.arguments[0]);
  if (!q) return q.error();
  std::vector<double> values;
  return fold_windows(evaluation, call.arguments[1], [&](const Window& w) {
    values.clear();
    for (const Sample& sample : w.samples) values.push_back(sample.value);
    return std::optional(quantile(*q, values));
  });
}

Result<Operand> apply_stddev_over_time(Evaluation& evaluation, const Call& call) {
  return fold_windows(evaluation, call.arguments[0], [](const Window& w) {
    return std::optional(std::sqrt(variance(w.samples)));
  });
}

Result<Operand> apply_stdvar_over_time(Evaluation& evaluation, const Call& call) {
  return fold_windows(evaluation, call.arguments[0],
                      [](const Window& w) { return std::optional(variance(w.samples)); });
}

}  // namespace windlass::sim::prometheus

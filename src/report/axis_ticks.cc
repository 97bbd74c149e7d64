#include "report/axis_ticks.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace windlass::report {
namespace {

// By multiplication, which rounds the same everywhere; pow() need not.
double power_of_ten(int exponent) {
  double power = 1;
  for (int i = 0; i < std::abs(exponent); ++i) power *= 10;
  return exponent < 0 ? 1 / power : power;
}

// The largest exponent with 10^exponent <= value. log10 may land one off at exact powers.
int decade_below(double value) {
  int exponent = static_cast<int>(std::floor(std::log10(value)));
  while (power_of_ten(exponent) > value) --exponent;
  while (power_of_ten(exponent + 1) <= value) ++exponent;
  return exponent;
}

double round_step(double rough) {
  const int exponent = decade_below(rough);
  for (const double factor : {1.0, 2.0, 5.0}) {
    // The slack keeps 0.30000000000000004 / 3 from taking the next larger step.
    if (factor * power_of_ten(exponent) >= rough * (1 - 1e-9))
      return factor * power_of_ten(exponent);
  }
  return power_of_ten(exponent + 1);
}

// Beyond these a chart has nothing to say, and their quotients leave what a double can count.
constexpr double kLargest = 1e15;
constexpr double kSmallest = 1e-9;

}  // namespace

double Scale::position(double value) const {
  const double share = logarithmic ? std::log(std::max(value, lo) / lo) / std::log(hi / lo)
                                   : (value - lo) / (hi - lo);
  return std::clamp(share, 0.0, 1.0);
}

Scale linear_scale(double max, int target, bool whole) {
  if (!std::isfinite(max) || max < kSmallest) max = 1;
  max = std::min(max, kLargest);
  Scale scale;
  scale.step = round_step(max / std::max(target, 1));
  if (whole) scale.step = std::max(scale.step, 1.0);
  const double steps = std::max(std::ceil(max / scale.step - 1e-9), 1.0);
  for (int i = 0; i <= static_cast<int>(steps); ++i) scale.ticks.push_back(i * scale.step);
  scale.hi = scale.ticks.back();
  return scale;
}

Scale log_scale(double min, double max) {
  min = std::clamp(min, kSmallest, kLargest);
  max = std::clamp(max, min, kLargest);
  std::vector<double> candidates;
  for (int e = decade_below(min); e <= decade_below(max) + 1; ++e) {
    for (const double factor : {1.0, 2.0, 5.0}) candidates.push_back(factor * power_of_ten(e));
  }
  const auto above_min = std::upper_bound(candidates.begin(), candidates.end(), min);
  auto last = std::lower_bound(candidates.begin(), candidates.end(), max);
  const auto first = above_min - 1;  // candidates start at a decade <= min
  if (last == first) ++last;         // min == max on a candidate: one step above it
  Scale scale;
  scale.logarithmic = true;
  scale.lo = *first;
  scale.hi = *last;
  // Near the edges of a long axis the bounds' labels would run into the decades'.
  const bool decades_only = scale.hi / scale.lo >= 1000 * (1 - 1e-9);
  const bool bounds_too = scale.hi / scale.lo <= 10000 * (1 + 1e-9);
  for (auto at = first; at <= last; ++at) {
    const bool decade = (at - candidates.begin()) % 3 == 0;
    const bool bound = at == first || at == last;
    if (decade || !decades_only || (bound && bounds_too)) scale.ticks.push_back(*at);
  }
  return scale;
}

Scale time_scale(double end_s, int target) {
  constexpr std::array<double, 24> kSteps = {
      1,    2,    5,     10,    15,    30,    60,    120,    300,    600,    900,     1800,
      3600, 7200, 10800, 14400, 21600, 43200, 86400, 172800, 345600, 604800, 1209600, 2419200};
  if (!std::isfinite(end_s) || end_s <= 0) end_s = 1;
  end_s = std::min(end_s, kLargest);
  Scale scale;
  scale.hi = end_s;
  scale.step = kSteps.back();
  for (const double step : kSteps) {
    if (end_s / step <= target) {
      scale.step = step;
      break;
    }
  }
  while (end_s / scale.step > target) scale.step *= 2;
  for (double t = 0; t <= end_s * (1 + 1e-9); t += scale.step) {
    scale.ticks.push_back(std::min(t, end_s));
  }
  return scale;
}

}  // namespace windlass::report

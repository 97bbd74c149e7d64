#include "live/signals/histogram.h"

#include <cmath>

namespace windlass::live::signals {

void Histogram::add(const Histogram& other, double factor) {
  for (const auto& [bound, count_to] : other.buckets) buckets[bound] += count_to * factor;
  sum += other.sum * factor;
  count += other.count * factor;
}

double quantile(const Histogram& histogram, double q) {
  const auto& buckets = histogram.buckets;
  if (buckets.size() < 2 || !std::isinf(buckets.rbegin()->first)) return 0;
  const double total = buckets.rbegin()->second;
  if (!(total > 0)) return 0;
  const double rank = q * total;
  double lower = 0;
  double below = 0;
  double highest = 0;  // count so far: bounds of several pods may differ, counts must not fall
  for (auto it = buckets.begin(); it != buckets.end(); ++it) {
    const auto& [bound, count] = *it;
    highest = std::fmax(highest, count);
    if (highest >= rank) {
      if (std::isinf(bound)) return lower;
      if (it == buckets.begin() && bound <= 0) return bound;
      const double within = highest - below;
      return within > 0 ? lower + (bound - lower) * (rank - below) / within : bound;
    }
    lower = bound;
    below = highest;
  }
  return lower;
}

}  // namespace windlass::live::signals

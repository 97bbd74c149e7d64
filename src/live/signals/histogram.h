// Prometheus histograms as this room adds them up: cumulative counts by upper bound.
#pragma once

#include <map>

namespace windlass::live::signals {

struct Histogram {
  std::map<double, double> buckets;  // upper bound (le) -> observations up to it; +Inf is the last
  double sum = 0;
  double count = 0;

  void add(const Histogram& other, double factor = 1);
  [[nodiscard]] double mean() const { return count > 0 ? sum / count : 0; }
};

// The q-quantile, 0 < q < 1, as Prometheus' histogram_quantile gives it: linear within the bucket,
// the first one beginning at 0 if its bound is above; in the last one (+Inf) the bound below it. 0
// where nothing was observed or there is no +Inf bucket.
double quantile(const Histogram& histogram, double q);

}  // namespace windlass::live::signals

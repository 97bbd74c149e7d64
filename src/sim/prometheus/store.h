// Samples as a Prometheus server would hold them: series by label set, appended in time order,
// staleness markers, a retention. The simulated exporters are scraped into it and PromQL
// (promql.h) reads from it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"

namespace windlass::sim::prometheus {

// Sorted by name; the metric name is under "__name__".
using Labels = std::map<std::string, std::string>;
using SeriesId = uint32_t;

struct Sample {
  int64_t t_ms;  // Prometheus keeps milliseconds
  double value;  // the stale marker is a NaN of its own, see is_stale()
};
bool is_stale(double value);

struct Series {
  Labels labels;
  std::deque<Sample> samples;
};

class Store {
 public:
  explicit Store(Duration retention = hours(2)) : retention_(retention) {}

  // Finds or makes the series.
  SeriesId series(const Labels& labels);
  // Times of one series must rise; a sample at or before the last one is dropped (as Prometheus
  // does). Old samples fall out by the retention.
  void append(SeriesId id, Instant t, double value);
  // The target vanished: instant queries stop seeing the series from t on.
  void mark_stale(SeriesId id, Instant t);

  [[nodiscard]] const std::vector<Series>& all() const { return series_; }
  // Ids of the series with this metric name.
  [[nodiscard]] const std::vector<SeriesId>& named(const std::string& name) const;

 private:
  Duration retention_;
  std::vector<Series> series_;
  std::map<Labels, SeriesId> by_labels_;
  std::map<std::string, std::vector<SeriesId>> by_name_;
};

}  // namespace windlass::sim::prometheus

// The series of the dashboard's charts: a point a sample period, kept within a number of points
// (beyond it, neighbours are merged by twos) and asked for at any width.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "server/observe/sources.h"

namespace windlass::server::observe {

// What a stretch of time came to. Figures that add up over it are its mean or maximum, others are
// those at its end.
struct HistoryPoint {
  double t_s = 0;     // since the start, at its end
  double span_s = 0;  // its length
  double usd = 0;
  double usd_per_hour = 0;                      // mean
  double requests_per_s = 0, tokens_per_s = 0;  // mean
  double p50_ms = 0, p95_ms = 0;                // mean and maximum; NaN: nothing completed
  double queue = 0;                             // maximum
  int replicas_wanted = 0, replicas_ready = 0;
  int gpus_paid = 0;
  double gpu_busy = 0;                  // mean
  int pods_pending = 0;                 // maximum
  std::vector<uint32_t> nodes_by_type;  // by id of the type
  std::vector<double> policies_usd;     // by id of the policy, so far; NaN: not known
};
// Two stretches, one behind the other, as one.
HistoryPoint merged(const HistoryPoint& first, const HistoryPoint& second);

class History {
 public:
  explicit History(size_t points_max) : points_max_(points_max) {}

  // From here on: what was before is not part of the first point (a cluster that goes on from an
  // earlier run).
  void begin(const Sources& sources);
  // A point from what is now; rates are since the last call. Returns false if no time has passed.
  bool sample(const Sources& sources);
  // {"t": [...], ...} of from < t <= to, in seconds since the start, at most `points` of them.
  [[nodiscard]] std::string json(double from_s, double to_s, size_t points) const;
  [[nodiscard]] size_t size() const { return points_.size(); }

 private:
  void add_rates(const Sources& sources, HistoryPoint& point);
  void add_nodes(const Sources& sources, HistoryPoint& point);
  void add_policies(const Sources& sources, HistoryPoint& point);
  uint32_t type_id(const std::string& name);
  void thin();

  size_t points_max_;
  std::vector<HistoryPoint> points_;
  std::vector<std::string> types_;
  std::vector<std::string> policies_;  // by id
  std::map<std::string, uint32_t> type_ids_;
  double last_s_ = 0;
  double paid_before_ = 0, busy_before_ = 0;
  struct Counters {
    uint64_t offered = 0, completed = 0;
    double tokens = 0;
  };
  std::vector<Counters> before_;  // a model each
};

}  // namespace windlass::server::observe

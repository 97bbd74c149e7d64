// The metrics that real exporters give (DCGM, vLLM, the router), scraped into the simulated
// Prometheus at its interval, and the queries that controllers ask of it.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "controllers/action.h"
#include "sim/context.h"
#include "sim/inference_plane.h"
#include "sim/prometheus/promql.h"
#include "sim/prometheus/store.h"
#include "sim/training.h"

namespace windlass::sim {

class Exporters {
 public:
  Exporters(Context& context, InferencePlane& inference, Training& training)
      : context_(context), inference_(inference), training_(training) {}

  // Set by the world: answers in place of the simulated Prometheus.
  std::function<cluster::QueryAnswer(const controllers::QueryMetrics::Query&, Instant now)>
      foreign_answer;

  // Scrapes now and again every interval.
  void start();
  // The answer follows as an observation after the query latency.
  void query(const controllers::QueryMetrics& query);
  [[nodiscard]] const prometheus::Store& store() const { return store_; }
  // The share of the last scrape interval in which the pod's GPUs worked, 0..1.
  [[nodiscard]] double busy_share(const std::string& pod) const;
  // Every query before `until` is answered with an error, beside the scenario's outages.
  void fail_until(Instant until) { outage_until_ = until; }
  [[nodiscard]] Instant outage_until() const { return outage_until_; }

 private:
  void scrape();
  void sample(prometheus::Labels labels, double value);
  void scrape_gpus();
  double gpu_share(const std::string& pod, std::map<std::string, double>& busy) const;
  void scrape_servers();
  cluster::QueryAnswer answer(const controllers::QueryMetrics::Query& query);

  Context& context_;
  InferencePlane& inference_;
  Training& training_;
  prometheus::Store store_;
  Instant outage_until_{};
  std::set<prometheus::SeriesId> last_;  // seen in the last scrape; what is not seen again is stale
  std::set<prometheus::SeriesId> current_;
  std::map<std::string, double> shares_;       // by pod with GPUs, at the last scrape
  std::map<std::string, double> busy_before_;  // by pod, seconds, at the last scrape
  std::map<std::string, prometheus::Query> parsed_;
};

}  // namespace windlass::sim

// What a Prometheus remembered, as `windlass replay` uses it: traffic by model, how long starts
// took, what was there at the beginning. Pure: series in, values out.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "cli/replay_queries.h"
#include "cli/replay_series.h"

namespace windlass::cli {

struct Gap {
  int64_t from = 0;  // Unix seconds
  int64_t to = 0;
};

// Tokens of a request over time, by Unix second; either map may be empty.
struct LengthHistory {
  std::map<int64_t, double> mean;
  std::map<int64_t, double> p95;
};

struct ModelHistory {
  std::vector<double> rates;  // requests a second, a step each, from the beginning; 0 in gaps
  double requests = 0;
  double peak = 0;        // of `rates`
  double covered_s = 0;   // for which there are samples
  std::vector<Gap> gaps;  // longer than ten minutes; shorter ones are bridged
  double waiting_peak = 0;
  LengthHistory input, output;
};

// How long something took, seconds.
struct Took {
  double median = 0;
  double p95 = 0;
  size_t times = 0;  // it was seen
};

struct NodeCount {
  std::string instance_type;
  std::string capacity_type;
  std::string pool;
  int count = 0;
  bool operator==(const NodeCount&) const = default;
};

struct ReplayHistory {
  RangeWindow span;
  std::map<std::string, ModelHistory> models;
  std::optional<Took> node_ready;   // Node object created to Ready
  std::optional<double> node_gpus;  // Ready to GPUs allocatable, mean seconds
  std::optional<Took> image_pull;   // pod bound to container started, where something was pulled
  std::optional<Took> pod_start;    // container started to pod Ready
  bool pull_within_start = false;   // no container start was recorded: `pod_start` has it all
  std::vector<NodeCount> first_nodes, most_nodes;            // with GPUs
  std::map<std::string, int> first_replicas, most_replicas;  // by Deployment key
  std::map<std::string, double> keda_peaks;                  // by "namespace/object metric"
  std::vector<std::string> unanswered;          // queries Prometheus would not answer, and why
  std::optional<double> gpus, gpu_utilization;  // means
};

// Collects the answers, one query after another.
class HistoryBuilder {
 public:
  // `own_*`: models whose default series are left out for a query of the user's.
  HistoryBuilder(RangeWindow span, int64_t rate_window, std::set<std::string> own_rates,
                 std::set<std::string> own_inputs, std::set<std::string> own_outputs);
  void add(const ReplayQuery& query, const std::vector<RangeSeries>& answer);
  [[nodiscard]] ReplayHistory finish() const;

 private:
  using Points = std::map<int64_t, double>;
  using ByName = std::map<std::string, Points>;

  void add_by_model(const ReplayQuery& query, const std::vector<RangeSeries>& answer,
                    const std::set<std::string>& own, ByName& to) const;
  void finish_models(ReplayHistory& out) const;
  void finish_nodes(ReplayHistory& out) const;
  void finish_pods(ReplayHistory& out) const;
  void finish_start(ReplayHistory& out) const;

  RangeWindow span_;
  int64_t rate_window_;
  std::set<std::string> own_rates_, own_inputs_, own_outputs_;
  ByName rates_, waiting_, input_mean_, input_p95_, output_mean_, output_p95_;
  Points gpus_, gpu_utilization_;
  std::map<std::string, double> keda_peaks_;
  std::map<std::string, double> node_created_;
  std::map<std::string, int64_t> node_ready_, node_gpus_;  // first seen so
  std::map<int64_t, std::vector<NodeCount>> node_types_;
  ByName replicas_;
  std::map<ReplayTopic, std::map<std::string, double>> pods_;  // the first value, by pod
};

// Median and 95th percentile, linear between the ranks; nullopt of nothing.
std::optional<Took> took(std::vector<double> seconds);

}  // namespace windlass::cli

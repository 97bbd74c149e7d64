// What one simulated run under one policy came to: the figures of the results table and of `-o
// json`, and the series the report draws. Plain values; report/ turns them into text.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"

namespace windlass::sim {

struct LatencySummary {  // ms; NaN where nothing completed
  double p50 = 0, p95 = 0, p99 = 0, mean = 0;
};
struct ClockSummary {  // seconds since the node claim was made; NaN where none
  double p50 = 0, p95 = 0;
};

// One sample of the run, every RunResult::sample_period.
struct ChartPoint {
  double t_s = 0;  // since the run's start, end of the period
  double requests_per_s = 0;
  int replicas_wanted = 0;  // over all scaled deployments
  int replicas_ready = 0;
  double queue = 0;                               // requests waiting
  double latency_p50_ms = 0, latency_p95_ms = 0;  // of the period; NaN if nothing completed
  double gpu_busy = 0;                            // 0..1 of the paid GPUs, mean over the period
  int gpus_paid = 0;
  double cost_usd = 0;  // so far
  int jobs_running = 0;
  int jobs_waiting = 0;
  std::map<std::string, int> nodes_by_type;  // paid now; key "g4dn.xlarge spot"
};

// A node's way, for the three clocks and the node table. Seconds since the run's start; < 0: never.
struct NodeRecord {
  std::string name, instance_type, capacity_type, zone, claim;
  double launched_s = -1, node_ready_s = -1, terminated_s = -1;
  double usd_per_hour = 0, cost_usd = 0;
  int gpus = 0;
  std::string end_reason;  // "emptiness", "multi_node_consolidation", "spot interruption", ...
};

struct RunResult {
  std::string policy;
  bool partial = false;  // stopped by Ctrl-C
  double simulated_s = 0;
  double cost_usd = 0;
  double gpu_hours_paid = 0;
  double gpu_utilization = 0;  // engine-busy GPU time / paid GPU time, 0..1
  double gpu_allocation = 0;   // GPU time requested by bound pods / paid GPU time, 0..1
  LatencySummary latency_ms, ttft_ms;
  double slo_ms = 0;
  double slo_attainment = 0;  // completed within the SLO / offered, 0..1; NaN without requests
  struct {
    uint64_t offered = 0, completed = 0, failed = 0, retried = 0, unfinished = 0;
  } requests;
  struct {
    ClockSummary node_ready, pod_ready, first_token;
  } provisioning_s;
  struct {
    int launched = 0, terminated = 0, peak = 0;
    std::map<std::string, int> by_type;  // launched, by instance type
    int spot_interrupted = 0;
    int insufficient_capacity = 0;  // launches refused
  } nodes;
  struct {
    int submitted = 0, completed = 0;
    double mean_wait_s = 0;   // submission to first start, of the jobs that started
    double redone_gpu_s = 0;  // work lost since the last checkpoint, in reference GPU-seconds
  } jobs;
  std::string run_hash;  // rolling hash of the run's decisions and completions
  double wall_s = 0;

  Duration sample_period{};
  std::vector<ChartPoint> chart;
  std::vector<NodeRecord> node_records;
  std::vector<std::string> notes;  // what a reader should know: findings, assumptions that bit
};

struct ScenarioResult {
  std::string scenario;
  uint64_t seed = 0;
  double duration_s = 0;
  std::vector<std::string> notes;  // manifest warnings
  std::vector<RunResult> policies;
};

}  // namespace windlass::sim

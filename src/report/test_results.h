// Hand-made results for this room's tests: small, and with every kind of gap a run can leave.
#pragma once

#include <cmath>

#include "sim/run_result.h"

namespace windlass::report {

inline sim::ChartPoint sample(double t_s, double rps, int replicas, double p50, double p95) {
  sim::ChartPoint point;
  point.t_s = t_s;
  point.requests_per_s = rps;
  point.replicas_wanted = replicas + 1;
  point.replicas_ready = replicas;
  point.queue = 3;
  point.latency_p50_ms = p50;
  point.latency_p95_ms = p95;
  point.gpu_busy = 0.5;
  point.gpus_paid = replicas;
  point.cost_usd = t_s / 100;
  point.jobs_running = 1;
  point.nodes_by_type = {{"g4dn.xlarge on-demand", 1}, {"g4dn.xlarge spot", replicas}};
  return point;
}

inline sim::RunResult static_run() {
  sim::RunResult run;
  run.policy = "static";
  run.simulated_s = 3600;
  run.cost_usd = 1234.5;
  run.gpu_hours_paid = 96;
  run.gpu_utilization = 0.3125;
  run.gpu_allocation = 0.8;
  run.latency_ms = {420, 1800, 12345, 600};
  run.ttft_ms = {90, 310, 700, 120};
  run.slo_ms = 2000;
  run.slo_attainment = 0.9871;
  run.requests = {1234567, 1234000, 500, 40, 67};
  run.provisioning_s = {{NAN, NAN}, {NAN, NAN}, {NAN, NAN}};
  run.nodes.launched = run.nodes.peak = 4;
  run.nodes.by_type = {{"g4dn.xlarge", 4}};
  run.jobs = {0, 0, 0, 0};
  run.run_hash = "00112233aabbccdd";
  run.sample_period = seconds(900);
  for (int i = 1; i <= 4; ++i) run.chart.push_back(sample(900 * i, 10, 4, 400, 1500));
  return run;
}

inline sim::RunResult windlass_run() {
  sim::RunResult run = static_run();
  run.policy = "windlass";
  run.cost_usd = 617.25;
  run.gpu_hours_paid = 48;
  run.gpu_utilization = 0.625;
  run.latency_ms = {400, 1500, 8000, 500};
  run.slo_attainment = 0.99995;
  run.provisioning_s = {{41.25, 60}, {75, 110.4}, {78.5, 118}};
  run.nodes.launched = 9;
  run.nodes.terminated = 7;
  run.nodes.spot_interrupted = 1;
  run.nodes.insufficient_capacity = 2;
  run.jobs = {5, 3, 95, 5400};
  run.run_hash = "ffeeddccbbaa9988";
  run.chart[1].latency_p50_ms = run.chart[1].latency_p95_ms = NAN;
  run.node_records.push_back(
      {"n-2", "g4dn.xlarge", "spot", "us-east-1a", "c-2", 1200, 1261, -1, 0.1578, 0.11, 1, ""});
  run.node_records.push_back({"n-1", "g4dn.xlarge", "spot", "us-east-1a", "c-1", 60, 101, 1860,
                              0.1578, 0.08, 1, "emptiness"});
  run.notes = {"the forecast was short by 12 % at the morning peak"};
  return run;
}

inline sim::ScenarioResult two_policies() {
  sim::ScenarioResult result;
  result.scenario = "morning.yaml";
  result.seed = 7;
  result.duration_s = 3600;
  result.notes = {"nodepool/gpu: no limits are set"};
  result.policies = {static_run(), windlass_run()};
  return result;
}

}  // namespace windlass::report

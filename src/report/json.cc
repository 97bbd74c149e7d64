// `-o json`: the results for programs. Field names are an interface; scripts depend on them.
#include <cmath>

#include <nlohmann/json.hpp>

#include "report/figures.h"
#include "report/report.h"
#include "report/result_rows.h"

namespace windlass::report {
namespace {

using sim::RunResult;

// JSON has no NaN or infinity.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json latency_json(const sim::LatencySummary& latency) {
  return {{"p50", number(latency.p50)},
          {"p95", number(latency.p95)},
          {"p99", number(latency.p99)},
          {"mean", number(latency.mean)}};
}

Json clock_json(const sim::ClockSummary& clock) {
  return {{"p50", number(clock.p50)}, {"p95", number(clock.p95)}};
}

// Text that dump() accepts: it throws on bytes that are no UTF-8.
Json notes_json(const std::vector<std::string>& notes) {
  Json out = Json::array();
  for (const std::string& note : notes) out.push_back(printable(note));
  return out;
}

Json nodes_json(const RunResult& run) {
  Json by_type = Json::object();
  for (const auto& [type, launched] : run.nodes.by_type) by_type[printable(type)] = launched;
  return {{"launched", run.nodes.launched},
          {"terminated", run.nodes.terminated},
          {"peak", run.nodes.peak},
          {"by_type", by_type},
          {"spot_interrupted", run.nodes.spot_interrupted},
          {"insufficient_capacity", run.nodes.insufficient_capacity}};
}

// null for no baseline, and where the two runs cover different lengths of time.
Json cost_vs_static(const RunResult& run, const RunResult* baseline) {
  if (baseline == nullptr || !comparable(run, *baseline)) return nullptr;
  return number(change_percent(run.cost_usd, baseline->cost_usd));
}

Json policy_json(const RunResult& run, const RunResult* baseline) {
  Json out;
  out["name"] = printable(run.policy);
  out["cost_usd"] = number(run.cost_usd);
  out["cost_vs_static_pct"] = cost_vs_static(run, baseline);
  out["gpu_hours_paid"] = number(run.gpu_hours_paid);
  out["gpu_utilization"] = number(run.gpu_utilization);
  out["gpu_allocation"] = number(run.gpu_allocation);
  out["latency_ms"] = latency_json(run.latency_ms);
  out["ttft_ms"] = latency_json(run.ttft_ms);
  out["slo_ms"] = number(run.slo_ms);
  out["slo_attainment"] = number(run.slo_attainment);
  out["requests"] = {{"offered", run.requests.offered},
                     {"completed", run.requests.completed},
                     {"failed", run.requests.failed},
                     {"retried", run.requests.retried},
                     {"unfinished", run.requests.unfinished}};
  out["provisioning_s"] = {{"node_ready", clock_json(run.provisioning_s.node_ready)},
                           {"pod_ready", clock_json(run.provisioning_s.pod_ready)},
                           {"first_token", clock_json(run.provisioning_s.first_token)}};
  out["nodes"] = nodes_json(run);
  out["jobs"] = {{"submitted", run.jobs.submitted},
                 {"completed", run.jobs.completed},
                 {"mean_wait_s", number(run.jobs.mean_wait_s)},
                 {"redone_gpu_s", number(run.jobs.redone_gpu_s)}};
  out["run_hash"] = printable(run.run_hash);
  out["wall_s"] = number(run.wall_s);
  out["simulated_s"] = number(run.simulated_s);
  out["partial"] = run.partial;
  out["notes"] = notes_json(run.notes);
  return out;
}

}  // namespace

Json results_json(const sim::ScenarioResult& result) {
  const RunResult* baseline = nullptr;
  for (const RunResult& run : result.policies) {
    if (run.policy == "static" && baseline == nullptr) baseline = &run;
  }
  Json policies = Json::array();
  for (const RunResult& run : result.policies) policies.push_back(policy_json(run, baseline));
  Json out;
  out["scenario"] = printable(result.scenario);
  out["seed"] = result.seed;
  out["duration_s"] = number(result.duration_s);
  out["policies"] = std::move(policies);
  out["notes"] = notes_json(result.notes);
  return out;
}

}  // namespace windlass::report

#include "report/result_rows.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>

#include "report/figures.h"

namespace windlass::report {
namespace {

using sim::ClockSummary;
using sim::RunResult;
using sim::ScenarioResult;

ResultRow row(const ScenarioResult& result, std::string label,
              const std::function<std::string(const RunResult&)>& cell) {
  ResultRow out{std::move(label), {}};
  for (const RunResult& run : result.policies) out.cells.push_back(cell(run));
  return out;
}

std::string number(int value) { return value < 0 ? "-" : count_text(static_cast<uint64_t>(value)); }

std::string clocks(const ClockSummary& clock) { return seconds_pair(clock.p50, clock.p95); }

ResultGroup cost_group(const ScenarioResult& result) {
  ResultGroup group{"Cost", {}};
  group.rows.push_back(
      row(result, "total", [](const RunResult& r) { return dollars(r.cost_usd); }));
  if (result.policies.size() > 1) {
    const RunResult& first = result.policies.front();
    group.rows.push_back(row(result, "vs " + printable(first.policy), [&](const RunResult& r) {
      if (&r == &first || !comparable(r, first)) return std::string("-");
      return signed_percent(change_percent(r.cost_usd, first.cost_usd));
    }));
  }
  group.rows.push_back(row(result, "GPU-hours paid",
                           [](const RunResult& r) { return decimal(r.gpu_hours_paid, 1); }));
  group.rows.push_back(row(result, "GPU utilisation",
                           [](const RunResult& r) { return percent(r.gpu_utilization); }));
  group.rows.push_back(
      row(result, "GPU allocation", [](const RunResult& r) { return percent(r.gpu_allocation); }));
  return group;
}

ResultGroup latency_group(const ScenarioResult& result) {
  ResultGroup group{"Latency", {}};
  const auto add = [&](std::string label, double sim::LatencySummary::*field) {
    group.rows.push_back(row(result, std::move(label), [field](const RunResult& r) {
      return millis_text(r.latency_ms.*field);
    }));
  };
  add("P50", &sim::LatencySummary::p50);
  add("P95", &sim::LatencySummary::p95);
  add("P99", &sim::LatencySummary::p99);
  group.rows.push_back(
      row(result, "TTFT P95", [](const RunResult& r) { return millis_text(r.ttft_ms.p95); }));
  const std::string slo = common_slo(result);
  const std::string label = slo.empty() ? "SLO attainment" : "SLO attainment (" + slo + ")";
  group.rows.push_back(row(result, label, [&](const RunResult& r) {
    const std::string share = percent(r.slo_attainment);
    // Policies judged by different SLOs: the bar must stand beside each result.
    return slo.empty() && r.slo_ms > 0 ? share + " (" + limit_text(r.slo_ms) + ")" : share;
  }));
  return group;
}

ResultGroup request_group(const ScenarioResult& result) {
  return {
      "Requests",
      {row(result, "offered", [](const RunResult& r) { return count_text(r.requests.offered); }),
       row(result, "completed",
           [](const RunResult& r) { return count_text(r.requests.completed); }),
       row(result, "failed", [](const RunResult& r) { return count_text(r.requests.failed); }),
       row(result, "retried", [](const RunResult& r) { return count_text(r.requests.retried); }),
       row(result, "unfinished",
           [](const RunResult& r) { return count_text(r.requests.unfinished); })}};
}

ResultGroup provisioning_group(const ScenarioResult& result) {
  return {"Provisioning since claim",
          {row(result, "node Ready P50 / P95",
               [](const RunResult& r) { return clocks(r.provisioning_s.node_ready); }),
           row(result, "pod Ready P50 / P95",
               [](const RunResult& r) { return clocks(r.provisioning_s.pod_ready); }),
           row(result, "first token P50 / P95",
               [](const RunResult& r) { return clocks(r.provisioning_s.first_token); })}};
}

ResultGroup node_group(const ScenarioResult& result) {
  return {"Nodes",
          {row(result, "launched", [](const RunResult& r) { return number(r.nodes.launched); }),
           row(result, "terminated", [](const RunResult& r) { return number(r.nodes.terminated); }),
           row(result, "peak", [](const RunResult& r) { return number(r.nodes.peak); }),
           row(result, "spot interruptions",
               [](const RunResult& r) { return number(r.nodes.spot_interrupted); }),
           row(result, "refused launches",
               [](const RunResult& r) { return number(r.nodes.insufficient_capacity); })}};
}

ResultGroup job_group(const ScenarioResult& result) {
  return {"Jobs",
          {row(result, "completed / submitted",
               [](const RunResult& r) {
                 return number(r.jobs.completed) + " / " + number(r.jobs.submitted);
               }),
           // Without jobs a wait of 0 s would read as an achievement.
           row(result, "mean wait",
               [](const RunResult& r) {
                 return r.jobs.submitted == 0 ? "-" : length_text(r.jobs.mean_wait_s);
               }),
           row(result, "redone GPU hours", [](const RunResult& r) {
             return r.jobs.submitted == 0 ? "-" : decimal(r.jobs.redone_gpu_s / 3600, 2);
           })}};
}

ResultGroup run_group(const ScenarioResult& result) {
  return {"Run",
          // The full wording of "partial" would take the table beyond 100 columns.
          {row(result, "simulated",
               [](const RunResult& r) {
                 return length_text(r.simulated_s) + (r.partial ? " (partial)" : "");
               }),
           row(result, "hash", [](const RunResult& r) {
             return r.run_hash.empty() ? "-" : printable(r.run_hash);
           })}};
}

}  // namespace

std::vector<ResultGroup> result_rows(const ScenarioResult& result) {
  return {cost_group(result),         latency_group(result), request_group(result),
          provisioning_group(result), node_group(result),    job_group(result),
          run_group(result)};
}

bool comparable(const RunResult& a, const RunResult& b) {
  const double longer = std::max(a.simulated_s, b.simulated_s);
  return std::abs(a.simulated_s - b.simulated_s) <= 0.005 * longer;
}

std::string partial_text(const RunResult& run) {
  return run.partial ? "partial: stopped at " + length_text(run.simulated_s) : "";
}

std::vector<std::string> all_notes(const ScenarioResult& result) {
  std::vector<std::string> notes;
  for (const std::string& note : result.notes) notes.push_back(printable(note));
  const bool all_comparable =
      std::all_of(result.policies.begin(), result.policies.end(),
                  [&](const RunResult& run) { return comparable(run, result.policies.front()); });
  if (!all_comparable) {
    notes.push_back(
        "The runs cover different lengths of simulated time, so totals are not compared in "
        "percent.");
  }
  for (const RunResult& run : result.policies) {
    for (const std::string& note : run.notes) {
      notes.push_back(printable(run.policy) + ": " + printable(note));
    }
  }
  return notes;
}

std::string common_slo(const ScenarioResult& result) {
  if (result.policies.empty()) return "";
  const double slo = result.policies.front().slo_ms;
  const bool shared = std::all_of(result.policies.begin(), result.policies.end(),
                                  [&](const RunResult& run) { return run.slo_ms == slo; });
  return shared && slo > 0 ? limit_text(slo) : "";
}

}  // namespace windlass::report

#include "report/panel_specs.h"

namespace windlass::report {
namespace {

using sim::ChartPoint;
using Shape = PlotSeries::Shape;

}  // namespace

PanelSpec cost_panel() {
  return {"Cost so far",
          "Dollars for nodes since the start.",
          Unit::kUsd,
          {{"usd", "cost", Shape::kLine, true, Unit::kUsd,
            [](const ChartPoint& p) { return p.cost_usd; }}},
          {}};
}

PanelSpec request_panel() {
  return {"Requests per second",
          "The traffic to be served.",
          Unit::kPerSecond,
          {{"rps", "requests/s", Shape::kLine, true, Unit::kPerSecond,
            [](const ChartPoint& p) { return p.requests_per_s; }}},
          {}};
}

PanelSpec latency_panel() {
  return {"Latency",
          "Of the requests completed in each period; a gap where none were.",
          Unit::kMillis,
          {{"p95", "P95", Shape::kLine, true, Unit::kMillis,
            [](const ChartPoint& p) { return p.latency_p95_ms; }},
           {"p50", "P50", Shape::kThinLine, false, Unit::kMillis,
            [](const ChartPoint& p) { return p.latency_p50_ms; }}},
          {}};
}

PanelSpec queue_panel() {
  return {"Queue",
          "Requests waiting for a replica.",
          Unit::kCount,
          {{"queue", "queue", Shape::kLine, true, Unit::kCount,
            [](const ChartPoint& p) { return p.queue; }}},
          {}};
}

PanelSpec replica_panel() {
  return {"Replicas wanted and ready",
          "Where the line runs above the filled part, replicas were asked for and not useful yet.",
          Unit::kCount,
          {{"ready", "ready", Shape::kArea, true, Unit::kCount,
            [](const ChartPoint& p) { return p.replicas_ready; }},
           {"wanted", "wanted", Shape::kThinLine, false, Unit::kCount,
            [](const ChartPoint& p) { return p.replicas_wanted; }}},
          {}};
}

// Busy as GPUs rather than as a share: the area between is then the money spent on idling.
PanelSpec gpu_panel() {
  return {"GPUs paid and busy",
          "What lies between the filled part and the line was paid for and idle.",
          Unit::kCount,
          {{"work", "busy", Shape::kArea, true, Unit::kPerSecond,
            [](const ChartPoint& p) { return p.gpu_busy * p.gpus_paid; }},
           {"gpus", "paid", Shape::kThinLine, false, Unit::kCount,
            [](const ChartPoint& p) { return p.gpus_paid; }}},
          {{0, "busy", "busy share", "", Unit::kFraction}}};
}

PanelSpec job_panel() {
  return {"Batch jobs",
          "Jobs wait for GPUs that inference leaves, or for nodes of their own.",
          Unit::kCount,
          {{"run", "running", Shape::kArea, true, Unit::kCount,
            [](const ChartPoint& p) { return p.jobs_running; }},
           {"wait", "waiting", Shape::kThinLine, false, Unit::kCount,
            [](const ChartPoint& p) { return p.jobs_waiting; }}},
          {}};
}

}  // namespace windlass::report

// What a source answered, as the one number a trigger stands for (reference keda_hpa.md 2.1, 2.2).
#include <cmath>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "scaling/trigger_plan.h"

namespace windlass::scaling {
namespace {

// KEDA compares Unix times, and its library's "never" is the zero time, which comes before all
// others: a window without an end stays open, one without a start stays shut.
Result<int64_t> next_or_never(const CronSchedule& schedule, std::string_view zone, Instant now,
                              std::string_view what) {
  const auto next = schedule.next(now, zone);
  if (!next.ok()) return next.error().in(what);
  return next.value() ? next.value()->ns : std::numeric_limits<int64_t>::min();
}

}  // namespace

TriggerReading read_prometheus(const TriggerPlan& plan, const PrometheusAnswer& answer) {
  if (!answer.error.empty()) return Error(answer.error);
  if (answer.values.size() > 1) {
    return Error(fmt::format("the query \"{}\" gave {} elements, it must give one", plan.query,
                             answer.values.size()));
  }
  const bool empty = answer.values.empty();
  if (!empty && std::isfinite(answer.values.front())) return answer.values.front();
  // ignoreNullValues: "nothing there" reads as 0. That is KEDA's default, and a target that
  // Prometheus lost scales to zero by it.
  if (plan.ignore_null_values) {
    TriggerReading zero(0.0);
    zero.from_nothing = true;
    return zero;
  }
  return Error(empty ? fmt::format("the query \"{}\" gave no element", plan.query)
                     : fmt::format("the query \"{}\" gave {}", plan.query, answer.values.front()));
}

TriggerReading read_cron(const TriggerPlan& plan, Instant now) {
  const auto start = next_or_never(plan.cron_start, plan.timezone, now, "start");
  if (!start.ok()) return start.error();
  const auto end = next_or_never(plan.cron_end, plan.timezone, now, "end");
  if (!end.ok()) return end.error();
  // Inside the window the end comes before the next start.
  return *end <= *start ? plan.cron_replicas : 0.0;
}

TriggerReading read_workload(const TriggerPlan& plan, std::span<const api::Pod* const> pods,
                             std::string_view namespace_name) {
  int64_t count = 0;
  std::set<std::string_view> nodes;
  for (const api::Pod* pod : pods) {
    const bool counts = pod->meta.namespace_name == namespace_name && !pod->terminal() &&
                        plan.pod_selector.matches(pod->meta.labels);
    if (!counts) continue;
    ++count;
    if (!pod->spec.node_name.empty()) nodes.insert(pod->spec.node_name);
  }
  return static_cast<double>(plan.group_by_node ? static_cast<int64_t>(nodes.size()) : count);
}

}  // namespace windlass::scaling

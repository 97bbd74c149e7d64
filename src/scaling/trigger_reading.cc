// read_prometheus and read_cron: what a source answered, as the one number a trigger stands for
// (reference keda_hpa.md 2.1 and the cron row of 2.2).
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "scaling/cron.h"
#include "scaling/scaled_object.h"

namespace windlass::scaling {
namespace {

// KEDA compares Unix times, and its library's "never" is the zero time, which comes before all
// others: a window without an end stays open, one without a start stays shut.
Result<int64_t> next_or_never(const std::string& schedule, std::string_view zone, Instant now,
                              std::string_view what) {
  const auto parsed = CronSchedule::parse(schedule);
  if (!parsed.ok()) return parsed.error().in(what);
  const auto next = parsed->next(now, zone);
  if (!next.ok()) return next.error().in(what);
  return next.value() ? next.value()->ns : std::numeric_limits<int64_t>::min();
}

}  // namespace

Result<double> read_prometheus(const TriggerPlan& plan, const PrometheusAnswer& answer) {
  if (!answer.error.empty()) return Error(answer.error);
  if (answer.values.size() > 1) {
    return Error(fmt::format("the query \"{}\" gave {} elements, it must give one", plan.query,
                             answer.values.size()));
  }
  const bool empty = answer.values.empty();
  if (!empty && std::isfinite(answer.values.front())) return answer.values.front();
  // ignoreNullValues: "nothing there" reads as 0. That is KEDA's default, and a target that
  // Prometheus lost scales to zero by it.
  if (plan.ignore_null_values) return 0.0;
  return Error(empty ? fmt::format("the query \"{}\" gave no element", plan.query)
                     : fmt::format("the query \"{}\" gave {}", plan.query, answer.values.front()));
}

Result<double> read_cron(const TriggerPlan& plan, Instant now) {
  const auto start = next_or_never(plan.cron_start, plan.timezone, now, "start");
  if (!start.ok()) return start.error();
  const auto end = next_or_never(plan.cron_end, plan.timezone, now, "end");
  if (!end.ok()) return end.error();
  // Inside the window the end comes before the next start.
  return *end <= *start ? plan.cron_replicas : 0.0;
}

}  // namespace windlass::scaling

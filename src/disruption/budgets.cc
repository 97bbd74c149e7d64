#include "disruption/budgets.h"

#include <algorithm>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "scaling/cron.h"

namespace windlass::disruption {
namespace {

// Whether the budget holds now. A window is open if the schedule's next time after the start of the
// span that ends now has come: so one that began up to `duration` ago still holds.
Result<bool> active(const api::Budget& budget, Instant now) {
  if (budget.schedule.empty() && !budget.duration) return true;
  if (budget.schedule.empty() || !budget.duration) {
    return Error("a budget needs schedule and duration together");
  }
  const auto cron = scaling::CronSchedule::parse(budget.schedule);
  if (!cron) return cron.error();
  const auto next = cron->next(now - *budget.duration, "UTC");
  if (!next) return next.error();
  return next->has_value() && **next <= now;
}

bool names(const api::Budget& budget, std::string_view reason) {
  return budget.reasons.empty() ||
         std::find(budget.reasons.begin(), budget.reasons.end(), reason) != budget.reasons.end();
}

int64_t ceiling(const api::IntOrPercent& limit, int64_t nodes) {
  if (!limit.percent) return limit.value;
  return (nodes * limit.value + 99) / 100;  // 1 of 5 at 10 %
}

}  // namespace

int32_t budgeted_nodes(std::string_view pool, const std::vector<Candidate>& nodes) {
  return static_cast<int32_t>(std::count_if(nodes.begin(), nodes.end(), [&](const Candidate& n) {
    return n.initialized && !n.terminating && n.pool == pool;
  }));
}

int32_t allowed_disruptions(const api::NodePool& pool, std::string_view reason,
                            const std::vector<Candidate>& nodes, Instant now) {
  const int64_t total = budgeted_nodes(pool.meta.name, nodes);
  int64_t allowed = std::numeric_limits<int32_t>::max();
  for (const api::Budget& budget : pool.budgets) {
    const Result<bool> holds = active(budget, now);
    // Even a budget for other reasons: a pool whose budgets cannot be read is not touched.
    if (!holds) return 0;
    if (*holds && names(budget, reason)) {
      allowed = std::min(allowed, ceiling(budget.nodes, total));
    }
  }
  for (const Candidate& node : nodes) {
    if (!node.initialized || node.terminating || node.pool != pool.meta.name) continue;
    if (node.deleting || !node.ready) --allowed;
  }
  return static_cast<int32_t>(std::max<int64_t>(allowed, 0));
}

std::string budget_reason(std::string_view pool, std::string_view reason, int32_t allowed,
                          int32_t nodes) {
  return fmt::format("budget of pool {} allows {} of {} nodes for {}", pool, allowed, nodes,
                     reason);
}

}  // namespace windlass::disruption

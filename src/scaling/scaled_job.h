// A ScaledJob's poll: how many Jobs to create (reference keda_hpa.md 1.9). There is no HPA behind
// it, no cool-down and no fallback; Jobs end by themselves.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "api/keda.h"
#include "base/result.h"
#include "scaling/trigger_plan.h"

namespace windlass::scaling {

// The triggers, by the rules of a ScaledJob: no metricType, and none of cpu and memory.
Result<std::vector<TriggerPlan>> plan_scaled_job(const api::ScaledJob& object,
                                                 std::span<const ResolvedValues> values = {},
                                                 std::vector<std::string>* ignored = nullptr);

struct JobCounts {
  int64_t running = 0;  // neither complete nor failed, pending ones counted
  int64_t pending = 0;  // of those, without a pod that runs or ran
};

struct ScaledJobDecision {
  bool active = false;
  int64_t create = 0;                      // >= 0
  int64_t queue_length = 0;                // combined over the active triggers, rounded up
  int64_t max_scale = 0;                   // the Jobs that the queue is worth, rounded up
  std::vector<api::Condition> conditions;  // Ready, Active
  std::string why;
};

// `readings`: one a trigger. A reading that failed counts as inactive.
ScaledJobDecision evaluate_scaled_job(const api::ScaledJob& object,
                                      const std::vector<TriggerPlan>& triggers,
                                      const std::vector<TriggerReading>& readings,
                                      const JobCounts& jobs, Instant now);

// Whether a Job is pending: none of its pods runs or has succeeded; or, with
// pendingPodConditions, none of its pods meets all of them. `pods` are the Job's, each with the
// types of its true conditions.
struct JobPod {
  api::PodPhase phase = api::PodPhase::kPending;
  std::vector<std::string> true_conditions;
};
bool is_pending(const api::ScaledJobStrategy& strategy, std::span<const JobPod> pods);

}  // namespace windlass::scaling

// The Job controller: pods until enough have succeeded, or too many failed, or time is up.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "sim/apps/pod_template.h"
#include "sim/apps/reconciler.h"

namespace windlass::sim::apps {
namespace {

using cluster::Kind;

struct Counts {
  int32_t active = 0;  // terminating ones count: no second pod before the first is gone
  int32_t ready = 0;
  int32_t succeeded = 0;
  int32_t failed = 0;
  std::vector<const api::Pod*> running;
};

Counts count(const cluster::State& state, const api::Job& job) {
  Counts counts;
  for (const std::string& key : state.pods_of(job.meta.uid)) {
    const api::Pod& pod = state.pods().at(key);
    if (pod.phase == api::PodPhase::kSucceeded) ++counts.succeeded;
    if (pod.phase == api::PodPhase::kFailed) ++counts.failed;
    if (pod.terminal()) continue;
    ++counts.active;
    if (pod.ready) ++counts.ready;
    if (!pod.meta.deleted) counts.running.push_back(&pod);
  }
  return counts;
}

void stop(const Reconciler& reconciler, const Counts& counts, size_t how_many) {
  for (const std::string& key : victims(counts.running, how_many)) reconciler.api.delete_pod(key);
}

void create(const Reconciler& reconciler, const api::Job& job, int32_t how_many) {
  const api::RawObject raw = raw_pod(template_of(job));
  for (int32_t i = 0; i < std::min<int32_t>(how_many, kBurst); ++i) {
    api::Pod pod = make_pod(reconciler, job.pod_template, raw, job.meta, "Job", "batch/v1");
    pod.meta.name = reconciler.api.pod_name(job.meta.name);
    pod.meta.uid = reconciler.api.new_uid("pod", pod.meta.name);
    for (const char* prefix : {"", "batch.kubernetes.io/"}) {
      pod.meta.labels[std::string(prefix) + "job-name"] = job.meta.name;
      pod.meta.labels[std::string(prefix) + "controller-uid"] = job.meta.uid;
    }
    reconciler.context.state.put(std::move(pod));
  }
}

// Takes the next step; `now` gets what it means for the status.
void step(const Reconciler& reconciler, const Counts& counts, api::Job& now) {
  const Instant at = reconciler.context.now;
  const auto says = [&](const char* type, const char* status, const char* reason,
                        const char* message) {
    api::set_condition(now.conditions, {type, status, reason, message, at});
  };
  if (now.suspended) {
    stop(reconciler, counts, counts.running.size());
    now.started_at.reset();
    says("Suspended", "True", "JobSuspended", "Job suspended");
    return;
  }
  if (api::is_true(now.conditions, "Suspended")) {
    says("Suspended", "False", "JobResumed", "Job resumed");
  }
  if (!now.started_at) now.started_at = at;
  if (now.active_deadline && *now.started_at + *now.active_deadline > at) {
    reconciler.again(Kind::kJob, now.meta.key(), *now.started_at + *now.active_deadline - at);
  }
  if (now.succeeded >= now.completions) {
    stop(reconciler, counts, counts.running.size());
    now.completed_at = at;
    says("SuccessCriteriaMet", "True", "CompletionsReached",
         "Reached expected number of succeeded pods");
    says("Complete", "True", "CompletionsReached", "Reached expected number of succeeded pods");
    return;
  }
  const bool late = now.active_deadline && at - *now.started_at >= *now.active_deadline;
  if (late || now.failed > now.backoff_limit) {
    stop(reconciler, counts, counts.running.size());
    const char* reason = late ? "DeadlineExceeded" : "BackoffLimitExceeded";
    const char* message = late ? "Job was active longer than specified deadline"
                               : "Job has reached the specified backoff limit";
    says("FailureTarget", "True", reason, message);
    says("Failed", "True", reason, message);
    return;
  }
  const int32_t wanted = std::min(now.parallelism, now.completions - now.succeeded);
  if (counts.active > wanted) {
    const auto more = static_cast<size_t>(counts.active - wanted);
    stop(reconciler, counts, std::min(more, counts.running.size()));
  } else {
    create(reconciler, now, wanted - counts.active);
  }
}

}  // namespace

void sync_job(const Reconciler& reconciler, const std::string& key) {
  cluster::State& state = reconciler.context.state;
  const api::Job* found = state.jobs().find(key);
  if (found == nullptr || found->meta.deleted) return;
  const api::Job before = *found;
  api::Job now = before;
  if (!before.finished()) {
    const Counts counts = count(state, before);
    // Pods that are gone by now were counted before.
    now.succeeded = std::max(before.succeeded, counts.succeeded);
    now.failed = std::max(before.failed, counts.failed);
    step(reconciler, counts, now);
  }
  const Counts after = count(state, before);
  now.active = static_cast<int32_t>(after.running.size());
  now.ready_pods = after.ready;
  if (now.finished() && now.ttl_after_finished) {
    const api::Condition* end = api::find_condition(now.conditions, "Failed");
    const Instant ended = now.completed_at ? *now.completed_at
                          : end != nullptr ? end->changed
                                           : reconciler.context.now;
    const Duration left = ended + *now.ttl_after_finished - reconciler.context.now;
    if (left <= Duration{}) return reconciler.remove(Kind::kJob, key);
    reconciler.again(Kind::kJob, key, left);
  }
  const auto status = [](const api::Job& j) {
    return std::tie(j.active, j.ready_pods, j.succeeded, j.failed, j.started_at, j.completed_at,
                    j.conditions);
  };
  if (status(now) != status(before)) state.put(std::move(now));
}

}  // namespace windlass::sim::apps

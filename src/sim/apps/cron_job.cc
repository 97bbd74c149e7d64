// The CronJob controller: a Job at each time its schedule names, as far as the one before lets it;
// finished ones are cleared away beyond the history limits.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "sim/apps/cron_schedule.h"
#include "sim/apps/reconciler.h"

namespace windlass::sim::apps {
namespace {

using cluster::Kind;

constexpr const char* kScheduledAt = "batch.kubernetes.io/cronjob-scheduled-timestamp";

std::vector<api::Job> jobs_of(const cluster::State& state, const api::CronJob& cron_job) {
  std::vector<api::Job> jobs;
  for (const auto& [key, job] : state.jobs()) {
    const api::OwnerReference* owner = controller_of(job.meta);
    if (owner != nullptr && owner->uid == cron_job.meta.uid) jobs.push_back(job);
  }
  return jobs;
}

// The oldest beyond the limits go.
void clean_history(const Reconciler& reconciler, const api::CronJob& cron_job,
                   std::vector<api::Job> jobs) {
  std::sort(jobs.begin(), jobs.end(), [](const api::Job& a, const api::Job& b) {
    return std::tuple(a.started_at.value_or(kNever), a.meta.name) <
           std::tuple(b.started_at.value_or(kNever), b.meta.name);
  });
  for (const bool failed : {false, true}) {
    std::vector<std::string> done;
    for (const api::Job& job : jobs) {
      const bool counts = job.finished() && api::is_true(job.conditions, "Failed") == failed;
      if (counts) done.push_back(job.meta.key());
    }
    const auto limit =
        static_cast<size_t>(failed ? cron_job.failed_limit : cron_job.successful_limit);
    for (size_t i = 0; i + limit < done.size(); ++i) reconciler.remove(Kind::kJob, done[i]);
  }
}

// What the Jobs say of the status.
void look(const std::vector<api::Job>& jobs, api::CronJob& now) {
  now.active.clear();
  for (const api::Job& job : jobs) {
    if (!job.finished()) now.active.push_back({job.meta.name, job.meta.uid});
    if (job.completed_at && (!now.last_success || *now.last_success < *job.completed_at)) {
      now.last_success = job.completed_at;
    }
  }
}

// The map at `key`, made where there is none.
Json& map_at(Json& parent, const std::string& key) {
  Json& child = parent[key];
  if (!child.is_object()) child = Json::object();
  return child;
}

// Jobs are named by the minute they were due, so that none is made twice.
std::string job_name(const api::CronJob& cron_job, Instant due) {
  return fmt::format("{}-{}", cron_job.meta.name, due.ns / 60'000'000'000);
}

Result<api::Object> job_from_template(const Reconciler& reconciler, const api::CronJob& cron_job,
                                      Instant due) {
  const Json object = api::encode(cron_job);
  Json job = object.at("spec").at("jobTemplate");  // read_cron_job() has seen both
  job["apiVersion"] = "batch/v1";
  job["kind"] = "Job";
  Json& meta = map_at(job, "metadata");
  const std::string name = job_name(cron_job, due);
  const std::string uid = reconciler.api.new_uid("job", name);
  meta["name"] = name;
  meta["namespace"] = cron_job.meta.namespace_name;
  meta["uid"] = uid;
  meta["generation"] = 1;
  meta["creationTimestamp"] = to_rfc3339(reconciler.context.now);
  map_at(meta, "annotations")[kScheduledAt] = to_rfc3339(due);
  meta["ownerReferences"] = Json::array({{{"apiVersion", "batch/v1"},
                                          {"kind", "CronJob"},
                                          {"name", cron_job.meta.name},
                                          {"uid", cron_job.meta.uid},
                                          {"controller", true},
                                          {"blockOwnerDeletion", true}}});
  Json& spec = map_at(job, "spec");
  spec["selector"] = {{"matchLabels", {{"batch.kubernetes.io/controller-uid", uid}}}};
  Json& labels = map_at(map_at(map_at(spec, "template"), "metadata"), "labels");
  for (const char* prefix : {"", "batch.kubernetes.io/"}) {
    labels[std::string(prefix) + "controller-uid"] = uid;
    labels[std::string(prefix) + "job-name"] = name;
  }
  return api::decode(job);
}

// Makes the Job that is due, if there is one and nothing is in its way.
void start_due(const Reconciler& reconciler, const JobSchedule& schedule,
               const std::vector<api::Job>& jobs, api::CronJob& now) {
  const Instant at = reconciler.context.now;
  Instant earliest = now.last_schedule.value_or(now.meta.created);
  if (now.starting_deadline) earliest = std::max(earliest, at - *now.starting_deadline);
  const std::optional<Instant> due = schedule.last(earliest, at);
  if (!due) return;
  if (now.starting_deadline && *due + *now.starting_deadline < at) return;
  const std::string name = job_name(now, *due);
  const std::string key = now.meta.namespace_name + "/" + name;
  if (reconciler.context.state.jobs().find(key) != nullptr) return;
  if (!now.active.empty() && now.concurrency == api::CronJob::Concurrency::kForbid) return;
  if (now.concurrency == api::CronJob::Concurrency::kReplace) {
    for (const api::Job& job : jobs) {
      if (!job.finished()) reconciler.remove(Kind::kJob, job.meta.key());
    }
    now.active.clear();
  }
  Result<api::Object> job = job_from_template(reconciler, now, *due);
  if (!job.ok()) {
    log::warning(fmt::format("CronJob {}: {}", now.meta.key(), job.error().message()));
    return;
  }
  now.active.push_back({name, api::meta_of(*job).uid});
  now.last_schedule = *due;
  reconciler.context.state.put(*std::move(job));
}

}  // namespace

void sync_cron_job(const Reconciler& reconciler, const std::string& key) {
  cluster::State& state = reconciler.context.state;
  const api::CronJob* found = state.cron_jobs().find(key);
  if (found == nullptr || found->meta.deleted) return;
  const api::CronJob before = *found;
  clean_history(reconciler, before, jobs_of(state, before));
  const std::vector<api::Job> jobs = jobs_of(state, before);
  api::CronJob now = before;
  look(jobs, now);
  const Result<JobSchedule> schedule = JobSchedule::parse(before.schedule, before.time_zone);
  if (schedule.ok() && !before.suspended) {
    start_due(reconciler, *schedule, jobs, now);
    const Instant at = reconciler.context.now;
    if (const auto next = schedule->next(at)) reconciler.again(Kind::kCronJob, key, *next - at);
  }
  const auto status = [](const api::CronJob& c) {
    return std::tie(c.active, c.last_schedule, c.last_success);
  };
  if (status(now) != status(before)) state.put(std::move(now));
}

}  // namespace windlass::sim::apps

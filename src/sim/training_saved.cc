// Jobs go on from their last checkpoint, as after any other end of their pod.
#include <cmath>

#include <nlohmann/json.hpp>

#include "api/json_reader.h"
#include "sim/saved.h"
#include "sim/training.h"

namespace windlass::sim {

void Training::save(SavedParts& parts) const {
  std::map<std::string, double> safe;  // reference GPU-seconds of the present runs
  const auto& interval = context_.scenario.training.checkpoint_interval;
  for (const auto& [pod, run] : running_) {
    if (!interval) break;
    const double elapsed = (context_.now - run.since).seconds();
    safe[run.job] = std::floor(elapsed / interval->seconds()) * interval->seconds() * run.rate;
  }
  for (const auto& [key, job] : jobs_) {
    const std::string name = kJobPart + key;
    if (job.done && parts.settled(name)) continue;
    const auto more = safe.find(key);
    parts.set(name,
              {{"submitted", job.submitted.ns},
               {"started", job.started},
               {"done", job.done},
               {"doneGpuSeconds", job.done_gpu_s + (more == safe.end() ? 0.0 : more->second)}});
    if (job.done) parts.settle(name);
  }
}

Json Training::totals() const {
  return {{"busyGpuSeconds", busy_gpu_seconds()},
          {"waitSeconds", wait_sum_s_},
          {"redoneGpuSeconds", redone_gpu_s_},
          {"submitted", submitted_},
          {"started", started_},
          {"completed", completed_}};
}

Status Training::read(const std::map<std::string, Json>& saved, const Json& totals) {
  std::map<std::string, const JobSpec*> specs;
  for (const JobSpec& spec : context_.scenario.training.jobs) {
    specs[spec.namespace_name + "/" + spec.name] = &spec;
  }
  api::ReadLog log;
  for (auto it = saved.lower_bound(kJobPart); it != saved.end() && it->first.starts_with(kJobPart);
       ++it) {
    const std::string key = it->first.substr(std::string(kJobPart).size());
    const auto spec = specs.find(key);
    if (spec == specs.end()) continue;  // the scenario's file was changed
    api::Reader root(it->second, it->first, log);
    Progress& job = jobs_[key];
    job.spec = spec->second;
    job.submitted = read_instant(root.at("submitted").must()).value_or(context_.now);
    job.started = root.at("started").boolean().value_or(false);
    job.done = root.at("done").boolean().value_or(false);
    job.done_gpu_s = root.at("doneGpuSeconds").number(0, 1e18).value_or(0);
  }
  api::Reader root(totals, "totals.training", log);
  busy_gpu_seconds_ = root.at("busyGpuSeconds").number(0, 1e18).value_or(0);
  wait_sum_s_ = root.at("waitSeconds").number(0, 1e18).value_or(0);
  redone_gpu_s_ = root.at("redoneGpuSeconds").number(0, 1e18).value_or(0);
  submitted_ = root.at("submitted").int32(0, INT32_MAX).value_or(0);
  started_ = root.at("started").int32(0, INT32_MAX).value_or(0);
  completed_ = root.at("completed").int32(0, INT32_MAX).value_or(0);
  if (!log.errors.empty()) return Error(log.joined_errors());
  return {};
}

}  // namespace windlass::sim

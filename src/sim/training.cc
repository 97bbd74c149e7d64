#include "sim/training.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace windlass::sim {
namespace {

// On a pod or its Job: how long the program runs, and how it ends.
constexpr const char* kRunSeconds = "windlass.dev/run-seconds";
constexpr const char* kExitCode = "windlass.dev/exit-code";
constexpr int64_t kDefaultRun = 60;
constexpr int64_t kLongestRun = 365LL * 86400;

std::optional<int64_t> number_of(const api::Pod& pod, const api::Job* job, const char* key) {
  for (const api::ObjectMeta* meta : {&pod.meta, job == nullptr ? nullptr : &job->meta}) {
    if (meta == nullptr) continue;
    const auto it = meta->annotations.find(key);
    if (it == meta->annotations.end()) continue;
    if (const auto value = parse_int(it->second); value.ok()) return *value;
  }
  return std::nullopt;
}

}  // namespace

Training::Training(Context& context) : context_(context) {}

void Training::plan() {
  for (const JobSpec& spec : context_.scenario.training.jobs) {
    if (jobs_.contains(spec.namespace_name + "/" + spec.name)) continue;  // before a restart
    context_.events.at(context_.scenario.start + spec.arrival, [this, &spec] { submit(spec); });
  }
}

void Training::submit(const JobSpec& spec) {
  const TrainingSpec& training = context_.scenario.training;
  api::Job job;
  job.meta.name = spec.name;
  job.meta.namespace_name = spec.namespace_name;
  job.meta.uid = context_.new_uid("job", job.meta.key());
  job.meta.created = context_.now;
  api::PodSpec& pod = job.pod_template.spec;
  api::Container container;
  container.name = "train";
  container.image = training.image;
  container.requests = spec.requests;
  container.requests.set(api::kNvidiaGpu, int64_t{spec.gpus} * 1000);
  container.limits.set(api::kNvidiaGpu, int64_t{spec.gpus} * 1000);
  pod.containers.push_back(std::move(container));
  pod.priority_class = spec.priority_class;
  pod.node_selector = training.node_selector;
  pod.tolerations = training.tolerations;
  jobs_[job.meta.key()] = {&spec, context_.now, false, false, 0};
  ++submitted_;
  context_.note("submit", job.meta.key());
  context_.state.put(std::move(job));
}

void Training::pod_ready(const api::Pod& pod) {
  const auto owner = std::find_if(pod.meta.owners.begin(), pod.meta.owners.end(),
                                  [](const auto& o) { return o.kind == "Job"; });
  if (owner == pod.meta.owners.end()) {
    if (context_.served && number_of(pod, nullptr, kRunSeconds)) run_plain(pod, nullptr);
    return;
  }
  const std::string job = pod.meta.namespace_name + "/" + owner->name;
  const auto it = jobs_.find(job);
  if (it == jobs_.end()) {  // a Job of the manifests: no work is declared for it
    if (context_.served) run_plain(pod, context_.state.jobs().find(job));
    return;
  }
  Progress& progress = it->second;
  if (!progress.started) {
    progress.started = true;
    ++started_;
    wait_sum_s_ += (context_.now - progress.submitted).seconds();
  }
  // Speed by dense fp16 peak against the reference GPU: training is compute-bound.
  const catalog::GpuCard* reference = catalog::find_gpu(context_.scenario.training.reference_gpu);
  const api::Node& node = context_.state.nodes().at(pod.spec.node_name);
  const auto label = node.meta.labels.find(api::kInstanceTypeLabel);
  const catalog::InstanceType* type =
      label == node.meta.labels.end() ? nullptr : context_.state.catalog().find(label->second);
  const catalog::GpuCard* gpu = type == nullptr ? nullptr : catalog::gpu_of(*type);
  const double speed = reference != nullptr && gpu != nullptr
                           ? gpu->dense_fp16_tflops / reference->dense_fp16_tflops
                           : 1;
  const Run run{job, context_.now, speed * progress.spec->gpus, progress.spec->gpus};
  const double left = progress.spec->work_gpu_s - progress.done_gpu_s;
  running_[pod.meta.key()] = run;
  context_.after(from_seconds(left / run.rate), [this, key = pod.meta.key(), since = context_.now] {
    const auto mine = running_.find(key);
    if (mine == running_.end() || mine->second.since != since) return;
    Progress& finished = jobs_.at(mine->second.job);
    finished.done = true;
    finished.done_gpu_s = finished.spec->work_gpu_s;
    busy_gpu_seconds_ += (context_.now - since).seconds() * mine->second.gpus;
    running_.erase(mine);
    ++completed_;
    on_done(key, true);
  });
}

void Training::run_plain(const api::Pod& pod, const api::Job* job) {
  const int64_t length =
      std::clamp<int64_t>(number_of(pod, job, kRunSeconds).value_or(kDefaultRun), 0, kLongestRun);
  const bool succeeds = number_of(pod, job, kExitCode).value_or(0) == 0;
  plain_.insert(pod.meta.key());
  // After a restart the pod has run for a while.
  const Instant end = std::max(pod.ready_at.value_or(context_.now) + seconds(length), context_.now);
  context_.events.at(end, [this, key = pod.meta.key(), uid = pod.meta.uid, succeeds] {
    const api::Pod* ended = context_.state.pods().find(key);
    const bool runs = ended != nullptr && ended->meta.uid == uid && plain_.contains(key);
    if (!runs || ended->terminal() || ended->meta.deleted) return;
    plain_.erase(key);
    on_done(key, succeeds);
  });
}

bool Training::pod_stops(const std::string& pod) {
  if (plain_.erase(pod) > 0) return true;
  const auto it = running_.find(pod);
  if (it == running_.end()) return false;
  const Run run = it->second;
  running_.erase(it);
  Progress& progress = jobs_.at(run.job);
  const double elapsed = (context_.now - run.since).seconds();
  busy_gpu_seconds_ += elapsed * run.gpus;
  double kept_s = 0;
  if (const auto& interval = context_.scenario.training.checkpoint_interval) {
    kept_s = std::floor(elapsed / interval->seconds()) * interval->seconds();
  }
  progress.done_gpu_s += kept_s * run.rate;
  redone_gpu_s_ += (elapsed - kept_s) * run.rate;
  return true;
}

double Training::busy_gpu_seconds() const {
  double sum = busy_gpu_seconds_;
  for (const auto& [pod, run] : running_) {
    sum += (context_.now - run.since).seconds() * run.gpus;
  }
  return sum;
}

}  // namespace windlass::sim

// Training jobs on the cluster: a pod works at its GPUs' speed; killed work since the last
// checkpoint is done again. Of a Job that the scenario declares no work for nobody knows how long
// it would run; in a served world its pods end after a minute, or as their annotations say.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "sim/context.h"
#include "sim/saved.h"

namespace windlass::sim {

class Training {
 public:
  explicit Training(Context& context);

  // Set by the world: the pod has done its job's work, or its program ended with an error.
  std::function<void(const std::string& pod, bool succeeded)> on_done;

  // Puts the scenario's jobs in the queue of events.
  void plan();
  // For a restart (training_saved.cc).
  void save(SavedParts& parts) const;
  [[nodiscard]] Json totals() const;
  Status read(const std::map<std::string, Json>& saved, const Json& totals);
  void pod_ready(const api::Pod& pod);
  // The pod stops working now, done or not. True if it was at work.
  bool pod_stops(const std::string& pod);

  // GPU time at work so far.
  [[nodiscard]] double busy_gpu_seconds() const;
  // The pod is at work now.
  [[nodiscard]] bool working(const std::string& pod) const {
    return running_.contains(pod) || plain_.contains(pod);
  }
  [[nodiscard]] int submitted() const { return submitted_; }
  [[nodiscard]] int started() const { return started_; }
  [[nodiscard]] int completed() const { return completed_; }
  [[nodiscard]] int running() const { return static_cast<int>(running_.size()); }
  [[nodiscard]] double wait_sum_s() const { return wait_sum_s_; }
  // Work thrown away, in reference GPU-seconds.
  [[nodiscard]] double redone_gpu_s() const { return redone_gpu_s_; }

 private:
  struct Progress {
    const JobSpec* spec = nullptr;
    Instant submitted{};
    bool started = false;
    bool done = false;
    double done_gpu_s = 0;  // safe in a checkpoint
  };
  struct Run {
    std::string job;
    Instant since{};
    double rate = 0;  // reference GPU-seconds a second
    int gpus = 1;
  };
  void submit(const JobSpec& spec);
  void run_plain(const api::Pod& pod, const api::Job* job);

  Context& context_;
  std::map<std::string, Progress> jobs_;  // by job key
  std::map<std::string, Run> running_;    // by pod
  std::set<std::string> plain_;           // pods of no declared work that will end by themselves
  double busy_gpu_seconds_ = 0;
  double wait_sum_s_ = 0;
  double redone_gpu_s_ = 0;
  int submitted_ = 0;
  int started_ = 0;
  int completed_ = 0;
};

}  // namespace windlass::sim

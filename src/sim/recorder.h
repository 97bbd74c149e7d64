// Keeps what a run came to: chart points, the three clocks, node records; and checks the books.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/cloud.h"
#include "sim/context.h"
#include "sim/inference_plane.h"
#include "sim/kubelet.h"
#include "sim/run_result.h"
#include "sim/training.h"

namespace windlass::sim {

class Recorder {
 public:
  Recorder(Context& context, const Cloud& cloud, const Kubelets& kubelets,
           InferencePlane& inference, const Training& training)
      : context_(context),
        cloud_(cloud),
        kubelets_(kubelets),
        inference_(inference),
        training_(training) {}

  // Samples at the end of every sample period, from now on.
  void start();
  // The pod and first-token clocks of a node are those of the first pod with a GPU bound to it: a
  // later pod's start says nothing about the node's.
  void pod_bound(const api::Pod& pod);
  void pod_ready(const api::Pod& pod);
  // The pod came, went or changed.
  void pod_changed(const std::string& key);
  // Looks which servers have answered their first request since the last look.
  void note_first_tokens();

  // For a restart: GPU time requested by bound pods so far.
  [[nodiscard]] double allocated_gpu_s() const {
    return allocated_gpu_s_ + allocated_now_ * (context_.now - allocated_at_).seconds();
  }
  void set_allocated_gpu_s(double gpu_s) { allocated_gpu_s_ = gpu_s; }

  // The result so far. Asserts that no request is lost, that Little's law holds and that the two
  // ways to the bill agree.
  [[nodiscard]] RunResult result(controllers::Policy policy, bool partial);

 private:
  void sample_again();
  void sample();
  void accrue_allocation();
  [[nodiscard]] const Instance* instance_of_node(const std::string& node) const;
  void fill_clocks(RunResult& result) const;
  void fill_nodes(RunResult& result) const;
  void fill_requests(RunResult& result) const;
  void check_books(const RunResult& result) const;

  Context& context_;
  const Cloud& cloud_;
  const Kubelets& kubelets_;
  InferencePlane& inference_;
  const Training& training_;
  std::vector<ChartPoint> chart_;
  double busy_before_ = 0;
  double paid_before_ = 0;
  double allocated_gpu_s_ = 0;
  Instant allocated_at_{};
  double allocated_now_ = 0;                // GPUs requested by bound pods: the sum of
  std::map<std::string, int64_t> gpus_of_;  // those with any, by pod
  struct FirstPod {
    std::string key;
    std::optional<Instant> ready;
    std::optional<Instant> first_token;
  };
  std::map<std::string, FirstPod> first_pods_;    // by node
  std::map<std::string, Instant> claim_created_;  // by node
};

// Exact quantile by the nearest-rank rule (the smallest value with at least q of all at or below);
// NaN of nothing.
double quantile(std::vector<float> values, double q);

}  // namespace windlass::sim

// What `windlass replay` asks a Prometheus for: one table, with defaults for vLLM, Triton, TGI,
// KEDA, DCGM, Karpenter and kube-state-metrics (names: docs/reference/replay.md).
#pragma once

#include <string>
#include <vector>

#include "cli/replay_series.h"

namespace windlass::cli {

enum class ReplayTopic {
  kScrapeCount,  // samples an hour: how often it is scraped
  kRate,         // requests a second, a series a model
  kWaiting,      // requests waiting, a series a model
  kInputMean,    // tokens
  kInputP95,
  kOutputMean,
  kOutputP95,
  kGpus,            // GPUs that DCGM sees
  kGpuUtilization,  // 0 to 1
  kKeda,            // values of scaled objects' triggers
  kNodeCreated,     // Unix time, a series a node
  kNodeReady,       // 1 while it is Ready
  kNodeGpus,        // while its GPUs are allocatable
  kNodeTypes,       // nodes by instance type, capacity type and pool
  kReplicas,        // ready replicas, a series a Deployment
  kPodCreated,      // Unix times, a series a pod
  kPodScheduled,
  kPodStarted,
  kPodReady,
};

struct ReplayQuery {
  ReplayTopic topic{};
  std::string name;  // for messages and progress: "vLLM request rate"
  std::string query;
  int64_t step = 60;  // at least; the asked step where that is greater
  std::string model;  // of --rate-query and its like: all series are this model's
};

// A query the user gave for a model: MODEL=PROMQL.
struct ModelQuery {
  std::string model;
  std::string query;
};

struct ReplayQueryOptions {
  int64_t step = 60;
  int64_t rate_window = 60;  // of rate(), seconds
  std::vector<ModelQuery> rates, inputs, outputs;
  // "namespace/name" of the models' Deployments: pods and replicas are asked of them alone.
  std::vector<std::string> deployments;
};

// How often requests' counters are scraped: asked first, since rate() needs two samples.
ReplayQuery scrape_query();
// All others. A model's own query takes the place of the defaults for that model, in `kRate` and in
// the lengths; what the defaults find of it is to be left out.
std::vector<ReplayQuery> replay_queries(const ReplayQueryOptions& options);

// The model a series of `kRate`, `kWaiting` or a length is of: the query's own, or by its labels
// model_name (vLLM), model (Triton), job (TGI, which has no label for it).
std::string model_of(const ReplayQuery& query, const RangeSeries& series);

}  // namespace windlass::cli

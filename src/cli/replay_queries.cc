#include "cli/replay_queries.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"

namespace windlass::cli {
namespace {

// What changes slowly is asked at every tenth minute.
constexpr int64_t kSlowStep = 600;

using Topic = ReplayTopic;

// A server's way to name its requests.
struct Server {
  const char* name;
  const char* label;  // of the model
  const char* requests;
  const char* waiting;
  const char* input;  // histograms; null: it has none
  const char* output;
};
constexpr Server kServers[] = {
    {"vLLM", "model_name", "vllm:request_success_total", "vllm:num_requests_waiting",
     "vllm:request_prompt_tokens", "vllm:request_generation_tokens"},
    {"Triton", "model", "nv_inference_request_success", "nv_inference_pending_request_count",
     nullptr, nullptr},
    {"TGI", "job", "tgi_request_count", "tgi_queue_size", "tgi_request_input_length",
     "tgi_request_generated_tokens"},
};

std::string mean_query(const Server& server, const char* histogram, int64_t window) {
  return fmt::format("sum by ({0}) (rate({1}_sum[{2}s])) / sum by ({0}) (rate({1}_count[{2}s]))",
                     server.label, histogram, window);
}
std::string p95_query(const Server& server, const char* histogram, int64_t window) {
  return fmt::format("histogram_quantile(0.95, sum by ({}, le) (rate({}_bucket[{}s])))",
                     server.label, histogram, window);
}

void add_servers(const ReplayQueryOptions& options, std::vector<ReplayQuery>& out) {
  const int64_t window = options.rate_window;
  const int64_t long_window = std::max(window, kSlowStep);
  for (const Server& server : kServers) {
    out.push_back(
        {Topic::kRate, fmt::format("{} request rate", server.name),
         fmt::format("sum by ({}) (rate({}[{}s]))", server.label, server.requests, window),
         options.step, ""});
    out.push_back({Topic::kWaiting, fmt::format("{} queue", server.name),
                   fmt::format("sum by ({}) ({})", server.label, server.waiting), options.step,
                   ""});
    if (server.input == nullptr) continue;
    const auto add = [&](Topic topic, const char* what, std::string query) {
      out.push_back(
          {topic, fmt::format("{} {}", server.name, what), std::move(query), kSlowStep, ""});
    };
    add(Topic::kInputMean, "input tokens", mean_query(server, server.input, long_window));
    add(Topic::kInputP95, "input tokens, P95", p95_query(server, server.input, long_window));
    add(Topic::kOutputMean, "output tokens", mean_query(server, server.output, long_window));
    add(Topic::kOutputP95, "output tokens, P95", p95_query(server, server.output, long_window));
  }
}

void add_own(const ReplayQueryOptions& options, std::vector<ReplayQuery>& out) {
  const auto add = [&](const std::vector<ModelQuery>& own, Topic topic, const char* what,
                       int64_t step) {
    for (const ModelQuery& query : own) {
      out.push_back(
          {topic, fmt::format("{} of {}", what, query.model), query.query, step, query.model});
    }
  };
  add(options.rates, Topic::kRate, "request rate", options.step);
  add(options.inputs, Topic::kInputMean, "input tokens", kSlowStep);
  add(options.outputs, Topic::kOutputMean, "output tokens", kSlowStep);
}

void add_nodes(int64_t step, std::vector<ReplayQuery>& out) {
  out.push_back({Topic::kGpus, "GPUs (DCGM)", "count(DCGM_FI_DEV_GPU_UTIL)", kSlowStep, ""});
  out.push_back({Topic::kGpuUtilization, "GPU utilization (DCGM)",
                 "avg(DCGM_FI_PROF_GR_ENGINE_ACTIVE) or avg(DCGM_FI_DEV_GPU_UTIL) / 100", kSlowStep,
                 ""});
  out.push_back({Topic::kKeda, "KEDA's metrics",
                 "max by (exported_namespace, namespace, scaledObject, scaler, metric) "
                 "(keda_scaler_metrics_value)",
                 kSlowStep, ""});
  out.push_back({Topic::kNodeCreated, "nodes' creation (kube-state-metrics)",
                 "min by (node) (last_over_time(kube_node_created[10m]))", kSlowStep, ""});
  // When they become Ready shows only in when the series says so: as finely as is asked.
  out.push_back({Topic::kNodeReady, "nodes' readiness (kube-state-metrics)",
                 "max by (node) (kube_node_status_condition{condition=\"Ready\",status=\"true\"}) "
                 "== 1",
                 step, ""});
  out.push_back({Topic::kNodeGpus, "nodes' GPUs (kube-state-metrics)",
                 "max by (node) (kube_node_status_allocatable{resource=\"nvidia_com_gpu\"}) > 0",
                 step, ""});
  out.push_back(
      {Topic::kNodeTypes, "nodes' types (Karpenter)",
       "count by (instance_type, capacity_type, nodepool) "
       "(karpenter_nodes_allocatable{resource_type=~\"nvidia.com/gpu|nvidia_com_gpu\"} > 0)",
       kSlowStep, ""});
}

// A literal for use within a PromQL regular expression in quotes: "a.b" is "a\\.b".
std::string regex_literal(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view(".+*?()[]{}|^$\\").find(c) != std::string_view::npos) out += "\\\\";
    if (c == '"') continue;  // in no name
    out += c;
  }
  return out;
}

void add_pods(const ReplayQueryOptions& options, std::vector<ReplayQuery>& out) {
  std::set<std::string> spaces;
  std::vector<std::string> names;
  for (const std::string& deployment : options.deployments) {
    const size_t slash = deployment.find('/');
    if (slash != deployment.npos) spaces.insert(regex_literal(deployment.substr(0, slash)));
    names.push_back(
        regex_literal(slash == deployment.npos ? deployment : deployment.substr(slash + 1)));
  }
  if (names.empty()) return;
  const std::string space =
      spaces.empty() ? ""
                     : fmt::format("namespace=~\"{}\",", join({spaces.begin(), spaces.end()}, "|"));
  const std::string all = join(names, "|");
  out.push_back({Topic::kReplicas, "ready replicas (kube-state-metrics)",
                 fmt::format("max by (namespace, deployment) "
                             "(kube_deployment_status_replicas_ready{{{}deployment=~\"{}\"}})",
                             space, all),
                 kSlowStep / 2, ""});
  const auto add = [&](Topic topic, const char* what, const char* metric) {
    // Over the time since the last point, so that pods that live shortly are seen, too.
    out.push_back(
        {topic, fmt::format("pods' {} (kube-state-metrics)", what),
         fmt::format("min by (namespace, pod) (min_over_time({}{{{}pod=~\"({})-.*\"}}[{}s]))",
                     metric, space, all, kSlowStep),
         kSlowStep, ""});
  };
  add(Topic::kPodCreated, "creation", "kube_pod_created");
  add(Topic::kPodScheduled, "binding", "kube_pod_status_scheduled_time");
  add(Topic::kPodStarted, "start", "kube_pod_container_state_started");
  add(Topic::kPodReady, "readiness", "kube_pod_status_ready_time");
}

}  // namespace

ReplayQuery scrape_query() {
  std::vector<std::string> counts;
  for (const Server& server : kServers) {
    counts.push_back(fmt::format("max(count_over_time({}[1h]))", server.requests));
  }
  return {Topic::kScrapeCount, "scrape interval", join(counts, " or "), 3600, ""};
}

std::vector<ReplayQuery> replay_queries(const ReplayQueryOptions& options) {
  std::vector<ReplayQuery> out;
  add_servers(options, out);
  add_own(options, out);
  add_nodes(options.step, out);
  add_pods(options, out);
  // Steps on the grid of the asked one, so that all times are.
  for (ReplayQuery& query : out) {
    query.step = std::max(query.step / options.step, int64_t{1}) * options.step;
  }
  return out;
}

std::string model_of(const ReplayQuery& query, const RangeSeries& series) {
  if (!query.model.empty()) return query.model;
  for (const char* label : {"model_name", "model", "job"}) {
    const auto it = series.labels.find(label);
    if (it != series.labels.end()) return it->second;
  }
  return "";
}

}  // namespace windlass::cli

#include "sim/exporters.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "sim/gpu_places.h"

namespace windlass::sim {
namespace {

// What a training step shows on DCGM's duty-cycle gauge.
constexpr double kTrainingUtil = 98;

prometheus::Labels pod_labels(std::string name, const api::Pod& pod) {
  return {{"__name__", std::move(name)},
          {"namespace", pod.meta.namespace_name},
          {"pod", pod.meta.name}};
}

}  // namespace

void Exporters::start() {
  scrape();
  context_.after(context_.scenario.metrics.scrape_interval, [this] { start(); });
}

void Exporters::sample(prometheus::Labels labels, double value) {
  const prometheus::SeriesId id = store_.series(labels);
  store_.append(id, context_.now, value);
  current_.insert(id);
}

void Exporters::scrape() {
  current_.clear();
  scrape_gpus();
  scrape_servers();
  for (const prometheus::SeriesId id : last_) {
    if (!current_.contains(id)) store_.mark_stale(id, context_.now);
  }
  last_ = current_;
}

// The share of the last interval in which the pod's GPUs were at work.
double Exporters::gpu_share(const std::string& pod, std::map<std::string, double>& busy) const {
  if (training_.working(pod)) return kTrainingUtil / 100;
  const auto server = inference_.servers().find(pod);
  if (server == inference_.servers().end()) return 0;
  const double now_busy = inference_.stats(server->second).busy.seconds();
  const auto before = busy_before_.find(pod);
  const double was = before == busy_before_.end() ? 0 : before->second;
  busy[pod] = now_busy;
  const double interval = context_.scenario.metrics.scrape_interval.seconds();
  return std::clamp((now_busy - was) / interval, 0.0, 1.0);
}

// DCGM exporter: a sample a GPU; those of a pod carry its labels.
void Exporters::scrape_gpus() {
  std::map<std::string, double> busy;
  shares_.clear();
  for (const auto& [name, node] : context_.state.nodes()) {
    int gpu = 0;
    for (const api::Pod* pod : gpu_holders(context_.state, node)) {
      prometheus::Labels labels = {{"__name__", ""},
                                   {"gpu", std::to_string(gpu)},
                                   {"UUID", fmt::format("GPU-{}-{}", name, gpu)},
                                   {"Hostname", name}};
      if (const auto it = node.meta.labels.find("karpenter.k8s.aws/instance-gpu-name");
          it != node.meta.labels.end()) {
        labels["modelName"] = it->second;
      }
      double share = 0;
      if (pod != nullptr) {
        const std::string key = pod->meta.key();
        const auto [known, fresh] = shares_.try_emplace(key, 0.0);
        if (fresh) known->second = gpu_share(key, busy);
        share = known->second;
        labels["namespace"] = pod->meta.namespace_name;
        labels["pod"] = pod->meta.name;
        if (!pod->spec.containers.empty()) labels["container"] = pod->spec.containers[0].name;
      }
      const double percent = share * 100;
      labels["__name__"] = "DCGM_FI_DEV_GPU_UTIL";
      sample(labels, std::round(percent));
      labels["__name__"] = "DCGM_FI_PROF_GR_ENGINE_ACTIVE";
      sample(labels, percent / 100);
      ++gpu;
    }
  }
  busy_before_ = std::move(busy);
}

double Exporters::busy_share(const std::string& pod) const {
  const auto it = shares_.find(pod);
  return it == shares_.end() ? 0 : it->second;
}

void Exporters::scrape_servers() {
  for (const auto& [key, server] : inference_.servers()) {
    const api::Pod* pod = context_.state.pods().find(key);
    if (pod == nullptr) continue;
    const ServerStats stats = inference_.stats(server);
    const std::string& model = context_.scenario.models[server.model].model.name;
    const auto put = [&](const char* name, double value) {
      prometheus::Labels labels = pod_labels(name, *pod);
      labels["model_name"] = model;
      sample(std::move(labels), value);
    };
    put("vllm:num_requests_running", stats.running);
    put("vllm:num_requests_waiting", stats.waiting);
    put("vllm:kv_cache_usage_perc", stats.kv_usage);
    put("vllm:request_success_total", static_cast<double>(stats.completed));
    put("vllm:prompt_tokens_total", static_cast<double>(stats.prompt_tokens));
    put("vllm:generation_tokens_total", static_cast<double>(stats.generation_tokens));
  }
  for (size_t i = 0; i < inference_.fleets().size(); ++i) {
    const cluster::InferenceModel& model = context_.scenario.models[i].model;
    const size_t slash = model.deployment.find('/');
    const prometheus::Labels labels = {
        {"__name__", "inference_queue_depth"},
        {"namespace", slash == std::string::npos ? "" : model.deployment.substr(0, slash)},
        {"model_name", model.name}};
    sample(labels, inference_.fleets()[i].waiting());
    prometheus::Labels offered = labels;
    offered["__name__"] = "inference_requests_total";
    sample(std::move(offered), static_cast<double>(inference_.totals(i).offered));
  }
}

cluster::QueryAnswer Exporters::answer(const controllers::QueryMetrics::Query& query) {
  if (foreign_answer) {
    cluster::QueryAnswer told = foreign_answer(query, context_.now);
    told.trigger = query.trigger;
    return told;
  }
  cluster::QueryAnswer answer;
  answer.trigger = query.trigger;
  if (context_.now < outage_until_) {
    answer.error = "connection refused";
    return answer;
  }
  const Duration at = context_.now - context_.scenario.start;
  for (const auto& [from, until] : context_.scenario.metrics.outages) {
    if (at >= from && at < until) {
      answer.error = "connection refused";
      return answer;
    }
  }
  if (query.query.empty()) {
    answer.error = "the simulation has no such source";
    return answer;
  }
  auto it = parsed_.find(query.query);
  if (it == parsed_.end()) {
    auto made = prometheus::parse_promql(query.query);
    if (!made.ok()) {
      answer.error = made.error().message();
      return answer;
    }
    it = parsed_.emplace(query.query, *made).first;
  }
  // KEDA asks for a whole second (reference keda_hpa.md 2.1).
  const Instant second{context_.now.ns / 1'000'000'000 * 1'000'000'000};
  const auto value = prometheus::evaluate(it->second, store_, second);
  if (!value.ok()) {
    answer.error = value.error().message();
  } else if (const double* scalar = std::get_if<double>(&*value)) {
    // A scalar's flat answer does not fit the trigger's struct: an error there, too.
    answer.error = fmt::format("the query gives a scalar ({:g}), not a vector", *scalar);
  } else {
    for (const auto& element : std::get<prometheus::InstantVector>(*value)) {
      answer.values.push_back(element.value);
    }
  }
  return answer;
}

void Exporters::query(const controllers::QueryMetrics& query) {
  context_.after(context_.scenario.metrics.query_latency, [this, query] {
    cluster::QueryRound round;
    round.purpose = query.purpose;
    round.id = query.round;
    round.at = context_.now;
    for (const auto& one : query.queries) round.answers.push_back(answer(one));
    context_.state.observe_query(query.scaled_object, std::move(round));
  });
}

}  // namespace windlass::sim

#include "sim/inference_plane.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace windlass::sim {
namespace {

constexpr size_t kSignalHistory = 180;  // periods of 10 s: half an hour
// Older requests count less in the mean lengths: a factor e in about 17 minutes, short enough for a
// changed mix to show and long enough for a P95 that is not noise.
constexpr double kMixDecay = 0.99;
// Fewer completions than this say too little about the lengths.
constexpr double kEnoughForMix = 100;

// The 95th percentile of a log-normal with this mean and mean square.
double log_normal_p95(double mean, double mean_square) {
  if (mean <= 0 || mean_square <= mean * mean) return mean;
  const double sigma2 = std::log(mean_square / (mean * mean));
  const double mu = std::log(mean) - sigma2 / 2;
  return std::exp(mu + 1.6448536269514722 * std::sqrt(sigma2));
}

}  // namespace

Result<InferencePlane> InferencePlane::open(Context& context) {
  InferencePlane plane(context);
  const Scenario& scenario = context.scenario;
  for (const ModelSpec& spec : scenario.models) {
    // The seed by the model's name: another model beside it changes nothing for it.
    Hash64 seed;
    seed.add(context.seed());
    seed.add(spec.model.name);
    // After a restart a generator goes on from now; a trace is read on from where it was.
    const Instant start = spec.traffic.generator ? context.now : scenario.start;
    const Duration length = scenario.start + scenario.duration - start;
    auto traffic =
        sim::Traffic::open(spec.traffic, seed.value(), start, std::max(length, Duration{}));
    if (!traffic.ok()) return traffic.error().in("traffic of model " + spec.model.name);
    FleetOptions options{spec.model.slo, spec.request_timeout, spec.max_retries, seed.value()};
    plane.fleets_.emplace_back(options, *std::move(traffic), context.now);
  }
  plane.traffic_.resize(plane.fleets_.size());
  plane.carried_.resize(plane.fleets_.size());
  return plane;
}

Status InferencePlane::advance(Instant to) {
  for (Fleet& fleet : fleets_) {
    if (Status status = fleet.advance(to); !status.ok()) return status;
  }
  return {};
}

void InferencePlane::set_traffic_factor(double factor) {
  for (Fleet& fleet : fleets_) fleet.set_traffic_factor(factor);
}

Instant InferencePlane::next_drained() const {
  Instant next = kNever;
  for (const Fleet& fleet : fleets_) next = std::min(next, fleet.next_drained());
  return next;
}

void InferencePlane::report_drained() {
  std::vector<std::string> done;
  for (const auto& [pod, server] : servers_) {
    if (server.draining && fleets_[server.model].drained(server.id)) done.push_back(pod);
  }
  for (const std::string& pod : done) on_drained(pod);
}

void InferencePlane::pod_ready(const api::Pod& pod) {
  Context& context = context_.get();
  const api::Deployment* deployment = context.state.deployment_of(pod);
  if (deployment == nullptr) return;
  const std::string deployment_key = deployment->meta.key();
  for (size_t i = 0; i < fleets_.size(); ++i) {
    const cluster::InferenceModel& model = context.scenario.models[i].model;
    if (model.deployment != deployment_key) continue;
    const api::Node& node = context.state.nodes().at(pod.spec.node_name);
    const auto label = node.meta.labels.find(api::kInstanceTypeLabel);
    const catalog::InstanceType* type =
        label == node.meta.labels.end() ? nullptr : context.state.catalog().find(label->second);
    const auto profile = type == nullptr ? std::nullopt : cluster::profile_on(model, *type);
    if (!profile) {
      // The program would crash on this GPU (out of memory): Ready in name, serving nothing.
      context.note("model does not fit", pod.meta.key());
      return;
    }
    Server server;
    server.pod = pod.meta.key();
    server.node = pod.spec.node_name;
    server.model = i;
    server.id = fleets_[i].add_server(*profile);
    server.gpus =
        static_cast<int>(api::whole_units(api::pod_requests(pod.spec).milli(api::kNvidiaGpu)));
    server.added = context.now;
    servers_[server.pod] = server;
  }
}

bool InferencePlane::pod_stops(const std::string& pod) {
  const auto it = servers_.find(pod);
  if (it == servers_.end()) return true;
  Server& server = it->second;
  fleets_[server.model].drain(server.id);
  server.draining = true;
  return fleets_[server.model].drained(server.id);
}

void InferencePlane::pod_gone(const std::string& pod) {
  const auto it = servers_.find(pod);
  if (it == servers_.end()) return;
  const Server& server = it->second;
  busy_gpu_seconds_gone_ += fleets_[server.model].stats(server.id).busy.seconds() * server.gpus;
  fleets_[server.model].remove(server.id);
  servers_.erase(it);
}

ServerStats InferencePlane::stats(const Server& server) const {
  return fleets_[server.model].stats(server.id);
}

double InferencePlane::busy_gpu_seconds() const {
  double sum = busy_gpu_seconds_gone_;
  for (const auto& [pod, server] : servers_) sum += stats(server).busy.seconds() * server.gpus;
  return sum;
}

void InferencePlane::observe_signals() {
  Context& context = context_.get();
  for (size_t i = 0; i < fleets_.size(); ++i) {
    Window window = fleets_[i].take_window();
    Traffic& traffic = traffic_[i];
    traffic.arrivals.push_back(static_cast<double>(window.arrivals));
    if (traffic.arrivals.size() > kSignalHistory) traffic.arrivals.pop_front();
    for (double* moment : {&traffic.arrived, &traffic.input_sum, &traffic.input_squares,
                           &traffic.completed, &traffic.output_sum, &traffic.output_squares}) {
      *moment *= kMixDecay;
    }
    traffic.input_sum += window.input_tokens;
    traffic.input_squares += window.input_tokens_squared;
    traffic.output_sum += window.output_tokens;
    traffic.output_squares += window.output_tokens_squared;
    traffic.arrived += static_cast<double>(window.arrivals);
    traffic.completed += static_cast<double>(window.latency_ms.size());
    cluster::ModelSignals signals;
    signals.at = context.now;
    signals.period = kSignalPeriod;
    signals.arrivals.assign(traffic.arrivals.begin(), traffic.arrivals.end());
    signals.waiting = fleets_[i].waiting();
    if (traffic.arrived > 0) {
      signals.input_mean = traffic.input_sum / traffic.arrived;
      signals.input_p95 =
          log_normal_p95(signals.input_mean, traffic.input_squares / traffic.arrived);
    }
    if (traffic.completed >= kEnoughForMix) {
      signals.output_mean = traffic.output_sum / traffic.completed;
      signals.output_p95 =
          log_normal_p95(signals.output_mean, traffic.output_squares / traffic.completed);
    }
    context.state.observe_signals(context.scenario.models[i].model.name, std::move(signals));
    window_.latency_ms.insert(window_.latency_ms.end(), window.latency_ms.begin(),
                              window.latency_ms.end());
    window_.ttft_ms.insert(window_.ttft_ms.end(), window.ttft_ms.begin(), window.ttft_ms.end());
    window_.arrivals += window.arrivals;
  }
}

Window InferencePlane::take_window() { return std::exchange(window_, {}); }

}  // namespace windlass::sim

#include "sim/recorder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

namespace windlass::sim {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

LatencySummary summarize(std::vector<float> values) {
  if (values.empty()) return {kNan, kNan, kNan, kNan};
  std::sort(values.begin(), values.end());
  const auto at = [&](double q) {
    const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(values.size())));
    return static_cast<double>(values[std::max<size_t>(rank, 1) - 1]);
  };
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  return {at(0.5), at(0.95), at(0.99), sum / static_cast<double>(values.size())};
}

ClockSummary clocks(const std::vector<float>& seconds) {
  return {quantile(seconds, 0.5), quantile(seconds, 0.95)};
}

}  // namespace

double quantile(std::vector<float> values, double q) {
  if (values.empty()) return kNan;
  const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(values.size())));
  const auto nth = values.begin() + static_cast<ptrdiff_t>(std::max<size_t>(rank, 1) - 1);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

void Recorder::start() {
  allocated_at_ = context_.now;
  busy_before_ = inference_.busy_gpu_seconds() + training_.busy_gpu_seconds();
  paid_before_ = cloud_.gpu_seconds_paid();
  sample_again();
}

void Recorder::sample_again() {
  context_.after(context_.scenario.sample_period, [this] {
    sample();
    sample_again();
  });
}

const Instance* Recorder::instance_of_node(const std::string& node) const {
  const api::Node* found = context_.state.nodes().find(node);
  if (found == nullptr) return nullptr;
  const auto it = cloud_.instances().find(found->provider_id);
  return it == cloud_.instances().end() ? nullptr : &it->second;
}

void Recorder::accrue_allocation() {
  allocated_gpu_s_ += allocated_now_ * (context_.now - allocated_at_).seconds();
  allocated_at_ = context_.now;
}

void Recorder::pod_changed(const std::string& key) {
  accrue_allocation();
  const api::Pod* pod = context_.state.pods().find(key);
  int64_t gpus = 0;
  if (pod != nullptr && !pod->spec.node_name.empty() && !pod->terminal()) {
    gpus = api::whole_units(api::pod_requests(pod->spec).milli(api::kNvidiaGpu));
  }
  const auto known = gpus_of_.find(key);
  const int64_t before = known == gpus_of_.end() ? 0 : known->second;
  if (gpus == before) return;
  allocated_now_ += static_cast<double>(gpus - before);
  if (gpus == 0) {
    gpus_of_.erase(known);
  } else {
    gpus_of_[key] = gpus;
  }
}

void Recorder::pod_bound(const api::Pod& pod) {
  if (api::pod_requests(pod.spec).milli(api::kNvidiaGpu) == 0) return;
  const std::string& node = pod.spec.node_name;
  const bool first = first_pods_.try_emplace(node, FirstPod{pod.meta.key(), {}, {}}).second;
  const Instance* instance = first ? instance_of_node(node) : nullptr;
  if (instance == nullptr) return;
  if (const api::NodeClaim* claim = context_.state.node_claims().find(instance->claim)) {
    claim_created_.emplace(node, claim->meta.created);
  }
}

void Recorder::pod_ready(const api::Pod& pod) {
  const auto it = first_pods_.find(pod.spec.node_name);
  if (it != first_pods_.end() && it->second.key == pod.meta.key()) it->second.ready = context_.now;
}

void Recorder::note_first_tokens() {
  for (const auto& [pod, server] : inference_.servers()) {
    const auto it = first_pods_.find(server.node);
    if (it == first_pods_.end() || it->second.key != pod || it->second.first_token) continue;
    it->second.first_token = inference_.stats(server).first_token;
  }
}

void Recorder::sample() {
  note_first_tokens();
  ChartPoint point;
  const double period = context_.scenario.sample_period.seconds();
  point.t_s = context_.since_start_s();
  const Window window = inference_.take_window();
  point.requests_per_s = static_cast<double>(window.arrivals) / period;
  point.latency_p50_ms = quantile(window.latency_ms, 0.5);
  point.latency_p95_ms = quantile(window.latency_ms, 0.95);
  for (const ModelSpec& spec : context_.scenario.models) {
    if (const api::Deployment* d = context_.state.deployments().find(spec.model.deployment)) {
      point.replicas_wanted += d->replicas;
    }
  }
  for (const auto& [pod, server] : inference_.servers()) {
    point.replicas_ready += server.draining ? 0 : 1;
  }
  for (const Fleet& fleet : inference_.fleets()) point.queue += fleet.waiting();
  const double busy = inference_.busy_gpu_seconds() + training_.busy_gpu_seconds();
  const double paid = cloud_.gpu_seconds_paid();
  point.gpu_busy = paid > paid_before_ ? (busy - busy_before_) / (paid - paid_before_) : 0;
  busy_before_ = busy;
  paid_before_ = paid;
  point.cost_usd = cloud_.cost_usd();
  point.jobs_running = training_.running();
  point.jobs_waiting = training_.submitted() - training_.completed() - training_.running();
  for (const auto& [id, instance] : cloud_.instances()) {
    if (instance.terminated) continue;
    point.gpus_paid += instance.type->gpu_count;
    ++point.nodes_by_type[instance.type->name + " " + instance.capacity_type];
  }
  chart_.push_back(std::move(point));
}

void Recorder::fill_clocks(RunResult& result) const {
  std::vector<float> node_ready;
  std::vector<float> pod_ready;
  std::vector<float> first_token;
  for (const auto& [id, instance] : cloud_.instances()) {
    const auto ready = kubelets_.ready_at(id);
    if (instance.claim.empty() || !ready) continue;
    const auto created = claim_created_.find(instance.node_name);
    // A claim is launched at the instant it is created, or seconds later; so the launch stands in
    // where no pod came and the claim is gone.
    const Instant from = created == claim_created_.end() ? instance.launched : created->second;
    node_ready.push_back(static_cast<float>((*ready - from).seconds()));
    const auto first = first_pods_.find(instance.node_name);
    if (first == first_pods_.end()) continue;
    const FirstPod& pod = first->second;
    if (pod.ready) pod_ready.push_back(static_cast<float>((*pod.ready - from).seconds()));
    if (pod.first_token) {
      first_token.push_back(static_cast<float>((*pod.first_token - from).seconds()));
    }
  }
  result.provisioning_s.node_ready = clocks(node_ready);
  result.provisioning_s.pod_ready = clocks(pod_ready);
  result.provisioning_s.first_token = clocks(first_token);
}

void Recorder::fill_nodes(RunResult& result) const {
  const auto since = [&](Instant t) { return (t - context_.scenario.start).seconds(); };
  for (const auto& [id, instance] : cloud_.instances()) {
    NodeRecord record;
    record.name = instance.node_name;
    record.instance_type = instance.type->name;
    record.capacity_type = instance.capacity_type;
    record.zone = instance.zone;
    record.claim = instance.claim;
    record.launched_s = since(instance.launched);
    if (const auto ready = kubelets_.ready_at(id)) record.node_ready_s = since(*ready);
    const Instant end = instance.terminated.value_or(context_.now);
    if (instance.terminated) record.terminated_s = since(end);
    Duration life = end - instance.launched;
    if (instance.terminated) life = std::max(life, seconds(60));
    record.usd_per_hour = instance.usd_per_hour;
    record.cost_usd = instance.usd_per_hour * life.hours();
    record.gpus = instance.type->gpu_count;
    record.end_reason = instance.end_reason;
    ++result.nodes.launched;
    ++result.nodes.by_type[record.instance_type];
    if (instance.terminated) ++result.nodes.terminated;
    result.node_records.push_back(std::move(record));
  }
  std::stable_sort(result.node_records.begin(), result.node_records.end(),
                   [](const auto& a, const auto& b) { return a.launched_s < b.launched_s; });
  result.nodes.peak = cloud_.peak();
  result.nodes.spot_interrupted = cloud_.interrupted();
  result.nodes.insufficient_capacity = cloud_.refused();
}

void Recorder::fill_requests(RunResult& result) const {
  std::vector<float> latencies;
  std::vector<float> ttfts;
  uint64_t met = 0;
  for (size_t i = 0; i < inference_.fleets().size(); ++i) {
    const Fleet& fleet = inference_.fleets()[i];
    const FleetTotals totals = inference_.totals(i);
    result.requests.offered += totals.offered;
    result.requests.completed += totals.completed;
    result.requests.failed += totals.failed;
    result.requests.retried += totals.retried;
    result.requests.unfinished += totals.in_system;
    met += totals.slo_met;
    latencies.insert(latencies.end(), fleet.latencies_ms().begin(), fleet.latencies_ms().end());
    ttfts.insert(ttfts.end(), fleet.ttfts_ms().begin(), fleet.ttfts_ms().end());
  }
  result.latency_ms = summarize(std::move(latencies));
  result.ttft_ms = summarize(std::move(ttfts));
  result.slo_attainment =
      result.requests.offered == 0
          ? kNan
          : static_cast<double>(met) / static_cast<double>(result.requests.offered);
  if (!context_.scenario.models.empty()) {
    result.slo_ms = context_.scenario.models.front().model.slo.millis();
  }
}

void Recorder::check_books(const RunResult& result) const {
  const auto& requests = result.requests;
  WL_ASSERT(requests.offered == requests.completed + requests.failed + requests.unfinished);
  for (const Fleet& fleet : inference_.fleets()) {
    const double number = fleet.number_integral();
    const double time = fleet.time_in_system_sum();
    WL_ASSERT(std::abs(number - time) <= 1e-9 * std::max(1.0, time));
  }
  const double integrated = cloud_.integrated_cost_usd();
  WL_ASSERT(std::abs(integrated - result.cost_usd) <= 1e-6 * std::max(1.0, integrated));
}

RunResult Recorder::result(controllers::Policy policy, bool partial) {
  note_first_tokens();
  accrue_allocation();
  RunResult result;
  result.policy = std::string(controllers::to_string(policy));
  result.partial = partial;
  result.simulated_s = context_.since_start_s();
  result.cost_usd = cloud_.cost_usd();
  const double paid = cloud_.gpu_seconds_paid();
  result.gpu_hours_paid = paid / 3600;
  if (paid > 0) {
    result.gpu_utilization = (inference_.busy_gpu_seconds() + training_.busy_gpu_seconds()) / paid;
    result.gpu_allocation = allocated_gpu_s_ / paid;
  }
  fill_requests(result);
  fill_clocks(result);
  fill_nodes(result);
  result.jobs.submitted = training_.submitted();
  result.jobs.completed = training_.completed();
  result.jobs.mean_wait_s =
      training_.started() == 0 ? kNan : training_.wait_sum_s() / training_.started();
  result.jobs.redone_gpu_s = training_.redone_gpu_s();
  Hash64 hash = context_.hash;
  for (const Fleet& fleet : inference_.fleets()) hash.add(fleet.hash().value());
  hash.add(result.cost_usd);
  result.run_hash = hash.hex();
  result.sample_period = context_.scenario.sample_period;
  result.chart = chart_;
  check_books(result);
  return result;
}

}  // namespace windlass::sim

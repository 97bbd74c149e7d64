// What watching costs: a snapshot, an update and a scrape of a cluster of 1,000 nodes and 5,000
// pods, and range queries. Prints one line a figure: median of the repetitions, milliseconds. The
// bounds beside them are what the event loop can spare.
#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "server/observe/dashboard_feed.h"
#include "server/observe/fake_exchange.h"
#include "server/observe/prometheus_api.h"
#include "server/observe/windlass_metrics.h"

namespace windlass::server::observe {
namespace {

constexpr int kNodes = 1000;
constexpr int kPods = 5000;
constexpr Instant kStart{1'772'409'600'000'000'000};

struct BigCluster {
  BigCluster() : catalog(catalog::built_in({})), state(catalog) {
    for (int i = 0; i < kNodes; ++i) add_node(i);
    for (int i = 0; i < kPods; ++i) add_pod(i, i % kNodes);
    state.take_changes();
    sources.started = kStart;
    sources.now = [this] { return now; };
    sources.state = &state;
    sources.instances = &instances;
    sources.store = &store;
    sources.cost_usd = [this] { return (now - kStart).hours() * 1000; };
    sources.gpu_seconds_paid = [this] { return (now - kStart).seconds() * kNodes; };
    sources.gpu_seconds_busy = [this] { return (now - kStart).seconds() * kNodes / 2; };
    sources.pod_times = [](const std::string&) { return std::nullopt; };
    // Another share for every pod at every look: all nodes change with every update.
    sources.busy_share = [this](const std::string&) {
      busy = busy > 0.98 ? 0.01 : busy + 0.013;
      return busy;
    };
    sources.models = [] { return std::vector<ModelReading>(); };
  }

  void add_node(int i) {
    const std::string id = fmt::format("aws:///us-east-1a/i-{:05}", i);
    const std::string name = fmt::format("ip-10-0-{}-{}.ec2.internal", i / 256, i % 256);
    sim::Instance& instance = instances[id];
    instance.provider_id = id;
    instance.node_name = name;
    instance.claim = fmt::format("gpu-nodepool-{:05}", i);
    instance.type = catalog.find("g6.xlarge");
    instance.zone = "us-east-1a";
    instance.capacity_type = "spot";
    instance.usd_per_hour = 0.3123;
    instance.launched = kStart;
    api::NodeClaim claim;
    claim.meta.name = instance.claim;
    claim.meta.labels[std::string(api::kNodePoolLabel)] = "gpu-nodepool";
    claim.provider_id = id;
    claim.node_name = name;
    claim.conditions.push_back({"Initialized", "True", "", "", kStart});
    state.put(claim);
    api::Node node;
    node.meta.name = name;
    node.meta.labels = instance.type->requirements.labels();
    node.meta.labels[std::string(api::kNodePoolLabel)] = "gpu-nodepool";
    node.provider_id = id;
    node.allocatable = instance.type->allocatable;
    node.conditions.push_back({"Ready", "True", "", "", kStart});
    state.put(node);
    nodes.push_back(name);
  }

  void add_pod(int i, int node) {
    api::Pod pod;
    pod.meta.name = fmt::format("vllm-inference-7c9d{:05}", i);
    pod.meta.namespace_name = "inference";
    pod.meta.created = kStart;
    pod.meta.owners.push_back({"apps/v1", "ReplicaSet", "vllm-inference-7c9d", "rs", true});
    pod.spec.node_name = nodes[static_cast<size_t>(node)];
    api::Container container;
    container.name = "vllm";
    container.requests.set(api::kNvidiaGpu, i < kNodes ? 1000 : 0);
    container.requests.set(api::kCpu, 500);
    pod.spec.containers.push_back(container);
    pod.phase = api::PodPhase::kRunning;
    pod.ready = true;
    pod.ready_at = kStart;
    state.put(pod);
  }

  catalog::Catalog catalog;
  cluster::State state;
  std::map<std::string, sim::Instance> instances;
  sim::prometheus::Store store;
  std::vector<std::string> nodes;
  Instant now = kStart;
  double busy = 0;
  Sources sources;
};

void measure(const char* what, double bound_ms, int times, const std::function<size_t()>& work) {
  std::vector<double> ms;
  size_t bytes = 0;
  for (int i = 0; i < times; ++i) {
    const auto from = std::chrono::steady_clock::now();
    bytes = work();
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - from;
    ms.push_back(took.count());
  }
  std::ranges::sort(ms);
  fmt::print("{:<44} {:>8.2f} ms  (max {:.2f}, bound {}, {} kB)\n", what, ms[ms.size() / 2],
             ms.back(), bound_ms, bytes / 1000);
}

void measure_feed() {
  BigCluster cluster;
  DashboardFeed feed(cluster.sources);
  const auto exchange = std::make_shared<FakeExchange>();
  feed.handle(request_of("GET /dashboard/stream"), exchange);
  fmt::print("{} nodes, {} pods\n", kNodes, kPods);
  measure("snapshot", 20, 41, [&] {
    cluster.now = cluster.now + seconds(60);
    return feed.snapshot().size();
  });
  const auto tick = [&](Duration step, bool pods_change) {
    cluster.now = cluster.now + step;
    for (int i = 0; pods_change && i < kPods; i += 10) {
      api::Pod pod = cluster.state.pods().at(fmt::format("inference/vllm-inference-7c9d{:05}", i));
      cluster.state.put(std::move(pod));
    }
    cluster.state.take_changes();
    exchange->stream->pieces.clear();
    return [&] {
      feed.tick();
      return exchange->stream->pieces.back().size();
    };
  };
  measure("update, every node changed", 10, 41, tick(seconds(1), false));
  measure("update, every node and a tenth of the pods", 10, 1, tick(seconds(1), true));
  measure("update and a kept snapshot", 20, 1, tick(seconds(61), true));
  measure("history sample", 1, 41, [&] {
    cluster.now = cluster.now + seconds(60);
    feed.sample();
    return size_t{0};
  });
  WindlassMetrics metrics(cluster.sources, {});
  measure("/metrics", 50, 21, [&] { return metrics.answer("").body.size(); });
}

// Two hours of samples each 15 s of 1,000 GPUs.
void measure_queries() {
  sim::prometheus::Store store;
  std::vector<sim::prometheus::SeriesId> ids;
  for (int i = 0; i < 1000; ++i) {
    ids.push_back(store.series({{"__name__", "DCGM_FI_DEV_GPU_UTIL"},
                                {"Hostname", fmt::format("ip-10-0-{}-{}", i / 256, i % 256)},
                                {"pod", fmt::format("vllm-{}", i)},
                                {"gpu", "0"}}));
  }
  for (int s = 0; s < 480; ++s) {
    for (const auto id : ids) store.append(id, kStart + seconds(15 * s), (id * 7 + s) % 101);
  }
  PrometheusOptions options;
  options.store = &store;
  options.now = [] { return kStart + hours(2); };
  const PrometheusApi api(options);
  const auto ask = [&](std::string query, int step) {
    return [&api, query = std::move(query), step] {
      Request request = request_of("GET /prometheus/api/v1/query_range");
      request.query = {{"query", query},
                       {"start", fmt::format("{}", kStart.seconds())},
                       {"end", fmt::format("{}", kStart.seconds() + 7200)},
                       {"step", fmt::format("{}", step)}};
      return api.answer(request).body.size();
    };
  };
  measure("query_range avg of 1,000 series, 480 steps", 500, 5,
          ask("avg(DCGM_FI_DEV_GPU_UTIL)", 15));
  measure("query_range of one series, 7,200 steps", 50, 5,
          ask("DCGM_FI_DEV_GPU_UTIL{pod=\"vllm-7\"}", 1));
  measure("query_range avg_over_time[5m], 120 steps", 1000, 5,
          ask("sum(avg_over_time(DCGM_FI_DEV_GPU_UTIL[5m]))", 60));
}

}  // namespace
}  // namespace windlass::server::observe

int main() {
  windlass::server::observe::measure_feed();
  windlass::server::observe::measure_queries();
  return 0;
}

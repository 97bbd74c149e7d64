// One full disruption pass: propose() over a cluster that scheduling itself has packed, ten pods a
// node. `settled` finds nothing to do, so every node is looked at by every method, which is the
// dearest pass there is; `shrunk` has lost every third pod and finds a command. Types and pods as
// in scheduling_bench.cc, with larger pods that ten of them fill a node. Items are nodes.
#include <array>
#include <deque>
#include <map>
#include <string>

#include <benchmark/benchmark.h>

#include "base/rng.h"
#include "disruption/propose.h"

namespace windlass {
namespace {

constexpr int64_t kMibMilli = int64_t{1024} * 1024 * 1000;
constexpr Instant kNow{1'772'323'200'000'000'000};

// Up to 16 cores, so that packing fills nodes with about ten pods.
catalog::Catalog generic_catalog() {
  catalog::Catalog out;
  for (int i = 1; i <= 400; ++i) {
    catalog::InstanceType type;
    type.name = "type-" + std::to_string(1000 + i);
    const int64_t milli_cpu = i * 20;
    type.capacity = {{"cpu", milli_cpu}, {"memory", i * 64 * kMibMilli}, {"pods", 110'000}};
    type.allocatable = type.capacity;
    const double usd_per_hour = 0.001 * i;
    using api::Operator;
    for (const char* zone : {"a", "b", "c"}) {
      type.offerings.emplace_back();
      type.offerings.back().zone = zone;
      type.offerings.back().capacity_type = "on-demand";
      type.offerings.back().usd_per_hour = usd_per_hour;
    }
    type.requirements.add(api::kInstanceTypeLabel, {Operator::kIn, {type.name}});
    type.requirements.add(api::kArchLabel, {Operator::kIn, {"amd64"}});
    type.requirements.add(api::kOsLabel, {Operator::kIn, {"linux"}});
    type.requirements.add(api::kZoneLabel, {Operator::kIn, {"a", "b", "c"}});
    type.requirements.add(api::kCapacityTypeLabel, {Operator::kIn, {"on-demand"}});
    out.types.push_back(std::move(type));
  }
  return out;
}

struct World {
  catalog::Catalog types = generic_catalog();
  api::NodePool pool;
  std::deque<api::Pod> pods;
  disruption::Cluster cluster;

  World(int node_count, bool shrunk) {
    pool.meta.name = "default";
    pool.budgets = {api::Budget{{100, true}, {}, "", {}}};
    Rng rng(42, "pods");
    scheduling::Problem problem;
    for (int i = 0; i < node_count * 10; ++i) problem.pods.push_back(&add_pod(i, rng));
    problem.pools.push_back({&pool, &types, {}});
    const scheduling::Plan plan = scheduling::solve(problem);
    std::map<std::string, api::Pod*> by_key;
    for (api::Pod& pod : pods) by_key[pod.meta.key()] = &pod;
    for (const scheduling::NewClaim& claim : plan.claims) add_node(claim, by_key, shrunk);
    cluster.scheduling.pools = problem.pools;
  }

  api::Pod& add_pod(int number, Rng& rng) {
    constexpr std::array<int64_t, 5> kCpuMilli{100, 250, 500, 1000, 1500};
    constexpr std::array<int64_t, 5> kMemoryMib{256, 512, 1024, 2048, 4096};
    api::Pod& pod = pods.emplace_back();
    pod.meta.namespace_name = "default";
    pod.meta.name = "pod-" + std::to_string(number);
    pod.meta.uid = "uid-" + std::to_string(rng.next());
    pod.meta.owners.push_back({"apps/v1", "ReplicaSet", "rs", "rs", true});
    pod.spec.containers.emplace_back();
    pod.spec.containers.back().requests = {{"cpu", kCpuMilli[rng.below(5)]},
                                           {"memory", kMemoryMib[rng.below(5)] * kMibMilli}};
    return pod;
  }

  void add_node(const scheduling::NewClaim& claim, const std::map<std::string, api::Pod*>& by_key,
                bool shrunk) {
    const catalog::InstanceType& type = *claim.types.front();
    disruption::Candidate& node = cluster.nodes.emplace_back();
    node.node = "node-" + std::to_string(100'000 + cluster.nodes.size());
    node.claim = "claim-" + node.node;
    node.pool = pool.meta.name;
    node.instance_type = type.name;
    node.capacity_type = "on-demand";
    node.zone = "a";
    node.usd_per_hour = type.offerings.front().usd_per_hour;
    node.initialized = true;
    node.initialized_at = kNow - hours(1);
    scheduling::ExistingNode& seat = cluster.scheduling.nodes.emplace_back();
    seat.name = node.node;
    seat.claim = node.claim;
    seat.pool = node.pool;
    seat.initialized = true;
    seat.available = type.allocatable;
    seat.labels = type.requirements.labels();
    seat.labels.own().emplace(api::kNodePoolLabel, node.pool);
    seat.labels.own().emplace(api::kZoneLabel, "a");
    seat.labels.own().emplace(api::kHostnameLabel, node.node);
    for (size_t i = 0; i < claim.pods.size(); ++i) {
      if (shrunk && i % 3 == 0) continue;
      api::Pod& pod = *by_key.at(claim.pods[i]);
      pod.spec.node_name = node.node;
      pod.phase = api::PodPhase::kRunning;
      pod.ready = true;
      seat.available -= api::pod_requests(pod.spec);
      seat.pods.push_back(&pod);
      node.pods.push_back(&pod);
      cluster.all_pods.push_back(&pod);
    }
  }
};

void pass(benchmark::State& state, bool shrunk, disruption::Objective objective) {
  const World world(static_cast<int>(state.range(0)), shrunk);
  disruption::Options options;
  options.objective = objective;
  size_t commands = 0;
  for (auto _ : state) {
    const disruption::Proposal proposal = disruption::propose(world.cluster, kNow, options);
    commands = proposal.commands.size();
  }
  const auto nodes = static_cast<int64_t>(world.cluster.nodes.size());
  state.SetItemsProcessed(state.iterations() * nodes);
  state.counters["nodes"] = static_cast<double>(nodes);
  state.counters["pods"] = static_cast<double>(world.cluster.all_pods.size());
  state.counters["commands"] = static_cast<double>(commands);
}

void settled(benchmark::State& state) { pass(state, false, disruption::Objective::kStock); }
void shrunk(benchmark::State& state) { pass(state, true, disruption::Objective::kStock); }
void shrunk_cost(benchmark::State& state) { pass(state, true, disruption::Objective::kCost); }
BENCHMARK(shrunk_cost)->Arg(100)->Arg(1000)->Unit(benchmark::kMillisecond);
BENCHMARK(settled)->Arg(100)->Arg(1000)->Arg(10'000)->Unit(benchmark::kMillisecond);
BENCHMARK(shrunk)->Arg(100)->Arg(1000)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace windlass

BENCHMARK_MAIN();

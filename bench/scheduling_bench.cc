// How many pods a second solve() places: the generic fifth of Karpenter's scheduling benchmark
// (reference karpenter.md 6.2). 400 types of i cores, 2i GiB and 10i pods with five offerings each,
// one pool, no nodes; pods of 100..1500m cpu and 100..4096 MiB memory, seven label values, seed 42.
// Items per second are pods per second.
#include <array>
#include <deque>
#include <string>

#include <benchmark/benchmark.h>

#include "base/rng.h"
#include "scheduling/solve.h"

namespace windlass {
namespace {

constexpr int64_t kMibMilli = int64_t{1024} * 1024 * 1000;

catalog::Catalog generic_catalog() {
  catalog::Catalog out;
  for (int i = 1; i <= 400; ++i) {
    catalog::InstanceType type;
    type.name = "type-" + std::to_string(1000 + i);
    type.capacity = {{"cpu", i * 1000}, {"memory", i * 2048 * kMibMilli}, {"pods", i * 10'000}};
    type.allocatable = type.capacity;
    const double usd_per_hour = 0.1 * i + 0.2 * i;
    for (const char* zone : {"a", "b"}) {
      type.offerings.push_back({zone, "on-demand", usd_per_hour, true});
      type.offerings.push_back({zone, "spot", usd_per_hour * 0.7, true});
    }
    type.offerings.push_back({"c", "on-demand", usd_per_hour, true});
    using api::Operator;
    type.requirements.add(api::kInstanceTypeLabel, {Operator::kIn, {type.name}});
    type.requirements.add(api::kArchLabel, {Operator::kIn, {"amd64"}});
    type.requirements.add(api::kOsLabel, {Operator::kIn, {"linux"}});
    type.requirements.add(api::kZoneLabel, {Operator::kIn, {"a", "b", "c"}});
    type.requirements.add(api::kCapacityTypeLabel, {Operator::kIn, {"on-demand", "spot"}});
    out.types.push_back(std::move(type));
  }
  return out;
}

api::Pod generic_pod(int number, Rng& rng) {
  constexpr std::array<int64_t, 5> kCpuMilli{100, 250, 500, 1000, 1500};
  constexpr std::array<int64_t, 6> kMemoryMib{100, 256, 512, 1024, 2048, 4096};
  api::Pod pod;
  pod.meta.namespace_name = "default";
  pod.meta.name = "pod-" + std::to_string(number);
  pod.meta.uid = "uid-" + std::to_string(rng.next());
  pod.meta.labels["my-label"] = std::string(1, static_cast<char>('a' + rng.below(7)));
  api::Container container;
  container.requests = {{"cpu", kCpuMilli[rng.below(kCpuMilli.size())]},
                        {"memory", kMemoryMib[rng.below(kMemoryMib.size())] * kMibMilli}};
  pod.spec.containers.push_back(std::move(container));
  return pod;
}

void generic_pods(benchmark::State& state) {
  const catalog::Catalog catalog = generic_catalog();
  api::NodePool pool;
  pool.meta.name = "default";
  Rng rng(42, "pods");
  std::deque<api::Pod> pods;
  scheduling::Problem problem;
  for (int i = 0; i < state.range(0); ++i) {
    pods.push_back(generic_pod(i, rng));
    problem.pods.push_back(&pods.back());
  }
  problem.pools.push_back({&pool, &catalog, {}});
  size_t nodes = 0;
  for (auto _ : state) {
    const scheduling::Plan plan = scheduling::solve(problem);
    if (!plan.unschedulable.empty()) state.SkipWithError("some pods found no place");
    nodes = plan.claims.size();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["nodes"] = static_cast<double>(nodes);
}
BENCHMARK(generic_pods)->Arg(1)->Arg(100)->Arg(1000)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace windlass

BENCHMARK_MAIN();

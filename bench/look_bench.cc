// What a look of the node controllers costs on a large cluster: how the State is made into what
// disruption and provisioning see, and a disruption pass over it. Nobody else gets a turn meanwhile
// (docs/designs/live-world.md, Measured).
#include <benchmark/benchmark.h>

#include "controllers/cluster_view.h"
#include "controllers/disruption_view.h"
#include "disruption/candidates.h"
#include "disruption/propose.h"
#include "live/kube/decode.h"
#include "live_objects.h"

namespace windlass {
namespace {

constexpr int kNodes = 5000;

struct Fixture {
  cluster::State state{catalog::built_in({})};
  controllers::Nominations nominations;
  controllers::OfferingView offerings;
  Instant now = *parse_rfc3339("2026-11-26T00:00:00Z");

  void put(const nlohmann::json& object, std::string_view version, std::string_view kind) {
    state.put(*live::kube::decode_object(object.dump(), version, kind));
  }
  Fixture() {
    put(bench::node_class(), "karpenter.k8s.aws/v1", "EC2NodeClass");
    for (int i = 0; i < bench::kPools; ++i) put(bench::node_pool(i), "karpenter.sh/v1", "NodePool");
    for (int i = 0; i < kNodes; ++i) {
      put(bench::node(i), "v1", "Node");
      put(bench::node_claim(i), "karpenter.sh/v1", "NodeClaim");
    }
    for (int i = 0; i < kNodes * bench::kPodsPerNode; ++i) put(bench::pod(i), "v1", "Pod");
    for (int i = 0; i < kNodes * bench::kPodsPerNode / bench::kPodsPerSet; ++i) {
      put(bench::budget(i), "policy/v1", "PodDisruptionBudget");
    }
  }
};

Fixture& fixture() {
  static Fixture made;
  return made;
}

void candidates(benchmark::State& state) {
  Fixture& f = fixture();
  for (auto _ : state) {
    benchmark::DoNotOptimize(controllers::candidates(f.state, f.nominations, f.now));
  }
}
void problem(benchmark::State& state) {
  Fixture& f = fixture();
  for (auto _ : state) {
    benchmark::DoNotOptimize(controllers::cluster_problem(f.state, f.offerings, f.now));
  }
}
void limits(benchmark::State& state) {
  Fixture& f = fixture();
  const auto cluster = controllers::disruption_cluster(f.state, f.nominations, f.offerings, f.now);
  for (auto _ : state) {
    benchmark::DoNotOptimize(disruption::EvictionLimits(cluster.budgets, cluster.all_pods));
  }
}
void examine(benchmark::State& state) {
  Fixture& f = fixture();
  const auto cluster = controllers::disruption_cluster(f.state, f.nominations, f.offerings, f.now);
  const disruption::EvictionLimits limits(cluster.budgets, cluster.all_pods);
  for (auto _ : state) {
    benchmark::DoNotOptimize(disruption::examine(cluster, limits, f.now));
  }
}
void propose(benchmark::State& state) {
  Fixture& f = fixture();
  const auto cluster = controllers::disruption_cluster(f.state, f.nominations, f.offerings, f.now);
  disruption::Options options;
  options.most_simulations = 10;
  for (auto _ : state) benchmark::DoNotOptimize(disruption::propose(cluster, f.now, options));
}
void whole(benchmark::State& state) {
  Fixture& f = fixture();
  disruption::Options options;
  options.most_simulations = 10;
  for (auto _ : state) {
    const auto cluster =
        controllers::disruption_cluster(f.state, f.nominations, f.offerings, f.now);
    benchmark::DoNotOptimize(disruption::propose(cluster, f.now, options));
  }
}
BENCHMARK(candidates)->Unit(benchmark::kMillisecond);
BENCHMARK(problem)->Unit(benchmark::kMillisecond);
BENCHMARK(limits)->Unit(benchmark::kMillisecond);
BENCHMARK(examine)->Unit(benchmark::kMillisecond);
BENCHMARK(propose)->Unit(benchmark::kMillisecond);
BENCHMARK(whole)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace windlass

BENCHMARK_MAIN();

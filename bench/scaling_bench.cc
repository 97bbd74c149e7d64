// How long one evaluation pass takes: 10,000 ScaledObjects with three triggers each, KEDA's poll
// decision and the HPA's sync of every one. Plans are made once, as a controller does; readings
// change between passes, so that some objects act in each. Items per second are objects per second.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/rng.h"
#include "scaling/scaled_object.h"

namespace windlass {
namespace {

constexpr Instant kStart{1'700'000'000'000'000'000};

struct Scaled {
  api::ScaledObject object;
  scaling::ScaledObjectPlan plan;
  scaling::ScaledObjectMemory memory;
  scaling::HpaMemory hpa;
  int32_t replicas = 0;
  std::vector<scaling::TriggerReading> readings;
};

api::ScaledObject object_of(size_t number) {
  api::ScaledObject object;
  object.meta.name = "object-" + std::to_string(number);
  object.meta.namespace_name = "default";
  object.meta.created = kStart;
  for (const char* query : {"queue", "kv_cache", "rate"}) {
    api::Trigger trigger;
    trigger.type = "prometheus";
    trigger.metadata = {
        {"serverAddress", "http://prometheus:9090"}, {"query", query}, {"threshold", "5"}};
    object.triggers.push_back(std::move(trigger));
  }
  return object;
}

void evaluation_pass(benchmark::State& state) {
  std::vector<Scaled> all(static_cast<size_t>(state.range(0)));
  Rng rng(42, "readings");
  for (size_t i = 0; i < all.size(); ++i) {
    all[i].object = object_of(i);
    auto plan = scaling::plan_scaled_object(all[i].object);
    if (!plan.ok()) return state.SkipWithError(plan.error().message().c_str());
    all[i].plan = *std::move(plan);
    all[i].replicas = static_cast<int32_t>(rng.below(8));
    for (int trigger = 0; trigger < 3; ++trigger) {
      all[i].readings.emplace_back(static_cast<double>(rng.below(40)));
    }
  }
  Instant now = kStart;
  int64_t acted = 0;
  for (auto _ : state) {
    now = now + seconds(30);
    for (Scaled& scaled : all) {
      // One reading in eight moves.
      if (rng.below(8) == 0) scaled.readings[0] = static_cast<double>(rng.below(40)) + 0.125;
      scaling::TargetState target{scaled.replicas, scaled.replicas, 1, false};
      const auto poll = scaling::evaluate_poll(scaled.object, scaled.plan, scaled.readings, target,
                                               now, scaled.memory);
      scaled.object.last_active = poll.last_active;
      if (poll.set_replicas) target.replicas = *poll.set_replicas;
      scaling::HpaInput input;
      input.min_replicas = scaling::hpa_min(scaled.object);
      input.max_replicas = scaled.object.max();
      input.spec_replicas = input.status_replicas = input.ready_pods = target.replicas;
      input.always_explain = false;
      input.metrics =
          scaling::hpa_metrics(scaled.object, scaled.plan, scaled.readings, target, scaled.memory);
      const auto decision = scaling::evaluate_hpa(input, {}, now, scaled.hpa);
      acted += decision.replicas != scaled.replicas ? 1 : 0;
      scaled.replicas = decision.replicas;
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["acted"] =
      benchmark::Counter(static_cast<double>(acted), benchmark::Counter::kAvgIterations);
}
BENCHMARK(evaluation_pass)->Arg(100)->Arg(1000)->Arg(10'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace windlass

BENCHMARK_MAIN();

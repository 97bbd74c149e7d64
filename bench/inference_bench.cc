// Requests a second through the whole inference path on one core: parsed from the trace, scaled,
// routed, batched, recorded. The profile is Llama-2-7B on an A100-80 (gpu_inference.md 3). Also
// the two sources by themselves. Without ../shared (run from the repository's root) the trace
// benchmarks are skipped.
#include <filesystem>
#include <string>

#include <benchmark/benchmark.h>

#include "sim/inference/fleet.h"
#include "sim/traffic/traffic.h"

namespace windlass::sim {
namespace {

const std::string kTrace = "../shared/data/traces/azure_llm_2023_conv.csv";
constexpr Instant kStart{1'767'225'600'000'000'000};

catalog::ServiceProfile a100_llama_7b() {
  return {.iteration_base_ms = 8.8,
          .prefill_ms_per_token = 0.065,
          .decode_ms_per_sequence = 0.029,
          .context_ms_per_token = 0.00034,
          .kv_capacity_tokens = 117'000,  // (0.9 * 80 GiB - 13.5 GB) / 512 KiB, some left for work
          .max_sequences = 256,
          .max_batched_tokens = 2048};
}

Traffic open(benchmark::State& state, const TrafficSpec& spec, Duration length) {
  Result<Traffic> traffic = Traffic::open(spec, 1, kStart, length);
  if (!traffic) {
    state.SkipWithError(traffic.error().message().c_str());
    // An empty stand-in: a benchmark that was skipped still runs to its end.
    traffic = Traffic::open({.generator = GeneratorSpec{.requests_per_s = 0}}, 1, kStart, {});
  }
  return std::move(traffic).value();
}

TrafficSpec trace(double rate_scale) {
  return {.trace = TraceSpec{.path = kTrace, .rate_scale = rate_scale}};
}

TrafficSpec generator() {
  return {
      .generator = GeneratorSpec{.requests_per_s = 50'000, .bursts_per_h = 6, .burst_factor = 3},
      .shape = {{{0, 0.4}, {6, 0.3}, {12, 1.0}, {20, 0.9}}}};
}

// The Azure conversation trace over and over for about two million requests: range(0) servers, the
// trace's rate times range(1).
void azure_conversation(benchmark::State& state) {
  uint64_t requests = 0;
  const auto rate_scale = static_cast<double>(state.range(1));
  const Duration length = from_seconds(100 * 3600 / rate_scale);
  for (auto _ : state) {
    Fleet fleet({.slo = seconds(10)}, open(state, trace(rate_scale), length), kStart);
    for (int64_t i = 0; i < state.range(0); ++i) fleet.add_server(a100_llama_7b());
    if (!fleet.advance(kStart + length)) state.SkipWithError("the trace ended in an error");
    requests += fleet.totals().offered;
    state.counters["in_system"] = static_cast<double>(fleet.totals().in_system);
    benchmark::DoNotOptimize(fleet.hash().value());
  }
  state.SetItemsProcessed(static_cast<int64_t>(requests));
}
BENCHMARK(azure_conversation)
    ->ArgNames({"servers", "rate"})
    ->Args({4, 1})
    ->Args({8, 1})
    ->Args({8, 4})
    ->Args({256, 100})
    ->Unit(benchmark::kMillisecond);

void drain_traffic(benchmark::State& state, const TrafficSpec& spec, Duration length) {
  uint64_t requests = 0;
  for (auto _ : state) {
    Traffic traffic = open(state, spec, length);
    while (const std::optional<Request> request = traffic.next()) {
      benchmark::DoNotOptimize(request->output_tokens);
      ++requests;
    }
  }
  state.SetItemsProcessed(static_cast<int64_t>(requests));
}

void parse_trace(benchmark::State& state) { drain_traffic(state, trace(1), hours(100)); }
BENCHMARK(parse_trace)->Unit(benchmark::kMillisecond);

void thin_and_multiply_trace(benchmark::State& state) {
  drain_traffic(state, trace(2.5), hours(40));
}
BENCHMARK(thin_and_multiply_trace)->Unit(benchmark::kMillisecond);

void generate(benchmark::State& state) { drain_traffic(state, generator(), minutes(2)); }
BENCHMARK(generate)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace windlass::sim

BENCHMARK_MAIN();

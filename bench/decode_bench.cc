// What it costs to take in a cluster: 50,000 Pods from their JSON, the fast way and by api::decode,
// and a list of them cut into items.
#include <benchmark/benchmark.h>

#include "live/kube/decode.h"
#include "live/kube/list_watch.h"
#include "live/kube/sample_objects.h"

namespace windlass::live::kube {
namespace {

const std::vector<std::string>& pods() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> out;
    for (int i = 0; i < 50'000; ++i) out.push_back(sample_pod(i).dump());
    return out;
  }();
  return all;
}

void report(benchmark::State& state, size_t bytes) {
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * pods().size()));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes));
}

template <typename Decode>
void over_all(benchmark::State& state, Decode decode) {
  size_t bytes = 0;
  for (const std::string& pod : pods()) bytes += pod.size();
  for (auto _ : state) {
    for (const std::string& pod : pods()) {
      if (!decode(pod)) state.SkipWithError("a pod was refused");
    }
  }
  report(state, bytes);
}

void fast_way(benchmark::State& state) {
  over_all(state, [](const std::string& pod) {
    const auto decoded = decode_pod(pod);
    benchmark::DoNotOptimize(decoded);
    return decoded.ok();
  });
}
void by_api_decode(benchmark::State& state) {
  over_all(state, [](const std::string& pod) {
    auto json = parse_json(pod);
    (*json)["kind"] = "Pod";
    (*json)["apiVersion"] = "v1";
    const auto decoded = api::decode(*json);
    benchmark::DoNotOptimize(decoded);
    return decoded.ok();
  });
}
void list_into_items(benchmark::State& state) {
  std::string body =
      R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[)";
  for (const std::string& pod : pods()) body += (body.back() == '[' ? "" : ",") + pod;
  body += "]}";
  for (auto _ : state) {
    size_t keys = 0;
    const auto list = read_list(body, [&](const WireObject& object) {
      keys += object.key.size();
      return true;
    });
    benchmark::DoNotOptimize(keys);
    if (!list.ok()) state.SkipWithError("the list was refused");
  }
  report(state, body.size());
}

BENCHMARK(fast_way)->Unit(benchmark::kMillisecond);
BENCHMARK(by_api_decode)->Unit(benchmark::kMillisecond);
BENCHMARK(list_into_items)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace windlass::live::kube

BENCHMARK_MAIN();

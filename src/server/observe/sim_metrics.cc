#include "server/observe/sim_metrics.h"

#include <algorithm>
#include <array>
#include <map>

#include "server/observe/text_format.h"

namespace windlass::server::observe {
namespace {

struct Known {
  std::string_view name, type, help;
};
// What the simulated exporters give, in their exporters' types. Sorted by name.
constexpr std::array<Known, 10> kKnown{{
    {"DCGM_FI_DEV_GPU_UTIL", "gauge", "GPU utilization (in %)."},
    {"DCGM_FI_PROF_GR_ENGINE_ACTIVE", "gauge",
     "Share of time the graphics engine is active (0 to 1)."},
    {"inference_queue_depth", "gauge", "Requests waiting, at the router and in servers."},
    {"inference_requests_total", "counter", "Requests that have arrived at the model's router."},
    {"vllm:generation_tokens_total", "counter", "Tokens generated."},
    {"vllm:kv_cache_usage_perc", "gauge", "Share of the KV cache in use (0 to 1)."},
    {"vllm:num_requests_running", "gauge", "Requests in the server's batch."},
    {"vllm:num_requests_waiting", "gauge", "Requests waiting in the server."},
    {"vllm:prompt_tokens_total", "counter", "Prompt tokens processed."},
    {"vllm:request_success_total", "counter", "Requests answered."},
}};

// How old a sample may be to count as what the target exposes now.
constexpr int64_t kFreshMs = 5 * 60 * 1000;

bool exposable(const sim::prometheus::Series& series, int64_t now_ms) {
  if (series.samples.empty()) return false;
  const sim::prometheus::Sample& last = series.samples.back();
  return !sim::prometheus::is_stale(last.value) && now_ms - last.t_ms <= kFreshMs;
}

}  // namespace

Response sim_metrics(const sim::prometheus::Store& store, Instant now, std::string_view accept) {
  const TextFormat format = negotiate(accept);
  std::map<std::string_view, std::vector<const sim::prometheus::Series*>> by_name;
  for (const sim::prometheus::Series& series : store.all()) {
    if (!exposable(series, now.ns / 1'000'000)) continue;
    const auto name = series.labels.find("__name__");
    if (name != series.labels.end()) by_name[name->second].push_back(&series);
  }
  TextWriter writer(format);
  for (auto& [name, all] : by_name) {
    std::ranges::sort(all, {}, [](const auto* series) -> const auto& { return series->labels; });
    const auto* known = std::ranges::lower_bound(kKnown, name, {}, &Known::name);
    const bool found = known != kKnown.end() && known->name == name;
    writer.family(name, found ? known->type : "untyped", found ? known->help : "");
    for (const sim::prometheus::Series* series : all) {
      LabelViews labels;
      for (const auto& [label, value] : series->labels) {
        if (label != "__name__") labels.emplace_back(label, value);
      }
      writer.sample(name, labels, series->samples.back().value);
    }
  }
  Response response;
  response.content_type = std::string(content_type(format));
  response.body = writer.finish();
  return response;
}

}  // namespace windlass::server::observe

#include "scaling/gpu_choice.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace windlass::scaling {
namespace {

int replicas_that_fit(const api::ResourceList& requests, const api::ResourceList& allocatable) {
  int64_t fit = std::numeric_limits<int32_t>::max();
  for (const auto& [name, milli] : requests) {
    if (milli > 0) fit = std::min(fit, allocatable.milli(name) / milli);
  }
  return static_cast<int>(std::max<int64_t>(fit, 0));
}

}  // namespace

std::vector<GpuOption> rank_gpus(const GpuQuestion& question) {
  std::vector<GpuOption> options;
  for (const catalog::InstanceType& type : question.types->types) {
    if (type.gpu_count < question.gpus_per_replica) continue;
    if (!type.requirements.intersects(question.requirements)) continue;
    GpuOption option;
    option.type = &type;
    option.offering = type.cheapest(question.requirements);
    option.replicas_per_node = replicas_that_fit(question.pod_requests, type.allocatable);
    if (option.offering == nullptr || option.replicas_per_node == 0) continue;
    const std::optional<catalog::ServiceProfile> profile = question.profile(type);
    if (!profile) continue;
    option.capacity = capacity_at_slo(*profile, question.mix, question.slo_p95_ms);
    if (option.capacity.requests_per_s <= 0) continue;
    const int used = std::min(option.replicas_per_node, std::max(question.replicas_needed, 1));
    const double requests_per_h = option.capacity.requests_per_s * used * 3600;
    option.usd_per_million = option.offering->usd_per_hour / requests_per_h * 1e6;
    options.push_back(option);
  }
  std::sort(options.begin(), options.end(), [](const GpuOption& a, const GpuOption& b) {
    return std::tie(a.usd_per_million, a.type->name) < std::tie(b.usd_per_million, b.type->name);
  });
  return options;
}

}  // namespace windlass::scaling

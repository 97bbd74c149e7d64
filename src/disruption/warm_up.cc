#include "disruption/warm_up.h"

#include <algorithm>

#include <fmt/format.h>

#include "disruption/pod_disruption.h"

namespace windlass::disruption {
namespace {

constexpr Duration kLongestStart = hours(1);

// Of the node, 0 to 1.
double share(const api::Pod& pod, const api::ResourceList& allocatable) {
  double largest = 0;
  for (const auto& [name, milli] : api::pod_requests(pod.spec)) {
    const int64_t all = allocatable.milli(name);
    if (all > 0 && milli > 0) {
      largest = std::max(largest, static_cast<double>(milli) / static_cast<double>(all));
    }
  }
  return std::min(largest, 1.0);
}

}  // namespace

std::string why_warming(const Candidate& node, Instant now) {
  const api::Pod* first = nullptr;  // by key: the order of input must not show
  for (const api::Pod* pod : node.pods) {
    const std::optional<Instant> since = pod->scheduled_at ? pod->scheduled_at : pod->started_at;
    const bool starting = reschedulable(*pod) && !pod->meta.deleted && !pod->ready &&
                          !pod->ready_at && since && now - *since < kLongestStart;
    if (starting && (first == nullptr || pod->meta.key() < first->meta.key())) first = pod;
  }
  if (first == nullptr) return {};
  const Instant since = first->scheduled_at ? *first->scheduled_at : *first->started_at;
  return fmt::format("pod {} has been starting for {}: its image or weights still load",
                     first->meta.key(), to_string(seconds((now - since).ns / 1'000'000'000)));
}

double warm_up_usd(const Candidate& node, const api::ResourceList& allocatable) {
  double usd = 0;
  for (const api::Pod* pod : node.pods) {
    if (!reschedulable(*pod) || !pod->ready_at) continue;
    const std::optional<Instant> since = pod->scheduled_at ? pod->scheduled_at : pod->started_at;
    if (!since || *pod->ready_at < *since) continue;
    usd += (*pod->ready_at - *since).hours() * share(*pod, allocatable) * node.usd_per_hour;
  }
  return usd;
}

}  // namespace windlass::disruption

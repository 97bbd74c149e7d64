#include "sim/apps/reconciler.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"

namespace windlass::sim::apps {
namespace {

int64_t deletion_cost(const api::Pod& pod) {
  const auto it = pod.meta.annotations.find("controller.kubernetes.io/pod-deletion-cost");
  if (it == pod.meta.annotations.end()) return 0;
  const auto cost = parse_int(it->second);
  return cost.ok() ? *cost : 0;
}

auto victim_rank(const api::Pod& pod) {
  return std::make_tuple(!pod.spec.node_name.empty(), pod.phase == api::PodPhase::kRunning,
                         pod.ready, deletion_cost(pod), -pod.ready_at.value_or(Instant{}).ns,
                         -pod.meta.created.ns, pod.meta.name);
}

}  // namespace

const api::OwnerReference* controller_of(const api::ObjectMeta& meta) {
  const auto it = std::find_if(meta.owners.begin(), meta.owners.end(),
                               [](const api::OwnerReference& o) { return o.controller; });
  return it == meta.owners.end() ? nullptr : &*it;
}

std::vector<const api::Pod*> active_pods(const cluster::State& state, const std::string& uid) {
  std::vector<const api::Pod*> active;
  for (const std::string& key : state.pods_of(uid)) {
    const api::Pod& pod = state.pods().at(key);
    const api::OwnerReference* owner = controller_of(pod.meta);
    const bool counts =
        owner != nullptr && owner->uid == uid && !pod.terminal() && !pod.meta.deleted;
    if (counts) active.push_back(&pod);
  }
  return active;
}

std::vector<std::string> victims(std::vector<const api::Pod*> pods, size_t count) {
  std::sort(pods.begin(), pods.end(),
            [](const api::Pod* a, const api::Pod* b) { return victim_rank(*a) < victim_rank(*b); });
  std::vector<std::string> keys;
  for (const api::Pod* pod : pods) {
    if (keys.size() == count) break;
    keys.push_back(pod->meta.key());
  }
  return keys;
}

bool available(const Reconciler& reconciler, const api::Pod& pod, Duration min_ready,
               cluster::Kind kind, const std::string& key) {
  if (!pod.ready || pod.meta.deleted) return false;
  if (min_ready == Duration{} || !pod.ready_at) return true;
  const Instant from = *pod.ready_at + min_ready;
  if (reconciler.context.now >= from) return true;
  reconciler.again(kind, key, from - reconciler.context.now);
  return false;
}

int32_t resolve(const api::IntOrPercent& value, int32_t total, bool round_up) {
  if (!value.percent) return value.value;
  const int64_t hundredths = int64_t{value.value} * total;
  return static_cast<int32_t>(round_up ? (hundredths + 99) / 100 : hundredths / 100);
}

}  // namespace windlass::sim::apps

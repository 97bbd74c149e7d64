// The ReplicaSet controller: so many pods of a template, adopted where they fit and nobody has
// them, released where their labels were changed.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "sim/apps/pod_template.h"
#include "sim/apps/reconciler.h"

namespace windlass::sim::apps {
namespace {

using cluster::Kind;

void release_strangers(const Reconciler& reconciler, const api::ReplicaSet& set) {
  std::vector<api::Pod> released;
  for (const std::string& key : reconciler.context.state.pods_of(set.meta.uid)) {
    const api::Pod& pod = reconciler.context.state.pods().at(key);
    if (pod.meta.deleted || set.selector.matches(pod.meta.labels)) continue;
    api::Pod free = pod;
    std::erase_if(free.meta.owners, [&](const auto& o) { return o.uid == set.meta.uid; });
    released.push_back(std::move(free));
  }
  for (api::Pod& pod : released) reconciler.context.state.put(std::move(pod));
}

void adopt_orphans(const Reconciler& reconciler, const api::ReplicaSet& set) {
  const std::string prefix = set.meta.namespace_name + "/";
  std::vector<api::Pod> adopted;
  for (const auto& [key, pod] : reconciler.context.state.pods()) {
    const bool fits = key.starts_with(prefix) && controller_of(pod.meta) == nullptr &&
                      !pod.meta.deleted && !pod.terminal() && set.selector.matches(pod.meta.labels);
    if (!fits) continue;
    api::Pod ours = pod;
    ours.meta.owners.push_back({"apps/v1", "ReplicaSet", set.meta.name, set.meta.uid, true});
    adopted.push_back(std::move(ours));
  }
  for (api::Pod& pod : adopted) reconciler.context.state.put(std::move(pod));
}

void scale(const Reconciler& reconciler, const api::ReplicaSet& set) {
  const auto pods = active_pods(reconciler.context.state, set.meta.uid);
  const auto wanted = static_cast<size_t>(std::max(0, set.replicas));
  if (pods.size() > wanted) {
    for (const std::string& key : victims(pods, pods.size() - wanted)) {
      reconciler.api.delete_pod(key);
    }
    return;
  }
  if (pods.size() == wanted) return;
  const size_t missing = std::min(wanted - pods.size(), kBurst);
  const api::RawObject raw = raw_pod(template_of(set));
  for (size_t i = 0; i < missing; ++i) {
    api::Pod pod = make_pod(reconciler, set.pod_template, raw, set.meta, "ReplicaSet", "apps/v1");
    pod.meta.name = reconciler.api.pod_name(set.meta.name);
    pod.meta.uid = reconciler.api.new_uid("pod", pod.meta.name);
    reconciler.context.state.put(std::move(pod));
  }
}

}  // namespace

void sync_replica_set(const Reconciler& reconciler, const std::string& key) {
  cluster::State& state = reconciler.context.state;
  const api::ReplicaSet* found = state.replica_sets().find(key);
  if (found == nullptr) return;
  const api::ReplicaSet before = *found;  // the tables move under us
  if (!before.meta.deleted) {
    release_strangers(reconciler, before);
    adopt_orphans(reconciler, before);
    scale(reconciler, before);
  }
  api::ReplicaSet now = before;
  now.observed_generation = now.meta.generation;
  now.status_replicas = now.ready_replicas = now.available_replicas = 0;
  for (const api::Pod* pod : active_pods(state, now.meta.uid)) {
    ++now.status_replicas;
    if (!pod->ready) continue;
    ++now.ready_replicas;
    if (available(reconciler, *pod, now.min_ready, Kind::kReplicaSet, key)) {
      ++now.available_replicas;
    }
  }
  const auto status = [](const api::ReplicaSet& s) {
    return std::tie(s.observed_generation, s.status_replicas, s.ready_replicas,
                    s.available_replicas);
  };
  if (status(now) != status(before)) state.put(std::move(now));
}

}  // namespace windlass::sim::apps

// The DaemonSet controller: a pod on every node that the template fits, replaced a few at a time
// when the template changes.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "sim/apps/pod_template.h"
#include "sim/apps/reconciler.h"
#include "sim/apps/revisions.h"

namespace windlass::sim::apps {
namespace {

using cluster::Kind;

// It tolerates the node's own conditions, not the taints of users.
bool fits(const api::Node& node, const api::PodSpec& spec) {
  std::vector<api::Taint> taints = node.taints;
  std::erase_if(taints, [](const api::Taint& t) {
    return t.key.starts_with("node.kubernetes.io/") || t.key == api::kUnregisteredTaint;
  });
  const auto labels = api::Requirements::from_labels(node.meta.labels);
  return api::first_untolerated(taints, spec.tolerations, false) == nullptr &&
         labels.why_incompatible(api::pod_requirements(spec, false), false).empty();
}

struct Placed {
  std::vector<api::Pod> pods;
  std::set<std::string> nodes;  // that should have one
};

Placed look(const cluster::State& state, const api::DaemonSet& set) {
  Placed placed;
  for (const std::string& key : state.pods_of(set.meta.uid)) {
    placed.pods.push_back(state.pods().at(key));
  }
  for (const auto& [name, node] : state.nodes()) {
    if (!node.meta.deleted && fits(node, set.pod_template.spec)) placed.nodes.insert(name);
  }
  return placed;
}

bool of_revision(const api::Pod& pod, const std::string& revision) {
  const auto it = pod.meta.labels.find(kRevisionHashLabel);
  return it != pod.meta.labels.end() && it->second == revision;
}

void place(const Reconciler& reconciler, const api::DaemonSet& set, const Placed& placed,
           const Json& pod_template, const std::string& revision) {
  std::set<std::string> covered;
  for (const api::Pod& pod : placed.pods) {
    covered.insert(pod.spec.node_name);
    const bool goes = !placed.nodes.contains(pod.spec.node_name) || pod.terminal();
    if (goes && !pod.meta.deleted) reconciler.api.delete_pod(pod.meta.key());
  }
  const api::RawObject raw = raw_pod(pod_template);
  for (const std::string& node : placed.nodes) {
    if (covered.contains(node)) continue;
    api::Pod pod = make_pod(reconciler, set.pod_template, raw, set.meta, "DaemonSet", "apps/v1");
    pod.meta.name = reconciler.api.pod_name(set.meta.name);
    pod.meta.uid = reconciler.api.new_uid("pod", pod.meta.name);
    pod.meta.labels[kRevisionHashLabel] = revision;
    pod.meta.labels["pod-template-generation"] = std::to_string(set.meta.generation);
    pod.spec.node_name = node;
    pod.scheduled_at = reconciler.context.now;
    reconciler.context.state.put(std::move(pod));
  }
}

void update(const Reconciler& reconciler, const api::DaemonSet& set, const Placed& placed,
            const std::string& revision) {
  const auto desired = static_cast<int32_t>(placed.nodes.size());
  int32_t may_go = std::max(1, resolve(set.max_unavailable, desired, true));
  for (const api::Pod& pod : placed.pods) {
    if (!pod.ready || pod.meta.deleted) --may_go;
  }
  for (const api::Pod& pod : placed.pods) {
    if (of_revision(pod, revision) || pod.meta.deleted) continue;
    if (pod.ready && --may_go < 0) continue;  // one that is not up takes nothing away
    reconciler.api.delete_pod(pod.meta.key());
  }
}

}  // namespace

void sync_daemon_set(const Reconciler& reconciler, const std::string& key) {
  cluster::State& state = reconciler.context.state;
  const api::DaemonSet* found = state.daemon_sets().find(key);
  if (found == nullptr || found->meta.deleted) return;
  const api::DaemonSet before = *found;
  const Json pod_template = template_of(before);
  const std::string revision = template_hash(pod_template);
  bring_revision(
      reconciler,
      {&before.meta, "DaemonSet", &before.pod_template.labels, std::string(kRevisionHashLabel)},
      pod_template, revision);
  place(reconciler, before, look(state, before), pod_template, revision);
  if (!before.on_delete) update(reconciler, before, look(state, before), revision);
  api::DaemonSet now = before;
  const Placed placed = look(state, before);
  now.observed_generation = now.meta.generation;
  now.desired_scheduled = static_cast<int32_t>(placed.nodes.size());
  now.current_scheduled = now.misscheduled = now.ready_pods = 0;
  now.updated_scheduled = now.available_pods = 0;
  std::set<std::string> in_use{now.meta.name + "-" + revision};
  for (const api::Pod& pod : placed.pods) {
    const auto hash = pod.meta.labels.find(kRevisionHashLabel);
    if (hash != pod.meta.labels.end()) in_use.insert(now.meta.name + "-" + hash->second);
    if (!placed.nodes.contains(pod.spec.node_name)) {
      ++now.misscheduled;
      continue;
    }
    ++now.current_scheduled;
    if (of_revision(pod, revision)) ++now.updated_scheduled;
    if (pod.ready) ++now.ready_pods;
    if (available(reconciler, pod, now.min_ready, Kind::kDaemonSet, key)) ++now.available_pods;
  }
  clean_revisions(reconciler, now.meta, in_use, static_cast<size_t>(now.revision_history_limit));
  const auto status = [](const api::DaemonSet& d) {
    return std::tie(d.observed_generation, d.desired_scheduled, d.current_scheduled, d.misscheduled,
                    d.ready_pods, d.updated_scheduled, d.available_pods);
  };
  if (status(now) != status(before)) state.put(std::move(now));
}

}  // namespace windlass::sim::apps

#include "sim/workloads.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"

namespace windlass::sim {
namespace {

using cluster::Kind;

constexpr Duration kLatency = milliseconds(300);

int64_t deletion_cost(const api::Pod& pod) {
  const auto it = pod.meta.annotations.find("controller.kubernetes.io/pod-deletion-cost");
  if (it == pod.meta.annotations.end()) return 0;
  const auto cost = parse_int(it->second);
  return cost.ok() ? *cost : 0;
}

// The ReplicaSet controller's order of victims: unbound, not running, not ready, cheap to delete,
// ready for the shortest time, youngest.
auto victim_rank(const api::Pod& pod) {
  return std::make_tuple(!pod.spec.node_name.empty(), pod.phase == api::PodPhase::kRunning,
                         pod.ready, deletion_cost(pod), -pod.ready_at.value_or(Instant{}).ns,
                         -pod.meta.created.ns, pod.meta.name);
}

}  // namespace

void Workloads::later(Kind kind, const std::string& key) {
  if (!queued_.emplace(kind, key).second) return;
  context_.after(kLatency, [this, kind, key] {
    queued_.erase({kind, key});
    switch (kind) {
      case Kind::kDeployment:
        return sync_deployment(key);
      case Kind::kJob:
        return sync_job(key);
      default:
        return sync_daemons();
    }
  });
}

void Workloads::observe(const cluster::Change& change) {
  switch (change.kind) {
    case Kind::kDeployment:
    case Kind::kJob:
      if (!change.removed) later(change.kind, change.key);
      return;
    case Kind::kNode:
    case Kind::kDaemonSet:
      return later(Kind::kDaemonSet, "");
    case Kind::kPod:
      // A pod came, went or changed: its owners look again. Names of removed pods are gone with
      // them, so all owners do; there are few.
      for (const auto& [key, deployment] : context_.state.deployments()) {
        later(Kind::kDeployment, key);
      }
      for (const auto& [key, job] : context_.state.jobs()) {
        if (!job.completed_at) later(Kind::kJob, key);
      }
      return;
    default:
      return;
  }
}

void Workloads::create_pod(const api::PodTemplate& pod_template, const api::ObjectMeta& owner,
                           const std::string& kind, const std::string& api_version,
                           const std::string& node) {
  api::Pod pod;
  pod.meta.name = api_.pod_name(owner.name);
  pod.meta.namespace_name = owner.namespace_name;
  pod.meta.uid = "pod-" + pod.meta.name;
  pod.meta.labels = pod_template.labels;
  pod.meta.annotations = pod_template.annotations;
  pod.meta.created = context_.now;
  pod.meta.owners.push_back({api_version, kind, owner.name, owner.uid, true});
  pod.spec = pod_template.spec;
  pod.spec.node_name = node;
  if (const api::PriorityClass* priority =
          context_.state.priority_classes().find(pod.spec.priority_class)) {
    pod.spec.priority = priority->value;
  }
  context_.state.put(std::move(pod));
}

void Workloads::sync_deployment(const std::string& key) {
  const api::Deployment* found = context_.state.deployments().find(key);
  if (found == nullptr || found->meta.deleted) return;
  std::vector<const api::Pod*> live;
  int32_t ready = 0;
  for (const std::string& pod_key : context_.state.pods_of(found->meta.uid)) {
    const api::Pod& pod = context_.state.pods().at(pod_key);
    if (pod.terminal() || pod.meta.deleted) continue;
    live.push_back(&pod);
    ready += pod.ready ? 1 : 0;
  }
  api::Deployment deployment = *found;
  const auto have = static_cast<int32_t>(live.size());
  if (have > deployment.replicas) {
    std::sort(live.begin(), live.end(), [](const api::Pod* a, const api::Pod* b) {
      return victim_rank(*a) < victim_rank(*b);
    });
    std::vector<std::string> victims;
    for (int32_t i = 0; i < have - deployment.replicas; ++i) {
      victims.push_back(live[static_cast<size_t>(i)]->meta.key());
    }
    for (const std::string& victim : victims) api_.delete_pod(victim);
  }
  for (int32_t i = have; i < deployment.replicas; ++i) {
    create_pod(deployment.pod_template, deployment.meta, "ReplicaSet", "apps/v1");
  }
  if (deployment.status_replicas != deployment.replicas || deployment.ready_replicas != ready) {
    deployment.status_replicas = deployment.replicas;
    deployment.ready_replicas = ready;
    context_.state.put(std::move(deployment));
  }
}

void Workloads::sync_job(const std::string& key) {
  const api::Job* found = context_.state.jobs().find(key);
  if (found == nullptr || found->completed_at || found->meta.deleted) return;
  api::Job job = *found;
  int32_t active = 0;
  int32_t succeeded = 0;
  for (const std::string& pod_key : context_.state.pods_of(job.meta.uid)) {
    const api::Pod& pod = context_.state.pods().at(pod_key);
    if (pod.phase == api::PodPhase::kSucceeded) ++succeeded;
    if (!pod.terminal())
      ++active;  // terminating ones count: no second pod before the first is gone
  }
  if (succeeded >= job.completions) {
    job.succeeded = succeeded;
    job.completed_at = context_.now;
    context_.state.put(std::move(job));
    return;
  }
  const int32_t wanted = std::min(job.parallelism, job.completions - succeeded);
  for (int32_t i = active; i < wanted; ++i) {
    create_pod(job.pod_template, job.meta, "Job", "batch/v1");
  }
}

void Workloads::sync_daemons() {
  for (const auto& [key, daemon_set] : context_.state.daemon_sets()) {
    if (daemon_set.meta.deleted) continue;
    std::set<std::string> covered;
    for (const std::string& pod_key : context_.state.pods_of(daemon_set.meta.uid)) {
      covered.insert(context_.state.pods().at(pod_key).spec.node_name);
    }
    for (const auto& [name, node] : context_.state.nodes()) {
      if (covered.contains(name) || node.meta.deleted) continue;
      // The DaemonSet controller tolerates the node's own conditions, not the taints of users.
      std::vector<api::Taint> taints = node.taints;
      std::erase_if(taints, [](const api::Taint& t) {
        return t.key.starts_with("node.kubernetes.io/") || t.key == api::kUnregisteredTaint;
      });
      const api::PodSpec& spec = daemon_set.pod_template.spec;
      const auto labels = api::Requirements::from_labels(node.meta.labels);
      const bool fits = api::first_untolerated(taints, spec.tolerations, false) == nullptr &&
                        labels.why_incompatible(api::pod_requirements(spec, false), false).empty();
      if (fits) create_pod(daemon_set.pod_template, daemon_set.meta, "DaemonSet", "apps/v1", name);
    }
  }
}

}  // namespace windlass::sim

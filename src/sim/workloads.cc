#include "sim/workloads.h"

#include <algorithm>

#include "sim/apps/reconciler.h"

namespace windlass::sim {
namespace {

using cluster::Kind;

constexpr Duration kLatency = milliseconds(300);

}  // namespace

Workloads::Workloads(Context& context, ApiServer& api)
    : context_(context),
      api_(api),
      reconciler_{
          context, api,
          [this](Kind kind, const std::string& key, Duration delay) { again(kind, key, delay); },
          [this](Kind kind, const std::string& key) { on_remove(kind, key); }} {}

void Workloads::later(Kind kind, const std::string& key) {
  if (!queued_.emplace(kind, key).second) return;
  context_.after(kLatency, [this, kind, key] {
    queued_.erase({kind, key});
    sync(kind, key);
  });
}

void Workloads::sync(Kind kind, const std::string& key) {
  switch (kind) {
    case Kind::kDeployment:
      return context_.served ? apps::sync_deployment(reconciler_, key) : sync_deployment(key);
    case Kind::kReplicaSet:
      return apps::sync_replica_set(reconciler_, key);
    case Kind::kStatefulSet:
      return apps::sync_stateful_set(reconciler_, key);
    case Kind::kJob:
      return context_.served ? apps::sync_job(reconciler_, key) : sync_job(key);
    case Kind::kCronJob:
      return apps::sync_cron_job(reconciler_, key);
    default:
      return context_.served ? apps::sync_daemon_set(reconciler_, key) : sync_daemons();
  }
}

void Workloads::sync_all() {
  const auto keys = [](const auto& table) {
    std::vector<std::string> all;
    for (const auto& [key, object] : table) all.push_back(key);
    return all;
  };
  const cluster::State& state = context_.state;
  for (const std::string& key : keys(state.deployments())) sync(Kind::kDeployment, key);
  if (!context_.served) return sync_daemons();
  for (const std::string& key : keys(state.replica_sets())) sync(Kind::kReplicaSet, key);
  for (const std::string& key : keys(state.all<api::StatefulSet>())) sync(Kind::kStatefulSet, key);
  for (const std::string& key : keys(state.daemon_sets())) sync(Kind::kDaemonSet, key);
  for (const std::string& key : keys(state.jobs())) later(Kind::kJob, key);
  for (const std::string& key : keys(state.cron_jobs())) later(Kind::kCronJob, key);
}

void Workloads::observe(const cluster::Change& change) {
  if (context_.served) return observe_served(change);
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

void Workloads::again(Kind kind, const std::string& key, Duration delay) {
  const Instant at = context_.now + delay;
  if (!planned_.emplace(at, kind, key).second) return;
  context_.events.at(at, [this, at, kind, key] {
    planned_.erase({at, kind, key});
    sync(kind, key);
  });
}

void Workloads::observe_served(const cluster::Change& change) {
  switch (change.kind) {
    case Kind::kDeployment:
    case Kind::kStatefulSet:
    case Kind::kDaemonSet:
    case Kind::kCronJob:
      if (!change.removed) later(change.kind, change.key);
      return;
    case Kind::kJob:
    case Kind::kReplicaSet:
      if (!change.removed) later(change.kind, change.key);
      return owner_later(change.kind, change.key);
    case Kind::kNode:
      for (const auto& [key, daemon_set] : context_.state.daemon_sets()) {
        later(Kind::kDaemonSet, key);
      }
      return;
    case Kind::kPod:
      return observe_pod(change);
    default:
      return;
  }
}

// The Deployment of a ReplicaSet, the CronJob of a Job; of one that is gone nobody knows, so all of
// its namespace.
void Workloads::owner_later(Kind kind, const std::string& key) {
  const auto look = [&](const auto& table, const auto& owners, Kind owner_kind) {
    const std::string prefix = key.substr(0, key.find('/') + 1);
    if (const auto* found = table.find(key)) {
      const api::OwnerReference* owner = apps::controller_of(found->meta);
      if (owner != nullptr && owners.find(prefix + owner->name) != nullptr) {
        later(owner_kind, prefix + owner->name);
      }
      return;
    }
    for (const auto& [name, owner] : owners) {
      if (name.starts_with(prefix)) later(owner_kind, name);
    }
  };
  const cluster::State& state = context_.state;
  if (kind == Kind::kReplicaSet) look(state.replica_sets(), state.deployments(), Kind::kDeployment);
  if (kind == Kind::kJob) look(state.jobs(), state.cron_jobs(), Kind::kCronJob);
}

void Workloads::observe_pod(const cluster::Change& change) {
  const api::Pod* pod = context_.state.pods().find(change.key);
  if (const auto known = controllers_.find(change.key); known != controllers_.end()) {
    const auto [kind, key] = known->second;
    later(kind, key);
    owner_later(kind, key);  // a Deployment of Recreate waits for the last pod to go
    if (pod == nullptr) controllers_.erase(known);
  }
  if (pod == nullptr) return;
  const api::OwnerReference* owner = apps::controller_of(pod->meta);
  if (owner == nullptr) {
    controllers_.erase(change.key);
    for (const auto& [key, set] : context_.state.replica_sets()) {
      const bool fits = set.meta.namespace_name == pod->meta.namespace_name &&
                        set.selector.matches(pod->meta.labels);
      if (fits) later(Kind::kReplicaSet, key);
    }
    return;
  }
  static const std::map<std::string_view, Kind> kKinds = {{"ReplicaSet", Kind::kReplicaSet},
                                                          {"StatefulSet", Kind::kStatefulSet},
                                                          {"DaemonSet", Kind::kDaemonSet},
                                                          {"Job", Kind::kJob}};
  const auto kind = kKinds.find(owner->kind);
  if (kind == kKinds.end()) return;
  const std::string key = pod->meta.namespace_name + "/" + owner->name;
  controllers_[change.key] = {kind->second, key};
  later(kind->second, key);
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
    const auto surplus = static_cast<size_t>(have - deployment.replicas);
    for (const std::string& victim : apps::victims(live, surplus)) api_.delete_pod(victim);
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

// The Deployment controller: a ReplicaSet a revision of the template, sizes moved from the old ones
// to the new one, revisions kept for undo, and the status that `kubectl rollout` reads.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "sim/apps/pod_template.h"
#include "sim/apps/reconciler.h"
#include "sim/apps/rollout.h"

namespace windlass::sim::apps {
namespace {

using cluster::Kind;

constexpr const char* kRevision = "deployment.kubernetes.io/revision";
constexpr const char* kHistory = "deployment.kubernetes.io/revision-history";
constexpr const char* kDesired = "deployment.kubernetes.io/desired-replicas";
constexpr const char* kMax = "deployment.kubernetes.io/max-replicas";
constexpr const char* kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

int64_t number_in(const api::ObjectMeta& meta, const char* annotation) {
  const auto it = meta.annotations.find(annotation);
  if (it == meta.annotations.end()) return 0;
  const auto value = parse_int(it->second);
  return value.ok() ? *value : 0;
}

RolloutLimits limits_of(const api::Deployment& deployment) {
  RolloutLimits limits;
  limits.replicas = deployment.replicas;
  limits.recreate = deployment.recreate;
  if (deployment.recreate) return limits;
  limits.surge = resolve(deployment.max_surge, deployment.replicas, true);
  limits.unavailable = resolve(deployment.max_unavailable, deployment.replicas, false);
  if (limits.surge == 0 && limits.unavailable == 0) limits.unavailable = 1;
  limits.unavailable = std::min(limits.unavailable, deployment.replicas);
  return limits;
}

std::vector<api::ReplicaSet> sets_of(const cluster::State& state,
                                     const api::Deployment& deployment) {
  std::vector<api::ReplicaSet> sets;
  for (const auto& [key, set] : state.replica_sets()) {
    const api::OwnerReference* owner = controller_of(set.meta);
    if (owner != nullptr && owner->uid == deployment.meta.uid) sets.push_back(set);
  }
  return sets;
}

// ReplicaSets that a Deployment of the same selector left behind (--cascade=orphan).
void adopt_sets(const Reconciler& reconciler, const api::Deployment& deployment) {
  std::vector<api::ReplicaSet> adopted;
  for (const auto& [key, set] : reconciler.context.state.replica_sets()) {
    const bool fits = set.meta.namespace_name == deployment.meta.namespace_name &&
                      controller_of(set.meta) == nullptr && !set.meta.deleted &&
                      deployment.selector.matches(set.meta.labels) &&
                      set.meta.labels.contains(kTemplateHashLabel);
    if (!fits) continue;
    api::ReplicaSet ours = set;
    ours.meta.owners.push_back(
        {"apps/v1", "Deployment", deployment.meta.name, deployment.meta.uid, true});
    adopted.push_back(std::move(ours));
  }
  for (api::ReplicaSet& set : adopted) reconciler.context.state.put(std::move(set));
}

void annotate_size(api::ReplicaSet& set, const RolloutLimits& limits) {
  set.meta.annotations[kDesired] = std::to_string(limits.replicas);
  set.meta.annotations[kMax] = std::to_string(limits.replicas + limits.surge);
}

// What a user noted on the Deployment (its change-cause above all) belongs to the revision.
void copy_annotations(const api::Deployment& deployment, api::ReplicaSet& set) {
  for (const auto& [key, value] : deployment.meta.annotations) {
    const bool own = key == kRevision || key == kHistory || key == kDesired || key == kMax ||
                     key == kLastApplied;
    if (!own) set.meta.annotations[key] = value;
  }
}

api::ReplicaSet new_set(const Reconciler& reconciler, const api::Deployment& deployment,
                        const Json& pod_template, const std::string& hash,
                        const RolloutLimits& limits) {
  api::ReplicaSet set;
  set.meta.name = deployment.meta.name + "-" + hash;
  set.meta.namespace_name = deployment.meta.namespace_name;
  set.meta.uid = reconciler.api.new_uid("replicaset", set.meta.name);
  set.meta.created = reconciler.context.now;
  set.meta.generation = 1;
  set.meta.labels = deployment.pod_template.labels;
  set.meta.labels[kTemplateHashLabel] = hash;
  set.meta.owners.push_back(
      {"apps/v1", "Deployment", deployment.meta.name, deployment.meta.uid, true});
  set.replicas = 0;
  set.selector = deployment.selector;
  set.selector.match_labels[kTemplateHashLabel] = hash;
  set.pod_template = deployment.pod_template;
  set.pod_template.labels[kTemplateHashLabel] = hash;
  set.min_ready = deployment.min_ready;
  copy_annotations(deployment, set);
  annotate_size(set, limits);
  Json raw{{"apiVersion", "apps/v1"}, {"kind", "ReplicaSet"}};
  raw["spec"]["template"] = pod_template;
  if (raw["spec"]["template"].contains("metadata")) {
    raw["spec"]["template"]["metadata"].erase("creationTimestamp");
  }
  set.raw = std::make_shared<const Json>(std::move(raw));
  return set;
}

// The set of the present template, made if `make` says so; its revision is the highest. Empty:
// none.
std::string bring_current_set(const Reconciler& reconciler, const api::Deployment& deployment,
                              const RolloutLimits& limits, bool make, bool& made) {
  cluster::State& state = reconciler.context.state;
  const Json pod_template = template_of(deployment);
  const std::string hash = template_hash(pod_template);
  const std::string key = deployment.meta.key() + "-" + hash;
  int64_t highest = 0;
  const std::vector<api::ReplicaSet> sets = sets_of(state, deployment);
  for (const api::ReplicaSet& set : sets) {
    if (set.meta.key() != key) highest = std::max(highest, number_in(set.meta, kRevision));
  }
  const api::ReplicaSet* found = state.replica_sets().find(key);
  if (found == nullptr && !make) return "";
  made = found == nullptr;
  const api::ReplicaSet before =
      made ? new_set(reconciler, deployment, pod_template, hash, limits) : *found;
  api::ReplicaSet set = before;
  if (!made && make) copy_annotations(deployment, set);
  const int64_t revision = number_in(set.meta, kRevision);
  if (revision <= highest) {
    if (revision > 0) {
      std::string& history = set.meta.annotations[kHistory];
      history += (history.empty() ? "" : ",") + std::to_string(revision);
    }
    set.meta.annotations[kRevision] = std::to_string(highest + 1);
  }
  set.min_ready = deployment.min_ready;
  const bool changed =
      made || set.meta.annotations != before.meta.annotations || set.min_ready != before.min_ready;
  if (changed) state.put(std::move(set));
  return key;
}

std::vector<SetSize> sizes_of(const cluster::State& state, const std::vector<api::ReplicaSet>& sets,
                              const std::string& current) {
  std::vector<SetSize> sizes;
  for (const api::ReplicaSet& set : sets) {
    SetSize size;
    size.key = set.meta.key();
    size.created = set.meta.created;
    size.replicas = set.replicas;
    // Those on their way out, too: Recreate waits until the last is gone.
    for (const std::string& pod : state.pods_of(set.meta.uid)) {
      if (!state.pods().at(pod).terminal()) ++size.pods;
    }
    size.available = set.available_replicas;
    size.limit = static_cast<int32_t>(number_in(set.meta, kMax));
    size.current = size.key == current;
    sizes.push_back(std::move(size));
  }
  return sizes;
}

void apply_sizes(const Reconciler& reconciler, const std::map<std::string, int32_t>& sizes,
                 const RolloutLimits& limits) {
  for (const auto& [key, replicas] : sizes) {
    api::ReplicaSet set = reconciler.context.state.replica_sets().at(key);
    set.replicas = replicas;
    ++set.meta.generation;
    annotate_size(set, limits);
    reconciler.context.state.put(std::move(set));
  }
}

// Old revisions beyond the limit go, oldest first.
void clean_history(const Reconciler& reconciler, const api::Deployment& deployment,
                   const std::string& current) {
  std::vector<api::ReplicaSet> old;
  for (api::ReplicaSet& set : sets_of(reconciler.context.state, deployment)) {
    const bool done = set.meta.key() != current && set.replicas == 0 && set.status_replicas == 0 &&
                      !set.meta.deleted;
    if (done) old.push_back(std::move(set));
  }
  std::sort(old.begin(), old.end(), [](const api::ReplicaSet& a, const api::ReplicaSet& b) {
    return number_in(a.meta, kRevision) < number_in(b.meta, kRevision);
  });
  const auto limit = static_cast<size_t>(deployment.revision_history_limit);
  for (size_t i = 0; i + limit < old.size(); ++i) {
    reconciler.remove(Kind::kReplicaSet, old[i].meta.key());
  }
}

bool complete(const api::Deployment& d) {
  return d.updated_replicas == d.replicas && d.status_replicas == d.replicas &&
         d.available_replicas == d.replicas;
}

void set_conditions(const Reconciler& reconciler, const api::Deployment& before,
                    api::Deployment& now, const RolloutLimits& limits, const std::string& set,
                    bool made) {
  const Instant at = reconciler.context.now;
  const bool enough = now.available_replicas >= limits.replicas - limits.unavailable;
  api::set_condition(now.conditions,
                     enough ? api::Condition{"Available", "True", "MinimumReplicasAvailable",
                                             "Deployment has minimum availability.", at}
                            : api::Condition{"Available", "False", "MinimumReplicasUnavailable",
                                             "Deployment does not have minimum availability.", at});
  const auto progressing = [&](const char* status, const char* reason, std::string message) {
    api::set_condition(now.conditions, {"Progressing", status, reason, std::move(message), at});
  };
  if (now.paused) {
    progressing("Unknown", "DeploymentPaused", "Deployment is paused");
    return;
  }
  if (set.empty()) return;
  const std::string quoted = fmt::format("ReplicaSet \"{}\"", set);
  if (complete(now)) {
    progressing("True", "NewReplicaSetAvailable", quoted + " has successfully progressed.");
    return;
  }
  const bool moved = now.updated_replicas != before.updated_replicas ||
                     now.ready_replicas > before.ready_replicas ||
                     now.available_replicas > before.available_replicas ||
                     now.status_replicas < before.status_replicas;
  const api::Condition* said = api::find_condition(before.conditions, "Progressing");
  if (made) {
    progressing("True", "NewReplicaSetCreated", fmt::format("Created new replica set \"{}\"", set));
  } else if (moved || said == nullptr || said->reason == "NewReplicaSetAvailable" ||
             said->status == "Unknown") {
    progressing("True", "ReplicaSetUpdated", quoted + " is progressing.");
  } else if (said->status == "True" && at - said->changed >= now.progress_deadline) {
    progressing("False", "ProgressDeadlineExceeded", quoted + " has timed out progressing.");
  }
  // set_condition() moves the time with the status alone; here every step counts.
  for (api::Condition& condition : now.conditions) {
    if (condition.type != "Progressing") continue;
    if (made || moved) condition.changed = at;
    const Duration left = condition.changed + now.progress_deadline - at;
    if (condition.status == "True" && left > Duration{}) {
      reconciler.again(Kind::kDeployment, now.meta.key(), left);
    }
  }
}

void write_status(const Reconciler& reconciler, const std::string& key, const RolloutLimits& limits,
                  const std::string& current, bool made) {
  cluster::State& state = reconciler.context.state;
  const api::Deployment before = state.deployments().at(key);
  api::Deployment now = before;
  now.observed_generation = now.meta.generation;
  now.status_replicas = now.updated_replicas = now.ready_replicas = now.available_replicas = 0;
  int32_t wanted = 0;
  std::string current_name;
  for (const api::ReplicaSet& set : sets_of(state, before)) {
    now.status_replicas += set.status_replicas;
    now.ready_replicas += set.ready_replicas;
    now.available_replicas += set.available_replicas;
    wanted += set.replicas;
    if (set.meta.key() != current) continue;
    now.updated_replicas = set.status_replicas;
    current_name = set.meta.name;
    now.meta.annotations[kRevision] = std::to_string(number_in(set.meta, kRevision));
  }
  now.unavailable_replicas = std::max(0, wanted - now.available_replicas);
  set_conditions(reconciler, before, now, limits, current_name, made);
  const auto status = [](const api::Deployment& d) {
    return std::tie(d.observed_generation, d.status_replicas, d.updated_replicas, d.ready_replicas,
                    d.available_replicas, d.unavailable_replicas, d.conditions, d.meta.annotations);
  };
  if (status(now) != status(before)) state.put(std::move(now));
}

}  // namespace

void sync_deployment(const Reconciler& reconciler, const std::string& key) {
  cluster::State& state = reconciler.context.state;
  const api::Deployment* found = state.deployments().find(key);
  if (found == nullptr || found->meta.deleted) return;
  const api::Deployment deployment = *found;  // the tables move under us
  const RolloutLimits limits = limits_of(deployment);
  adopt_sets(reconciler, deployment);
  bool made = false;
  const std::string current =
      bring_current_set(reconciler, deployment, limits, !deployment.paused, made);
  const std::vector<api::ReplicaSet> sets = sets_of(state, deployment);
  const std::vector<SetSize> sizes = sizes_of(state, sets, current);
  const bool rescaled = std::any_of(sets.begin(), sets.end(), [&](const api::ReplicaSet& set) {
    const auto it = set.meta.annotations.find(kDesired);
    return set.replicas > 0 && it != set.meta.annotations.end() &&
           it->second != std::to_string(deployment.replicas);
  });
  const auto changes = deployment.paused || (rescaled && !deployment.recreate)
                           ? scaled_sizes(sizes, limits)
                           : next_sizes(sizes, limits);
  apply_sizes(reconciler, changes, limits);
  if (rescaled) {
    // Those that kept their size have seen the new total as well.
    for (const api::ReplicaSet& set : sets) {
      if (set.replicas == 0 || changes.contains(set.meta.key())) continue;
      api::ReplicaSet seen = set;
      annotate_size(seen, limits);
      state.put(std::move(seen));
    }
  }
  write_status(reconciler, key, limits, current, made);
  const api::Deployment* after = state.deployments().find(key);
  if (after != nullptr && complete(*after)) clean_history(reconciler, *after, current);
}

}  // namespace windlass::sim::apps

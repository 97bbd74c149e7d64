// The StatefulSet controller: pods with numbers, one after the other, each with its claims. Those
// below `partition` stay with the former revision of the template, also when they die.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "sim/apps/pod_template.h"
#include "sim/apps/reconciler.h"
#include "sim/apps/revisions.h"

namespace windlass::sim::apps {
namespace {

using cluster::Kind;

// The number in "web-3"; nullopt: no pod of this set by its name.
std::optional<int32_t> ordinal_of(const std::string& pod, const std::string& set) {
  if (!pod.starts_with(set + "-")) return std::nullopt;
  const auto number = parse_int(std::string_view(pod).substr(set.size() + 1));
  if (!number.ok() || *number < 0 || *number > INT32_MAX) return std::nullopt;
  return static_cast<int32_t>(*number);
}

std::map<int32_t, api::Pod> pods_of(const cluster::State& state, const api::StatefulSet& set) {
  std::map<int32_t, api::Pod> pods;
  for (const std::string& key : state.pods_of(set.meta.uid)) {
    const api::Pod& pod = state.pods().at(key);
    if (const auto ordinal = ordinal_of(pod.meta.name, set.meta.name)) pods[*ordinal] = pod;
  }
  return pods;
}

const std::string& revision_of(const api::Pod& pod) {
  static const std::string kNone;
  const auto it = pod.meta.labels.find(kRevisionHashLabel);
  return it == pod.meta.labels.end() ? kNone : it->second;
}

// A claim is bound at once: no volume is simulated that could be late.
void claim_volume(const Reconciler& reconciler, const api::StatefulSet& set, const Json& claim,
                  const std::string& name) {
  cluster::State& state = reconciler.context.state;
  const std::string key = set.meta.namespace_name + "/" + name;
  if (state.all<api::PersistentVolumeClaim>().find(key) != nullptr) return;
  api::PersistentVolumeClaim made;
  made.meta.name = name;
  made.meta.namespace_name = set.meta.namespace_name;
  made.meta.uid = reconciler.api.new_uid("pvc", name);
  made.meta.created = reconciler.context.now;
  made.meta.labels = set.selector.match_labels;
  made.volume = "pvc-" + made.meta.uid;
  Json raw{{"apiVersion", "v1"}, {"kind", "PersistentVolumeClaim"}};
  const Json spec = claim.value("spec", Json::object());
  raw["spec"] = spec;
  raw["status"]["phase"] = "Bound";
  if (spec.contains("accessModes")) raw["status"]["accessModes"] = spec["accessModes"];
  if (spec.contains("resources") && spec["resources"].contains("requests")) {
    raw["status"]["capacity"] = spec["resources"]["requests"];
  }
  if (spec.contains("storageClassName") && spec["storageClassName"].is_string()) {
    made.storage_class = spec["storageClassName"].get<std::string>();
  }
  made.raw = std::make_shared<const Json>(std::move(raw));
  state.put(std::move(made));
}

void create(const Reconciler& reconciler, const api::StatefulSet& set, const Json& object,
            const std::string& revision, int32_t ordinal) {
  const Json spec = object.value("spec", Json::object());
  api::Pod pod =
      make_pod(reconciler, set.pod_template, raw_pod(spec.value("template", Json::object())),
               set.meta, "StatefulSet", "apps/v1");
  pod.meta.name = fmt::format("{}-{}", set.meta.name, ordinal);
  pod.meta.uid = reconciler.api.new_uid("pod", pod.meta.name);
  pod.meta.labels["statefulset.kubernetes.io/pod-name"] = pod.meta.name;
  pod.meta.labels["apps.kubernetes.io/pod-index"] = std::to_string(ordinal);
  pod.meta.labels[kRevisionHashLabel] = revision;
  for (const Json& claim : spec.value("volumeClaimTemplates", Json::array())) {
    if (!claim.is_object()) continue;
    const Json meta = claim.value("metadata", Json::object());
    const std::string volume = meta.value("name", "");
    if (volume.empty()) continue;
    const std::string name = volume + "-" + pod.meta.name;
    claim_volume(reconciler, set, claim, name);
    pod.spec.volumes.push_back({volume, name, false, ""});
  }
  Json raw = *pod.raw;
  raw["spec"]["hostname"] = pod.meta.name;
  if (spec.contains("serviceName")) raw["spec"]["subdomain"] = spec["serviceName"];
  pod.raw = std::make_shared<const Json>(std::move(raw));
  reconciler.context.state.put(std::move(pod));
}

// The set with the template its pods had before this one; nullopt: that is gone.
std::optional<api::StatefulSet> former(const cluster::State& state, const api::StatefulSet& set) {
  Json pod_template = template_of_revision(state, set.meta, set.current_revision);
  if (pod_template.empty()) return std::nullopt;
  Json object = api::encode(set);
  object["spec"]["template"] = std::move(pod_template);
  Result<api::Object> read = api::decode(object);
  if (!read.ok()) return std::nullopt;
  return std::get<api::StatefulSet>(*std::move(read));
}

void create_of_revision(const Reconciler& reconciler, const api::StatefulSet& set,
                        const Json& object, const std::string& revision, int32_t ordinal) {
  if (ordinal < set.partition && !set.current_revision.empty() &&
      set.current_revision != revision) {
    if (const auto before = former(reconciler.context.state, set)) {
      return create(reconciler, *before, api::encode(*before), set.current_revision, ordinal);
    }
  }
  create(reconciler, set, object, revision, ordinal);
}

// The next steps towards so many pods; true if something is still to wait for.
bool scale(const Reconciler& reconciler, const api::StatefulSet& set, const std::string& revision) {
  const auto pods = pods_of(reconciler.context.state, set);
  const Json object = api::encode(set);
  bool waits = false;
  size_t made = 0;
  for (int32_t i = 0; i < set.replicas; ++i) {
    const auto it = pods.find(i);
    if (it == pods.end()) {
      if (++made > kBurst) return true;
      create_of_revision(reconciler, set, object, revision, i);
      waits = true;
    } else if (it->second.terminal() && !it->second.meta.deleted) {
      reconciler.api.delete_pod(it->second.meta.key());
      waits = true;
    } else if (it->second.meta.deleted || !it->second.ready) {
      waits = true;
    }
    if (waits && !set.parallel) return true;
  }
  for (auto it = pods.rbegin(); it != pods.rend() && it->first >= set.replicas; ++it) {
    waits = true;
    if (!it->second.meta.deleted) reconciler.api.delete_pod(it->second.meta.key());
    if (!set.parallel) return true;
  }
  return waits;
}

// One pod of an older revision, the highest number first.
void update(const Reconciler& reconciler, const api::StatefulSet& set,
            const std::string& revision) {
  const auto pods = pods_of(reconciler.context.state, set);
  for (auto it = pods.rbegin(); it != pods.rend() && it->first >= set.partition; ++it) {
    if (it->second.meta.deleted || !it->second.ready) return;
    if (revision_of(it->second) == revision) continue;
    reconciler.api.delete_pod(it->second.meta.key());
    return;
  }
}

}  // namespace

void sync_stateful_set(const Reconciler& reconciler, const std::string& key) {
  cluster::State& state = reconciler.context.state;
  const api::StatefulSet* found = state.all<api::StatefulSet>().find(key);
  if (found == nullptr || found->meta.deleted) return;
  const api::StatefulSet before = *found;
  const Json pod_template = template_of(before);
  const std::string hash = template_hash(pod_template);
  const std::string revision = before.meta.name + "-" + hash;
  bring_revision(
      reconciler,
      {&before.meta, "StatefulSet", &before.pod_template.labels, "controller.kubernetes.io/hash"},
      pod_template, hash);
  const bool waits = scale(reconciler, before, revision);
  if (!waits && !before.on_delete) update(reconciler, before, revision);
  api::StatefulSet now = before;
  now.observed_generation = now.meta.generation;
  now.update_revision = revision;
  if (now.current_revision.empty()) now.current_revision = revision;
  now.status_replicas = now.ready_replicas = now.available_replicas = now.updated_replicas = 0;
  now.current_replicas = 0;
  std::set<std::string> in_use;
  for (const auto& [ordinal, pod] : pods_of(state, before)) {
    in_use.insert(revision_of(pod));
    ++now.status_replicas;
    if (pod.ready) ++now.ready_replicas;
    if (available(reconciler, pod, now.min_ready, Kind::kStatefulSet, key)) {
      ++now.available_replicas;
    }
    if (revision_of(pod) == revision) ++now.updated_replicas;
    if (revision_of(pod) == now.current_revision) ++now.current_replicas;
  }
  const bool updated = now.updated_replicas == now.replicas && now.ready_replicas == now.replicas &&
                       now.status_replicas == now.replicas;
  if (updated) {
    now.current_revision = revision;
    now.current_replicas = now.updated_replicas;
  }
  in_use.insert({now.current_revision, now.update_revision});
  clean_revisions(reconciler, now.meta, in_use, static_cast<size_t>(now.revision_history_limit));
  const auto status = [](const api::StatefulSet& s) {
    return std::tie(s.observed_generation, s.status_replicas, s.ready_replicas,
                    s.available_replicas, s.updated_replicas, s.current_replicas,
                    s.current_revision, s.update_revision);
  };
  if (status(now) != status(before)) state.put(std::move(now));
}

}  // namespace windlass::sim::apps

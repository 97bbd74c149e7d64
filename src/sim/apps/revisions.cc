#include "sim/apps/revisions.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace windlass::sim::apps {
namespace {

using cluster::Kind;

std::vector<const api::ControllerRevision*> revisions_of(const cluster::State& state,
                                                         const api::ObjectMeta& owner) {
  std::vector<const api::ControllerRevision*> found;
  for (const auto& [key, revision] : state.controller_revisions()) {
    const api::OwnerReference* by = controller_of(revision.meta);
    if (by != nullptr && by->uid == owner.uid && !revision.meta.deleted) found.push_back(&revision);
  }
  return found;
}

}  // namespace

void bring_revision(const Reconciler& reconciler, const RevisionOwner& owner,
                    const Json& pod_template, const std::string& hash) {
  cluster::State& state = reconciler.context.state;
  const std::string name = owner.meta->name + "-" + hash;
  int64_t highest = 0;
  const api::ControllerRevision* known = nullptr;
  for (const api::ControllerRevision* each : revisions_of(state, *owner.meta)) {
    highest = std::max(highest, each->revision);
    if (each->meta.name == name) known = each;
  }
  if (known != nullptr) {
    if (known->revision == highest) return;
    api::ControllerRevision again = *known;
    again.revision = highest + 1;
    return state.put(std::move(again));
  }
  api::ControllerRevision made;
  made.meta.name = name;
  made.meta.namespace_name = owner.meta->namespace_name;
  if (state.controller_revisions().find(made.meta.key()) != nullptr) return;  // somebody else's
  made.meta.uid = reconciler.api.new_uid("revision", name);
  made.meta.created = reconciler.context.now;
  made.meta.labels = *owner.labels;
  made.meta.labels[owner.hash_label] = hash;
  // What a user noted (its change-cause above all) belongs to the revision.
  made.meta.annotations = owner.meta->annotations;
  made.meta.annotations.erase("kubectl.kubernetes.io/last-applied-configuration");
  made.meta.owners.push_back({"apps/v1", owner.kind, owner.meta->name, owner.meta->uid, true});
  made.revision = highest + 1;
  Json raw{{"apiVersion", "apps/v1"}, {"kind", "ControllerRevision"}};
  Json kept = pod_template;
  kept["$patch"] = "replace";  // it is sent back as a strategic merge patch
  raw["data"]["spec"]["template"] = std::move(kept);
  made.raw = std::make_shared<const Json>(std::move(raw));
  state.put(std::move(made));
}

void clean_revisions(const Reconciler& reconciler, const api::ObjectMeta& owner,
                     const std::set<std::string>& in_use, size_t limit) {
  std::vector<std::pair<int64_t, std::string>> old;
  for (const api::ControllerRevision* each : revisions_of(reconciler.context.state, owner)) {
    if (!in_use.contains(each->meta.name)) old.emplace_back(each->revision, each->meta.key());
  }
  std::sort(old.begin(), old.end());
  for (size_t i = 0; i + limit < old.size(); ++i) {
    reconciler.remove(Kind::kControllerRevision, old[i].second);
  }
}

Json template_of_revision(const cluster::State& state, const api::ObjectMeta& owner,
                          const std::string& name) {
  for (const api::ControllerRevision* each : revisions_of(state, owner)) {
    if (each->meta.name != name || each->raw == nullptr) continue;
    const Json* at = each->raw.get();
    for (const char* key : {"data", "spec", "template"}) {
      const auto found = at->is_object() ? at->find(key) : at->end();
      if (found == at->end()) return Json::object();
      at = &*found;
    }
    Json out = *at;
    if (out.is_object()) out.erase("$patch");
    return out.is_object() ? out : Json::object();
  }
  return Json::object();
}

}  // namespace windlass::sim::apps

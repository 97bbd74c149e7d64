// The history of a StatefulSet or DaemonSet: a ControllerRevision for each template it had,
// numbered by use, which `kubectl rollout history` lists and `kubectl rollout undo` puts back.
#pragma once

#include <set>
#include <string>

#include "base/json.h"
#include "sim/apps/reconciler.h"

namespace windlass::sim::apps {

struct RevisionOwner {
  const api::ObjectMeta* meta = nullptr;
  std::string kind;                        // "StatefulSet"
  const api::StringMap* labels = nullptr;  // of the pods: how kubectl finds its revisions
  std::string hash_label;                  // the label that holds the hash
};

// The revision of this template, made if it is new and given the highest number if it is not the
// last. Named OWNER-HASH.
void bring_revision(const Reconciler& reconciler, const RevisionOwner& owner,
                    const Json& pod_template, const std::string& hash);

// Takes away the oldest beyond `limit`, but none of those in use (names).
void clean_revisions(const Reconciler& reconciler, const api::ObjectMeta& owner,
                     const std::set<std::string>& in_use, size_t limit);

// The template that a revision keeps; an empty object if there is no such revision of the owner.
Json template_of_revision(const cluster::State& state, const api::ObjectMeta& owner,
                          const std::string& name);

}  // namespace windlass::sim::apps

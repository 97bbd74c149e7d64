// One object of any kind Windlass knows, and how manifests become such objects.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/autoscaling.h"
#include "api/core.h"
#include "api/karpenter.h"
#include "api/keda.h"
#include "api/storage.h"
#include "base/result.h"

namespace windlass::api {

using Object =
    std::variant<Pod, Node, Deployment, DaemonSet, Job, PriorityClass, PodDisruptionBudget,
                 NodePool, NodeClaim, Ec2NodeClass, ScaledObject, StatefulSet, Namespace, Secret,
                 ConfigMap, PersistentVolumeClaim, PersistentVolume, StorageClass, CsiNode,
                 HorizontalPodAutoscaler, ScaledJob, TriggerAuthentication, NodeOverlay, ReplicaSet,
                 CronJob, ControllerRevision>;

const ObjectMeta& meta_of(const Object& object);
std::string_view kind_of(const Object& object);

// What is wrong, or worth saying, about one place of a manifest.
struct Finding {
  std::string place;  // "nodepool.yaml:17: NodePool/gpu spec.limits.cpu"
  std::string text;   // what was found and what is accepted
};

struct Manifests {
  std::vector<Object> objects;
  std::vector<Finding> errors;    // the manifest is refused
  std::vector<Finding> warnings;  // skipped kinds, fields read otherwise than their API does
};

// Reads a YAML (or JSON) stream of manifests. Never fails as a whole: every document that can be
// read is in `objects`, everything wrong is in `errors` (all of it, not the first). Unknown kinds
// are named in `warnings` and skipped. A kind: List is unpacked. v1beta1 NodePools and NodeClaims
// are converted to v1 (a consolidateAfter beside WhenUnderutilized is read with v1's meaning and
// warned of); beta labels are normalised. `file` is used in places only.
Manifests read_manifests(std::string_view text, std::string_view file);

// One object from its JSON; the error lists every bad field, "; " between.
Result<Object> decode(const Json& json);
// What decode() would refuse of an object of a kind Windlass reads, with paths as places
// ("spec.x"); nothing for other kinds.
std::vector<Finding> read_faults(const Json& json);
// The object as its API has it: what was read, with the typed fields on top.
Json encode(const Object& object);

}  // namespace windlass::api

#include "cluster/resources.h"

#include <array>
#include <utility>

#include "base/assert.h"

namespace windlass::cluster {
namespace {

constexpr std::array<ApiResource, 27> kResources{{
    {Kind::kPod, "pods", "v1", "Pod", true},
    {Kind::kNode, "nodes", "v1", "Node", false},
    {Kind::kDeployment, "deployments.apps", "apps/v1", "Deployment", true},
    {Kind::kDaemonSet, "daemonsets.apps", "apps/v1", "DaemonSet", true},
    {Kind::kJob, "jobs.batch", "batch/v1", "Job", true},
    {Kind::kPriorityClass, "priorityclasses.scheduling.k8s.io", "scheduling.k8s.io/v1",
     "PriorityClass", false},
    {Kind::kPodDisruptionBudget, "poddisruptionbudgets.policy", "policy/v1", "PodDisruptionBudget",
     true},
    {Kind::kNodePool, "nodepools.karpenter.sh", "karpenter.sh/v1", "NodePool", false},
    {Kind::kNodeClaim, "nodeclaims.karpenter.sh", "karpenter.sh/v1", "NodeClaim", false},
    {Kind::kNodeClass, "ec2nodeclasses.karpenter.k8s.aws", "karpenter.k8s.aws/v1", "EC2NodeClass",
     false},
    {Kind::kScaledObject, "scaledobjects.keda.sh", "keda.sh/v1alpha1", "ScaledObject", true},
    {Kind::kStatefulSet, "statefulsets.apps", "apps/v1", "StatefulSet", true},
    {Kind::kNamespace, "namespaces", "v1", "Namespace", false},
    {Kind::kSecret, "secrets", "v1", "Secret", true},
    {Kind::kConfigMap, "configmaps", "v1", "ConfigMap", true},
    {Kind::kPersistentVolumeClaim, "persistentvolumeclaims", "v1", "PersistentVolumeClaim", true},
    {Kind::kPersistentVolume, "persistentvolumes", "v1", "PersistentVolume", false},
    {Kind::kStorageClass, "storageclasses.storage.k8s.io", "storage.k8s.io/v1", "StorageClass",
     false},
    {Kind::kCsiNode, "csinodes.storage.k8s.io", "storage.k8s.io/v1", "CSINode", false},
    {Kind::kHorizontalPodAutoscaler, "horizontalpodautoscalers.autoscaling", "autoscaling/v2",
     "HorizontalPodAutoscaler", true},
    {Kind::kScaledJob, "scaledjobs.keda.sh", "keda.sh/v1alpha1", "ScaledJob", true},
    {Kind::kTriggerAuthentication, "triggerauthentications.keda.sh", "keda.sh/v1alpha1",
     "TriggerAuthentication", true},
    {Kind::kNodeOverlay, "nodeoverlays.karpenter.sh", "karpenter.sh/v1alpha1", "NodeOverlay",
     false},
    {Kind::kReplicaSet, "replicasets.apps", "apps/v1", "ReplicaSet", true},
    {Kind::kCronJob, "cronjobs.batch", "batch/v1", "CronJob", true},
    {Kind::kControllerRevision, "controllerrevisions.apps", "apps/v1", "ControllerRevision", true},
    {Kind::kTriggerAuthentication, "clustertriggerauthentications.keda.sh", "keda.sh/v1alpha1",
     "ClusterTriggerAuthentication", false},
}};

template <size_t I = 0>
std::optional<api::Object> find_in(const State& state, size_t index, std::string_view key) {
  if constexpr (I < std::variant_size_v<api::Object>) {
    if (index != I) return find_in<I + 1>(state, index, key);
    const auto* found = state.all<std::variant_alternative_t<I, api::Object>>().find(key);
    if (found == nullptr) return std::nullopt;
    return api::Object(*found);
  } else {
    return std::nullopt;
  }
}

template <size_t I = 0>
void collect(const State& state, std::set<std::pair<Kind, std::string>>& out) {
  if constexpr (I < std::variant_size_v<api::Object>) {
    for (const auto& [key, object] : state.all<std::variant_alternative_t<I, api::Object>>()) {
      out.emplace(static_cast<Kind>(I), key);
    }
    collect<I + 1>(state, out);
  }
}

}  // namespace

std::span<const ApiResource> api_resources() { return kResources; }

const ApiResource& api_resource(Kind kind, bool namespaced) {
  const ApiResource* found = nullptr;
  for (const ApiResource& one : kResources) {
    if (one.kind == kind && (found == nullptr || one.namespaced == namespaced)) found = &one;
  }
  WL_ASSERT(found != nullptr);
  return *found;
}

std::string api_path(const ApiResource& resource, std::string_view namespace_name,
                     std::string_view name) {
  std::string path = resource.api_version.find('/') == std::string_view::npos ? "/api/" : "/apis/";
  path += resource.api_version;
  if (!namespace_name.empty()) path.append("/namespaces/").append(namespace_name);
  path.append("/").append(resource.resource.substr(0, resource.resource.find('.')));
  if (!name.empty()) path.append("/").append(name);
  return path;
}

std::string api_path(Kind kind, std::string_view key) {
  const size_t slash = key.find('/');
  const bool namespaced = slash != std::string_view::npos;
  return api_path(api_resource(kind, namespaced), namespaced ? key.substr(0, slash) : "",
                  namespaced ? key.substr(slash + 1) : key);
}

std::optional<Kind> kind_of_resource(std::string_view resource) {
  for (const ApiResource& one : kResources) {
    if (one.resource == resource) return one.kind;
  }
  return std::nullopt;
}

std::optional<ObjectKey> store_key(Kind kind, std::string_view key) {
  const size_t slash = key.find('/');
  const bool namespaced = slash != std::string_view::npos;
  for (const ApiResource& one : kResources) {
    if (one.kind != kind) continue;
    // One typed kind stands for two resources: the cluster-wide one has no namespace.
    if (kind == Kind::kTriggerAuthentication && one.namespaced != namespaced) continue;
    return ObjectKey{std::string(one.resource),
                     namespaced ? std::string(key.substr(0, slash)) : std::string(),
                     std::string(namespaced ? key.substr(slash + 1) : key)};
  }
  return std::nullopt;
}

std::optional<api::Object> object_at(const State& state, Kind kind, std::string_view key) {
  return find_in(state, static_cast<size_t>(kind), key);
}

std::vector<std::string_view> world_resources() {
  std::vector<std::string_view> out;
  for (const ApiResource& one : kResources) out.push_back(one.resource);
  return out;
}

std::set<std::pair<Kind, std::string>> all_objects(const State& state) {
  std::set<std::pair<Kind, std::string>> out;
  collect(state, out);
  return out;
}

}  // namespace windlass::cluster

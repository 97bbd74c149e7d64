#include "server/embedded/resources.h"

#include <array>
#include <utility>

namespace windlass::server::embedded {
namespace {

using cluster::Kind;

constexpr std::array<std::pair<Kind, std::string_view>, 25> kResources{{
    {Kind::kPod, "pods"},
    {Kind::kNode, "nodes"},
    {Kind::kDeployment, "deployments.apps"},
    {Kind::kDaemonSet, "daemonsets.apps"},
    {Kind::kJob, "jobs.batch"},
    {Kind::kPriorityClass, "priorityclasses.scheduling.k8s.io"},
    {Kind::kPodDisruptionBudget, "poddisruptionbudgets.policy"},
    {Kind::kNodePool, "nodepools.karpenter.sh"},
    {Kind::kNodeClaim, "nodeclaims.karpenter.sh"},
    {Kind::kNodeClass, "ec2nodeclasses.karpenter.k8s.aws"},
    {Kind::kScaledObject, "scaledobjects.keda.sh"},
    {Kind::kStatefulSet, "statefulsets.apps"},
    {Kind::kNamespace, "namespaces"},
    {Kind::kSecret, "secrets"},
    {Kind::kConfigMap, "configmaps"},
    {Kind::kPersistentVolumeClaim, "persistentvolumeclaims"},
    {Kind::kPersistentVolume, "persistentvolumes"},
    {Kind::kStorageClass, "storageclasses.storage.k8s.io"},
    {Kind::kCsiNode, "csinodes.storage.k8s.io"},
    {Kind::kHorizontalPodAutoscaler, "horizontalpodautoscalers.autoscaling"},
    {Kind::kScaledJob, "scaledjobs.keda.sh"},
    {Kind::kTriggerAuthentication, "triggerauthentications.keda.sh"},
    {Kind::kNodeOverlay, "nodeoverlays.karpenter.sh"},
    {Kind::kReplicaSet, "replicasets.apps"},
    {Kind::kTriggerAuthentication, "clustertriggerauthentications.keda.sh"},
}};

template <size_t I = 0>
std::optional<api::Object> find_in(const cluster::State& state, size_t index,
                                   std::string_view key) {
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
void collect(const cluster::State& state, std::set<std::pair<Kind, std::string>>& out) {
  if constexpr (I < std::variant_size_v<api::Object>) {
    for (const auto& [key, object] : state.all<std::variant_alternative_t<I, api::Object>>()) {
      out.emplace(static_cast<Kind>(I), key);
    }
    collect<I + 1>(state, out);
  }
}

}  // namespace

std::optional<Kind> kind_of_resource(std::string_view resource) {
  for (const auto& [kind, name] : kResources) {
    if (name == resource) return kind;
  }
  return std::nullopt;
}

std::optional<cluster::ObjectKey> store_key(Kind kind, std::string_view key) {
  const size_t slash = key.find('/');
  const bool namespaced = slash != std::string_view::npos;
  for (const auto& [known, resource] : kResources) {
    if (known != kind) continue;
    // One typed kind stands for two resources: the cluster-wide one has no namespace.
    if (kind == Kind::kTriggerAuthentication && !namespaced && !resource.starts_with("cluster")) {
      continue;
    }
    return cluster::ObjectKey{std::string(resource),
                              namespaced ? std::string(key.substr(0, slash)) : std::string(),
                              std::string(namespaced ? key.substr(slash + 1) : key)};
  }
  return std::nullopt;
}

std::optional<api::Object> object_at(const cluster::State& state, Kind kind, std::string_view key) {
  return find_in(state, static_cast<size_t>(kind), key);
}

std::vector<std::string_view> world_resources() {
  std::vector<std::string_view> out;
  for (const auto& [kind, resource] : kResources) out.push_back(resource);
  return out;
}

std::set<std::pair<Kind, std::string>> all_objects(const cluster::State& state) {
  std::set<std::pair<Kind, std::string>> out;
  collect(state, out);
  return out;
}

}  // namespace windlass::server::embedded

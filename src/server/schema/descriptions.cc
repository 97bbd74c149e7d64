// What `kubectl explain` says first about the types people ask for most.
#include <algorithm>
#include <utility>

#include "server/schema/open_api_schemas.h"

namespace windlass::server::schema {
namespace {

// By name behind "io.k8s.api."; sorted.
constexpr std::pair<std::string_view, std::string_view> kDescriptions[] = {
    {"apps.v1.DaemonSet", "Keeps one pod on every node that its template fits."},
    {"apps.v1.Deployment",
     "Keeps a number of equal pods running and replaces them step by step "
     "when its template changes."},
    {"apps.v1.DeploymentSpec",
     "How many pods there are to be, what they look like and how a change "
     "is rolled out."},
    {"apps.v1.ReplicaSet", "Keeps a number of equal pods running; usually a Deployment's."},
    {"apps.v1.StatefulSet", "Keeps pods with lasting names, started and stopped in order."},
    {"autoscaling.v1.HorizontalPodAutoscaler",
     "Sets the size of a workload from measured CPU use."},
    {"autoscaling.v1.Scale", "The size of a workload, wanted and seen."},
    {"autoscaling.v2.HorizontalPodAutoscaler", "Sets the size of a workload from metrics."},
    {"autoscaling.v2.HorizontalPodAutoscalerSpec",
     "Which workload is sized, between which bounds, by which metrics, and how fast."},
    {"batch.v1.CronJob", "Makes a Job at the times that a schedule names."},
    {"batch.v1.Job", "Runs pods until a number of them have succeeded."},
    {"coordination.v1.Lease", "Who holds a lock, and until when."},
    {"core.v1.Binding", "Puts a pod on a node."},
    {"core.v1.ConfigMap", "Settings as texts by name, for pods to read."},
    {"core.v1.Container", "One program of a pod: its image, command, environment and resources."},
    {"core.v1.Event", "A report that something happened to an object."},
    {"core.v1.Namespace", "A space of names for objects."},
    {"core.v1.Node", "A machine that pods run on."},
    {"core.v1.NodeSpec",
     "What was decided about a machine: taints, provider id, whether pods may "
     "still come."},
    {"core.v1.NodeStatus", "What a machine has and how it is."},
    {"core.v1.PersistentVolume", "A piece of storage."},
    {"core.v1.PersistentVolumeClaim", "A wish for a piece of storage."},
    {"core.v1.Pod", "Containers that run together on one node."},
    {"core.v1.PodSpec", "What a pod runs and where it may run."},
    {"core.v1.PodStatus", "How a pod is: its phase, conditions and containers."},
    {"core.v1.PodTemplateSpec", "What pods made from this template look like."},
    {"core.v1.ResourceRequirements", "What a container asks for and may use at most."},
    {"core.v1.Secret", "Confidential bytes by name."},
    {"core.v1.Service", "One address for a set of pods."},
    {"core.v1.ServiceAccount", "A name for programs in pods to sign in with."},
    {"core.v1.Taint", "Keeps pods off a node unless they tolerate it."},
    {"core.v1.Toleration", "Lets a pod onto nodes with a matching taint."},
    {"discovery.v1.EndpointSlice", "Addresses of the pods behind a Service."},
    {"networking.v1.Ingress", "Routes of HTTP requests to Services."},
    {"networking.v1.NetworkPolicy", "Which traffic pods may have."},
    {"policy.v1.Eviction", "A wish to remove a pod, granted if its disruption budgets allow."},
    {"policy.v1.PodDisruptionBudget", "How many of a set of pods may be gone at the same time."},
    {"scheduling.v1.PriorityClass", "A number that says which pods go first."},
    {"storage.v1.StorageClass", "A kind of storage that claims can name."},
};

}  // namespace

std::string_view description_of(std::string_view type_name) {
  constexpr std::string_view kPackage = "io.k8s.api.";
  if (type_name == "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta") {
    return "What every object has: name, namespace, labels, annotations, owners.";
  }
  if (!type_name.starts_with(kPackage)) return "";
  type_name.remove_prefix(kPackage.size());
  const auto* found =
      std::lower_bound(std::begin(kDescriptions), std::end(kDescriptions), type_name,
                       [](const auto& entry, std::string_view name) { return entry.first < name; });
  return found != std::end(kDescriptions) && found->first == type_name ? found->second : "";
}

}  // namespace windlass::server::schema

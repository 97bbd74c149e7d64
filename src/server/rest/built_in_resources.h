// The table of built-in resources: names as Kubernetes serves them. Internal to this room.
#pragma once

#include <string_view>

namespace windlass::server::rest {

struct BuiltInResource {
  std::string_view group;
  std::string_view versions;  // "v2 v1": the preferred first, and stored
  std::string_view plural;
  std::string_view kind;
  std::string_view short_names;  // separated by spaces
  std::string_view flags;   // n namespaced, a category all, s status, c scale, v virtual (review)
  std::string_view others;  // further subresources
};

inline constexpr BuiltInResource kBuiltInResources[] = {
    {"", "v1", "configmaps", "ConfigMap", "cm", "n", ""},
    {"", "v1", "endpoints", "Endpoints", "ep", "n", ""},
    {"", "v1", "events", "Event", "ev", "n", ""},
    {"", "v1", "limitranges", "LimitRange", "limits", "n", ""},
    {"", "v1", "namespaces", "Namespace", "ns", "s", "finalize"},
    {"", "v1", "nodes", "Node", "no", "s", "proxy"},
    {"", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", "pvc", "ns", ""},
    {"", "v1", "persistentvolumes", "PersistentVolume", "pv", "s", ""},
    {"", "v1", "pods", "Pod", "po", "nas",
     "attach binding ephemeralcontainers eviction exec log portforward proxy resize"},
    {"", "v1", "podtemplates", "PodTemplate", "", "n", ""},
    {"", "v1", "replicationcontrollers", "ReplicationController", "rc", "nasc", ""},
    {"", "v1", "resourcequotas", "ResourceQuota", "quota", "ns", ""},
    {"", "v1", "secrets", "Secret", "", "n", ""},
    {"", "v1", "serviceaccounts", "ServiceAccount", "sa", "n", "token"},
    {"", "v1", "services", "Service", "svc", "nas", "proxy"},
    {"apps", "v1", "controllerrevisions", "ControllerRevision", "", "n", ""},
    {"apps", "v1", "daemonsets", "DaemonSet", "ds", "nas", ""},
    {"apps", "v1", "deployments", "Deployment", "deploy", "nasc", ""},
    {"apps", "v1", "replicasets", "ReplicaSet", "rs", "nasc", ""},
    {"apps", "v1", "statefulsets", "StatefulSet", "sts", "nasc", ""},
    {"events.k8s.io", "v1", "events", "Event", "ev", "n", ""},
    {"authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", "", "v", ""},
    {"authentication.k8s.io", "v1", "tokenreviews", "TokenReview", "", "v", ""},
    {"authorization.k8s.io", "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview", "",
     "nv", ""},
    {"authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", "", "v",
     ""},
    {"authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", "", "v",
     ""},
    {"authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", "", "v", ""},
    {"autoscaling", "v2 v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler", "hpa", "nas",
     ""},
    {"batch", "v1", "cronjobs", "CronJob", "cj", "nas", ""},
    {"batch", "v1", "jobs", "Job", "", "nas", ""},
    {"networking.k8s.io", "v1", "ingressclasses", "IngressClass", "", "", ""},
    {"networking.k8s.io", "v1", "ingresses", "Ingress", "ing", "ns", ""},
    {"networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", "netpol", "n", ""},
    {"policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", "pdb", "ns", ""},
    {"rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", "", "", ""},
    {"rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", "", "", ""},
    {"rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", "", "n", ""},
    {"rbac.authorization.k8s.io", "v1", "roles", "Role", "", "n", ""},
    {"storage.k8s.io", "v1", "csidrivers", "CSIDriver", "", "", ""},
    {"storage.k8s.io", "v1", "csinodes", "CSINode", "", "", ""},
    {"storage.k8s.io", "v1", "storageclasses", "StorageClass", "sc", "", ""},
    {"storage.k8s.io", "v1", "volumeattachments", "VolumeAttachment", "", "s", ""},
    {"admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations",
     "MutatingWebhookConfiguration", "", "", ""},
    {"admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations",
     "ValidatingWebhookConfiguration", "", "", ""},
    {"apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition",
     "crd crds", "s", ""},
    {"scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", "pc", "", ""},
    {"coordination.k8s.io", "v1", "leases", "Lease", "", "n", ""},
    {"discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", "", "n", ""},
};

}  // namespace windlass::server::rest

// Private to this room: the readers of each kind, and of the parts that several kinds share. Every
// one takes a Reader standing at its value, returns what could be read, and leaves what is wrong in
// the reader's log.
#pragma once

#include <string>
#include <vector>

#include "api/json_reader.h"
#include "api/object.h"

namespace windlass::api {

// Parts.
enum class Scope { kCluster, kNamespaced };
ObjectMeta read_meta(Reader meta, Scope scope);
StringMap read_labels(const Reader& labels);
LabelSelector read_selector(Reader selector);
// Where no selector selects nothing, though an empty one selects everything: the absent one is
// read as a term that never holds. is_nothing() knows it.
LabelSelector read_selector_or_nothing(Reader selector);
bool is_nothing(const LabelSelector& selector);
std::vector<Condition> read_conditions(const Reader& conditions);
std::vector<Taint> read_taints(const Reader& taints);
std::optional<IntOrPercent> read_int_or_percent(const Reader& value);
PodTemplate read_pod_template(Reader pod_template);
PodSpec read_pod_spec(Reader spec);
// What a pod's affinity says of nodes and of other pods, into `out`.
void read_affinity(Reader affinity, PodSpec& out);
NodeSelectorTerm read_node_term(Reader term);
// core/v1 NodeSelector: terms, ORed.
std::vector<NodeSelectorTerm> read_node_selector(Reader selector);
std::vector<TopologySpreadConstraint> read_topology_spread(const Reader& list);
// A batch/v1 JobSpec. Only a ScaledJob's may leave restartPolicy out (KEDA puts OnFailure).
enum class RestartPolicy { kRequired, kOptional };
void read_job_spec(Reader spec, RestartPolicy restart_policy, Job& out);
// The triggers of a ScaledObject or ScaledJob.
enum class TriggersOf { kScaledObject, kScaledJob };
std::vector<Trigger> read_triggers(const Reader& list, TriggersOf owner);
bool is_resource_trigger(const Trigger& trigger);  // cpu and memory

// Who states a requirement decides which operators there are, and how keys are restricted.
enum class RequirementsOf { kPod, kNodePool, kNodeClaim, kNodeOverlay };
std::vector<RequirementSpec> read_requirements(const Reader& list, RequirementsOf owner);
// An error at `place` if a NodePool may not set or require the label.
void check_pool_label(const Reader& place, const std::string& key);
// Beta names of zone, region, arch, os and instance type become the stable ones.
std::string stable_label(const std::string& key);

// Kinds; `root` stands at the whole object.
Pod read_pod(Reader root);
Node read_node(Reader root);
Deployment read_deployment(Reader root);
DaemonSet read_daemon_set(Reader root);
Job read_job(Reader root);
PriorityClass read_priority_class(Reader root);
PodDisruptionBudget read_pod_disruption_budget(Reader root);
NodePool read_node_pool(Reader root);
NodeClaim read_node_claim(Reader root);
Ec2NodeClass read_ec2_node_class(Reader root);
ScaledObject read_scaled_object(Reader root);
StatefulSet read_stateful_set(Reader root);
ReplicaSet read_replica_set(Reader root);
CronJob read_cron_job(Reader root);
ControllerRevision read_controller_revision(Reader root);
Namespace read_namespace(Reader root);
Secret read_secret(Reader root);
ConfigMap read_config_map(Reader root);
PersistentVolumeClaim read_persistent_volume_claim(Reader root);
PersistentVolume read_persistent_volume(Reader root);
StorageClass read_storage_class(Reader root);
CsiNode read_csi_node(Reader root);
HorizontalPodAutoscaler read_horizontal_pod_autoscaler(Reader root);
ScaledJob read_scaled_job(Reader root);
TriggerAuthentication read_trigger_authentication(Reader root);
TriggerAuthentication read_cluster_trigger_authentication(Reader root);
NodeOverlay read_node_overlay(Reader root);
std::optional<Behavior> read_behavior(Reader behavior);

// karpenter.sh and karpenter.k8s.aws v1beta1 to v1, in place; `root` reads the same object before
// any change and takes errors and warnings about what v1 has no words for (convert_v1beta1.cc).
void convert_node_pool(Json& object, Reader root);
void convert_node_claim(Json& object, Reader root);
void convert_ec2_node_class(Json& object, Reader root);
// The place a v1 path came from, for findings about a converted object.
std::string v1beta1_path(const std::string& kind, const std::string& path);

}  // namespace windlass::api

// Private to this room: the writers of each kind and of shared parts. Each writes its value over
// `out`, which holds the object as it was read (or apiVersion and kind alone).
#pragma once

#include "api/json_writer.h"
#include "api/object.h"

namespace windlass::api {

void write_meta(Json& out, const ObjectMeta& meta);
void write_selector(Json& parent, const char* key, const LabelSelector& selector);
void write_conditions(Json& parent, const std::vector<Condition>& conditions);
void write_taints(Json& parent, const char* key, const std::vector<Taint>& taints);
void write_requirements(Json& parent, const char* key, const std::vector<RequirementSpec>& specs);
void write_node_term(Json& term, const NodeSelectorTerm& value);
void write_affinity(Json& spec, const PodSpec& value);
void write_topology_spread(Json& spec, const std::vector<TopologySpreadConstraint>& constraints);
void write_pod_spec(Json& out, const PodSpec& spec);
void write_job_spec(Json& spec, const Job& job);
std::string_view text_of(MetricTargetType type);
void write_pod_template(Json& out, const PodTemplate& pod_template);
void write_behavior(Json& parent, const std::optional<Behavior>& behavior);

void write(Json& out, const Pod& pod);
void write(Json& out, const Node& node);
void write(Json& out, const Deployment& deployment);
void write(Json& out, const DaemonSet& daemon_set);
void write(Json& out, const Job& job);
void write(Json& out, const PriorityClass& priority_class);
void write(Json& out, const PodDisruptionBudget& budget);
void write(Json& out, const NodePool& pool);
void write(Json& out, const NodeClaim& claim);
void write(Json& out, const Ec2NodeClass& node_class);
void write(Json& out, const ScaledObject& object);
void write(Json& out, const StatefulSet& stateful_set);
void write(Json& out, const ReplicaSet& replica_set);
void write(Json& out, const CronJob& cron_job);
void write(Json& out, const ControllerRevision& revision);
void write(Json& out, const Namespace& namespace_object);
void write(Json& out, const Secret& secret);
void write(Json& out, const ConfigMap& config_map);
void write(Json& out, const PersistentVolumeClaim& claim);
void write(Json& out, const PersistentVolume& volume);
void write(Json& out, const StorageClass& storage_class);
void write(Json& out, const CsiNode& csi_node);
void write(Json& out, const HorizontalPodAutoscaler& hpa);
void write(Json& out, const ScaledJob& job);
void write(Json& out, const TriggerAuthentication& authentication);
void write(Json& out, const NodeOverlay& overlay);

}  // namespace windlass::api

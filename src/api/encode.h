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
void write_pod_spec(Json& out, const PodSpec& spec);
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
template <typename T>
void write(Json& out, const T& object) {
  write_meta(out, object.meta);
}

}  // namespace windlass::api

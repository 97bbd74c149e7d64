// Private to this room: the readers of each kind, and of the parts that several kinds share. Every
// one takes a Reader standing at its value, returns what could be read, and leaves what is wrong in
// the reader's log.
#pragma once

#include <string>
#include <vector>

#include "api/json_reader.h"
#include "api/object.h"

namespace windlass::api {

// Parts (decode_meta.cc, decode_pod.cc).
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

// Who states a requirement decides which operators there are, and how keys are restricted.
enum class RequirementsOf { kPod, kNodePool };
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
std::optional<Behavior> read_behavior(Reader behavior);

// karpenter.sh and karpenter.k8s.aws v1beta1 to v1, in place; `root` reads the same object before
// any change and takes errors and warnings about what v1 has no words for (convert_v1beta1.cc).
void convert_node_pool(Json& object, Reader root);
void convert_node_claim(Json& object, Reader root);
void convert_ec2_node_class(Json& object, Reader root);
// The place a v1 path came from, for findings about a converted object.
std::string v1beta1_path(const std::string& kind, const std::string& path);

}  // namespace windlass::api

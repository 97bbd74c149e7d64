// Where a pod wants to be: node affinity, pod affinity and anti-affinity, topology spread.
#include <nlohmann/json.hpp>

#include "api/decode.h"

namespace windlass::api {
namespace {

// Terms are kept apart: required ones are alternatives, of which placing takes the first and then,
// relaxed, the next.
void read_node_affinity(Reader node, PodSpec& out) {
  Reader required = node.at("requiredDuringSchedulingIgnoredDuringExecution");
  if (required.present()) out.required_node_terms = read_node_selector(std::move(required));
  for (Reader item : node.at("preferredDuringSchedulingIgnoredDuringExecution").items()) {
    PreferredNodeTerm term;
    term.weight = item.required("weight").int32(1, 100).value_or(1);
    term.term = read_node_term(item.required("preference"));
    out.preferred_node_terms.push_back(std::move(term));
  }
}

// The API server refuses keys without a selector, as they only add to one.
std::vector<std::string> read_label_keys(Reader& item, const char* key) {
  Reader keys = item.at(key);
  std::vector<std::string> out = keys.strings();
  if (!out.empty() && !item.has("labelSelector")) keys.error("needs a labelSelector");
  return out;
}

PodAffinityTerm read_pod_term(Reader item) {
  PodAffinityTerm out;
  out.topology_key = stable_label(item.at("topologyKey").required_string());
  out.selector = read_selector_or_nothing(item.at("labelSelector"));
  out.namespaces = item.at("namespaces").strings();
  // An empty one takes every namespace, an absent one none.
  Reader namespace_selector = item.at("namespaceSelector");
  if (namespace_selector.present()) {
    out.namespace_selector = read_selector(std::move(namespace_selector));
  }
  out.match_label_keys = read_label_keys(item, "matchLabelKeys");
  out.mismatch_label_keys = read_label_keys(item, "mismatchLabelKeys");
  return out;
}

PodAffinity read_pod_affinity(Reader affinity) {
  PodAffinity out;
  for (Reader item : affinity.at("requiredDuringSchedulingIgnoredDuringExecution").items()) {
    out.required.push_back(read_pod_term(std::move(item)));
  }
  for (Reader item : affinity.at("preferredDuringSchedulingIgnoredDuringExecution").items()) {
    PreferredPodTerm term;
    term.weight = item.required("weight").int32(1, 100).value_or(1);
    Reader inner = item.required("podAffinityTerm");
    if (inner.present()) term.term = read_pod_term(std::move(inner));
    out.preferred.push_back(std::move(term));
  }
  return out;
}

bool read_policy(const Reader& policy, bool absent) {
  return policy.one_of<bool>({{"Honor", true}, {"Ignore", false}}).value_or(absent);
}

}  // namespace

NodeSelectorTerm read_node_term(Reader term) {
  if (term.has("matchFields")) term.at("matchFields").warning("is not looked at");
  return {read_requirements(term.at("matchExpressions"), RequirementsOf::kPod)};
}

std::vector<NodeSelectorTerm> read_node_selector(Reader selector) {
  std::vector<NodeSelectorTerm> out;
  const Reader terms = selector.required("nodeSelectorTerms");
  for (const Reader& term : terms.items()) out.push_back(read_node_term(term));
  if (terms.present() && terms.json().is_array() && out.empty()) terms.error("is empty");
  return out;
}

void read_affinity(Reader affinity, PodSpec& out) {
  read_node_affinity(affinity.at("nodeAffinity"), out);
  out.affinity = read_pod_affinity(affinity.at("podAffinity"));
  out.anti_affinity = read_pod_affinity(affinity.at("podAntiAffinity"));
}

std::vector<TopologySpreadConstraint> read_topology_spread(const Reader& list) {
  std::vector<TopologySpreadConstraint> out;
  for (Reader item : list.items()) {
    TopologySpreadConstraint constraint;
    constraint.max_skew = item.required("maxSkew").int32(1, INT32_MAX).value_or(1);
    constraint.topology_key = stable_label(item.at("topologyKey").required_string());
    constraint.schedule_anyway =
        item.required("whenUnsatisfiable")
            .one_of<bool>({{"DoNotSchedule", false}, {"ScheduleAnyway", true}})
            .value_or(false);
    constraint.selector = read_selector_or_nothing(item.at("labelSelector"));
    Reader min_domains = item.at("minDomains");
    constraint.min_domains = min_domains.int32(1, INT32_MAX);
    if (constraint.min_domains && constraint.schedule_anyway) {
      min_domains.error("works with whenUnsatisfiable DoNotSchedule only");
    }
    constraint.honor_node_affinity = read_policy(item.at("nodeAffinityPolicy"), true);
    constraint.honor_node_taints = read_policy(item.at("nodeTaintsPolicy"), false);
    constraint.match_label_keys = read_label_keys(item, "matchLabelKeys");
    out.push_back(std::move(constraint));
  }
  return out;
}

}  // namespace windlass::api

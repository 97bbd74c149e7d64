#include "api/encode.h"

namespace windlass::api {
namespace {

void write_pod_term(Json& out, const PodAffinityTerm& term) {
  put_string(out, "topologyKey", term.topology_key);
  write_selector(out, "labelSelector", term.selector);
  put_strings(out, "namespaces", term.namespaces);
  if (term.namespace_selector) write_selector(out, "namespaceSelector", *term.namespace_selector);
  put_strings(out, "matchLabelKeys", term.match_label_keys);
  put_strings(out, "mismatchLabelKeys", term.mismatch_label_keys);
}

void write_pod_affinity(Json& affinity, const char* key, const PodAffinity& value) {
  within(affinity, key, [&](Json& out) {
    put_each(out, "requiredDuringSchedulingIgnoredDuringExecution", value.required, "topologyKey",
             write_pod_term);
    put_each(out, "preferredDuringSchedulingIgnoredDuringExecution", value.preferred, "weight",
             [](Json& p, const PreferredPodTerm& term) {
               p["weight"] = term.weight;
               within(p, "podAffinityTerm", [&](Json& t) { write_pod_term(t, term.term); });
             });
  });
}

}  // namespace

void write_node_term(Json& term, const NodeSelectorTerm& value) {
  write_requirements(term, "matchExpressions", value.match_expressions);
}

void write_affinity(Json& spec, const PodSpec& value) {
  within(spec, "affinity", [&](Json& affinity) {
    within(affinity, "nodeAffinity", [&](Json& node) {
      if (value.required_node_terms.empty()) {
        node.erase("requiredDuringSchedulingIgnoredDuringExecution");
      } else {
        within(node, "requiredDuringSchedulingIgnoredDuringExecution", [&](Json& required) {
          // Terms have no name: each is written over the one at its place.
          put_each(required, "nodeSelectorTerms", value.required_node_terms, "", write_node_term);
        });
      }
      put_each(node, "preferredDuringSchedulingIgnoredDuringExecution", value.preferred_node_terms,
               "weight", [](Json& p, const PreferredNodeTerm& term) {
                 p["weight"] = term.weight;
                 within(p, "preference", [&](Json& t) { write_node_term(t, term.term); });
                 if (!p.contains("preference")) p["preference"] = Json::object();
               });
    });
    write_pod_affinity(affinity, "podAffinity", value.affinity);
    write_pod_affinity(affinity, "podAntiAffinity", value.anti_affinity);
  });
}

void write_topology_spread(Json& spec, const std::vector<TopologySpreadConstraint>& constraints) {
  put_each(spec, "topologySpreadConstraints", constraints, "topologyKey",
           [](Json& c, const TopologySpreadConstraint& constraint) {
             const auto put_policy = [&](const char* key, bool honor, bool absent) {
               put_string(c, key, honor ? "Honor" : "Ignore", absent ? "Honor" : "Ignore");
             };
             c["maxSkew"] = constraint.max_skew;
             c["topologyKey"] = constraint.topology_key;
             c["whenUnsatisfiable"] =
                 constraint.schedule_anyway ? "ScheduleAnyway" : "DoNotSchedule";
             write_selector(c, "labelSelector", constraint.selector);
             put_int(c, "minDomains", constraint.min_domains);
             put_policy("nodeAffinityPolicy", constraint.honor_node_affinity, true);
             put_policy("nodeTaintsPolicy", constraint.honor_node_taints, false);
             put_strings(c, "matchLabelKeys", constraint.match_label_keys);
           });
}

}  // namespace windlass::api

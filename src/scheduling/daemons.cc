#include "scheduling/daemons.h"

namespace windlass::scheduling {

std::vector<Daemon> daemons_of(const Problem& problem) {
  std::vector<Daemon> out;
  for (const api::DaemonSet* daemon_set : problem.daemon_sets) {
    const api::PodSpec& spec = daemon_set->pod_template.spec;
    Daemon daemon{&spec.tolerations, {}, api::pod_requests(spec), host_ports(spec)};
    const auto selector = api::Requirements::from_labels(spec.node_selector);
    for (const api::NodeSelectorTerm& term : spec.required_node_terms) {
      daemon.alternatives.push_back(selector);
      daemon.alternatives.back().add(api::Requirements::from_specs(term.match_expressions));
    }
    if (daemon.alternatives.empty()) daemon.alternatives.push_back(selector);
    out.push_back(std::move(daemon));
  }
  return out;
}

}  // namespace windlass::scheduling

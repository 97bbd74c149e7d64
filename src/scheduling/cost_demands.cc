#include "scheduling/cost_demands.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace windlass::scheduling {
namespace {

// Absent and empty selectors are not told apart here, so neither counts.
bool selects_itself(const api::LabelSelector& selector, const api::Pod& pod) {
  const bool says_something = !selector.match_labels.empty() || !selector.match_expressions.empty();
  return says_something && selector.matches(pod.meta.labels);
}

bool repels_itself(const api::PodAffinityTerm& term, const api::Pod& pod) {
  const bool own_namespace =
      (term.namespaces.empty() && !term.namespace_selector) ||
      std::ranges::find(term.namespaces, pod.meta.namespace_name) != term.namespaces.end();
  return term.topology_key == api::kHostnameLabel && own_namespace &&
         term.mismatch_label_keys.empty() && selects_itself(term.selector, pod);
}

bool has_host_port(const api::Pod& pod) {
  return std::ranges::any_of(pod.spec.containers, [](const api::Container& container) {
    return !container.host_ports.empty();
  });
}

int32_t most_per_node(const api::Pod& pod, PerNode per_node) {
  const bool wishes_too = per_node == PerNode::kAsTried;
  int32_t most = has_host_port(pod) ? 1 : kEndless;
  for (const auto& spread : pod.spec.topology_spread) {
    const bool counts = spread.topology_key == api::kHostnameLabel &&
                        (wishes_too || !spread.schedule_anyway) &&
                        selects_itself(spread.selector, pod);
    if (counts) most = std::min(most, std::max(1, spread.max_skew));
  }
  for (const auto& term : pod.spec.anti_affinity.required) {
    if (repels_itself(term, pod)) most = 1;
  }
  for (const auto& preferred : pod.spec.anti_affinity.preferred) {
    if (wishes_too && repels_itself(preferred.term, pod)) most = 1;
  }
  return most;
}

std::set<std::string> topology_keys(const api::PodSpec& spec) {
  std::set<std::string> keys;
  for (const auto& spread : spec.topology_spread) keys.insert(spread.topology_key);
  for (const auto* affinity : {&spec.affinity, &spec.anti_affinity}) {
    for (const auto& term : affinity->required) keys.insert(term.topology_key);
    for (const auto& preferred : affinity->preferred) keys.insert(preferred.term.topology_key);
  }
  keys.erase(std::string(api::kHostnameLabel));
  return keys;
}

}  // namespace

std::vector<Demand> demands_of(const Search& search, const std::vector<uint32_t>& pods,
                               const std::vector<api::Requirements>& pins, PerNode per_node) {
  std::vector<Demand> out;
  std::map<std::pair<uint32_t, std::string>, size_t> known;  // by kind and pins
  for (const uint32_t pod : pods) {
    const QueuedPod& queued = search.queue[pod];
    const std::string domain = pins.empty() ? "" : pins[pod].to_string();
    const auto [at, is_new] = known.try_emplace({queued.kind, domain}, out.size());
    if (is_new) {
      Demand demand;
      demand.kind = queued.kind;
      if (!pins.empty()) demand.pins = pins[pod];
      demand.most_per_node = most_per_node(*queued.pod, per_node);
      out.push_back(std::move(demand));
    }
    out[at->second].pods.push_back(pod);
  }
  return out;
}

api::Requirements pins_of(const api::Pod& pod, const NewClaim& claim) {
  api::Requirements out;
  for (const std::string& key : topology_keys(pod.spec)) {
    if (!claim.requirements.has(key)) continue;
    const api::Requirement& domain = claim.requirements.get(key);
    if (!domain.complement() && domain.values().size() == 1) out.add(key, domain);
  }
  return out;
}

}  // namespace windlass::scheduling

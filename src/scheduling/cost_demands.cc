#include "scheduling/cost_demands.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

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

// Labels whose value for the pod depends on where others are, or its volumes.
std::set<std::string> topology_keys(const api::PodSpec& spec) {
  std::set<std::string> keys;
  for (const auto& spread : spec.topology_spread) keys.insert(spread.topology_key);
  for (const auto* affinity : {&spec.affinity, &spec.anti_affinity}) {
    for (const auto& term : affinity->required) keys.insert(term.topology_key);
    for (const auto& preferred : affinity->preferred) keys.insert(preferred.term.topology_key);
  }
  if (!spec.volumes.empty()) keys.insert(std::string(api::kZoneLabel));
  keys.erase(std::string(api::kHostnameLabel));
  return keys;
}

// Demands that differ in size only, to be taken together in part.
struct Cluster {
  std::vector<size_t> demands;
  size_t column = 0;      // in which they differ most, given their sizes
  double spread = 0;      // there, times pods
  int64_t cut_above = 0;  // halves it
};

Cluster cluster_of(const std::vector<Demand>& all, std::vector<size_t> demands) {
  Cluster out;
  double pods = 0;
  for (const size_t d : demands) pods += all[d].count();
  for (size_t c = 0; c < all[demands.front()].amounts.size(); ++c) {
    int64_t least = std::numeric_limits<int64_t>::max();
    int64_t most = 0;
    for (const size_t d : demands) {
      least = std::min(least, all[d].amounts[c]);
      most = std::max(most, all[d].amounts[c]);
    }
    if (most <= least) continue;
    const double spread = pods * (1 - static_cast<double>(least) / static_cast<double>(most));
    if (spread <= out.spread) continue;
    out.spread = spread;
    out.column = c;
    out.cut_above = least + (most - least) / 2;
  }
  out.demands = std::move(demands);
  return out;
}

// One demand of the cluster's pods, of the size that stands for all.
Demand merged(const std::vector<Demand>& all, const Cluster& cluster, PerNode per_node) {
  Demand out = all[cluster.demands.front()];
  for (size_t i = 1; i < cluster.demands.size(); ++i) {
    const Demand& other = all[cluster.demands[i]];
    out.pods.insert(out.pods.end(), other.pods.begin(), other.pods.end());
    for (size_t c = 0; c < out.amounts.size(); ++c) {
      out.amounts[c] = per_node == PerNode::kHard ? std::min(out.amounts[c], other.amounts[c])
                                                  : std::max(out.amounts[c], other.amounts[c]);
    }
  }
  std::ranges::sort(out.pods);
  return out;
}

// Splits what differs in size only where it differs most, until there are kMaxDemands.
std::vector<Demand> fewer(const Search& search, const std::vector<Demand>& all, PerNode per_node) {
  std::map<std::tuple<uint32_t, std::string, int32_t>, std::vector<size_t>> alike;
  for (size_t d = 0; d < all.size(); ++d) {
    const uint32_t form = search.kinds[all[d].kind].form;
    alike[{form, all[d].pins.to_string(), all[d].most_per_node}].push_back(d);
  }
  std::vector<Cluster> clusters;
  for (auto& [key, demands] : alike) clusters.push_back(cluster_of(all, std::move(demands)));
  while (clusters.size() < kMaxDemands) {
    const auto widest = std::ranges::max_element(clusters, {}, &Cluster::spread);
    if (widest->spread <= 0) break;
    std::vector<size_t> low;
    std::vector<size_t> high;
    for (const size_t d : widest->demands) {
      (all[d].amounts[widest->column] > widest->cut_above ? high : low).push_back(d);
    }
    *widest = cluster_of(all, std::move(low));
    clusters.push_back(cluster_of(all, std::move(high)));
  }
  std::vector<Demand> out;
  for (const Cluster& cluster : clusters) out.push_back(merged(all, cluster, per_node));
  std::ranges::sort(out, {}, [](const Demand& demand) { return demand.pods.front(); });
  return out;
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
      demand.amounts = search.kinds[queued.kind].amounts;
      demand.most_per_node = most_per_node(*queued.pod, per_node);
      out.push_back(std::move(demand));
    }
    out[at->second].pods.push_back(pod);
  }
  return out.size() > kMaxDemands ? fewer(search, out, per_node) : out;
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

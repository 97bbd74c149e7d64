// Pairs of pods that avoid or seek each other, and skews, over the nodes a plan asks for.
#include <algorithm>
#include <map>
#include <set>

#include "scheduling/plan_checker.h"

namespace windlass::scheduling::test {
namespace {

using Broken = std::vector<std::string>;

bool selects(const Problem& problem, const api::Pod& owner, const api::PodAffinityTerm& term,
             const api::Pod& other) {
  bool here =
      std::ranges::find(term.namespaces, other.meta.namespace_name) != term.namespaces.end();
  if (term.namespace_selector) {
    here |= *term.namespace_selector == api::LabelSelector{};
    for (const auto* one : problem.surroundings.namespaces) {
      here |= one->meta.name == other.meta.namespace_name &&
              term.namespace_selector->matches(one->meta.labels);
    }
  } else if (term.namespaces.empty()) {
    here = owner.meta.namespace_name == other.meta.namespace_name;
  }
  const auto same = [&](const std::string& key) {
    const auto own = owner.meta.labels.find(key);
    const auto theirs = other.meta.labels.find(key);
    if (own == owner.meta.labels.end()) return std::optional<bool>();
    return std::optional(theirs != other.meta.labels.end() && theirs->second == own->second);
  };
  for (const auto& key : term.match_label_keys) here &= same(key).value_or(true);
  for (const auto& key : term.mismatch_label_keys) here &= !same(key).value_or(false);
  return here && term.selector.matches(other.meta.labels);
}

struct Placed {
  const api::Pod* pod;
  const Spot* spot;
  bool is_new;
};

// Whether two nodes could come to stand in one domain.
bool could_meet(const Spot& a, const Spot& b, const std::string& key) {
  const std::set<std::string> of_a = a.values(key);
  if (&a == &b) return !of_a.empty();
  const std::set<std::string> of_b = b.values(key);
  return std::ranges::any_of(of_a, [&](const auto& value) { return of_b.contains(value); });
}

void check_avoiding(const Problem& problem, const std::vector<Placed>& all, Broken& broken) {
  for (const Placed& owner : all) {
    for (const api::PodAffinityTerm& term : owner.pod->spec.anti_affinity.required) {
      for (const Placed& other : all) {
        if (other.pod == owner.pod || (!owner.is_new && !other.is_new)) continue;
        if (!selects(problem, *owner.pod, term, *other.pod)) continue;
        if (!could_meet(*owner.spot, *other.spot, term.topology_key)) continue;
        broken.push_back(owner.pod->meta.key() + " may meet " + other.pod->meta.key() + " in one " +
                         term.topology_key);
      }
    }
  }
}

// A domain of the set must hold a pod that is sought, whichever it will be; the first of a kind
// that seeks itself needs none, and of pods that are alike only one can have been the first.
void check_seeking(const Problem& problem, const std::vector<Placed>& all, Broken& broken) {
  std::map<std::string, int> first;
  for (const Placed& owner : all) {
    if (!owner.is_new) continue;
    for (size_t t = 0; t < owner.pod->spec.affinity.required.size(); ++t) {
      const api::PodAffinityTerm& term = owner.pod->spec.affinity.required[t];
      std::set<std::string> lonely = owner.spot->values(term.topology_key);
      const bool labelled = !lonely.empty();
      for (const Placed& other : all) {
        if (other.pod == owner.pod || !selects(problem, *owner.pod, term, *other.pod)) continue;
        if (other.spot == owner.spot) lonely.clear();
        const std::set<std::string> theirs = other.spot->values(term.topology_key);
        if (theirs.size() == 1) lonely.erase(*theirs.begin());
      }
      if (labelled && lonely.empty()) continue;
      const bool seeks_itself = selects(problem, *owner.pod, term, *owner.pod);
      const std::string kind =
          owner.pod->meta.name.substr(0, owner.pod->meta.name.find('-')) + std::to_string(t);
      if (labelled && seeks_itself && ++first[kind] == 1) continue;
      broken.push_back(owner.pod->meta.key() + " does not find whom it seeks over " +
                       term.topology_key);
    }
  }
}

bool spread_selects(const api::Pod& owner, const api::TopologySpreadConstraint& constraint,
                    const api::Pod& other) {
  api::PodAffinityTerm term;
  term.selector = constraint.selector;
  term.match_label_keys = constraint.match_label_keys;
  return selects({}, owner, term, other);
}

bool same_rule(const api::Pod& a, const api::Pod& b) {
  return a.meta.namespace_name == b.meta.namespace_name && a.meta.labels == b.meta.labels &&
         a.spec.topology_spread == b.spec.topology_spread &&
         a.spec.node_selector == b.spec.node_selector &&
         a.spec.required_node_terms == b.spec.required_node_terms &&
         a.spec.tolerations == b.spec.tolerations;
}

// Whether the constraint's node policies count the spot's pods.
bool counts(const api::Pod& owner, const api::TopologySpreadConstraint& constraint,
            const Spot& spot) {
  api::PodSpec looked_at = owner.spec;
  if (!constraint.honor_node_affinity) {
    looked_at.node_selector.clear();
    looked_at.required_node_terms.clear();
  }
  std::vector<api::Taint> taints;
  if (constraint.honor_node_taints) taints = spot.taints;
  return std::ranges::all_of(spot.labels, [&](const api::StringMap& labels) {
    return kube_accepts(looked_at, labels, taints);
  });
}

// Only where every new pod that counts is bound by the same rule: then each was within the skew
// when it came, the least only grew since, and so the last state must be within it as well.
void check_spread(const std::vector<Spot>& spots, const std::vector<Placed>& all,
                  const api::Pod& owner, const api::TopologySpreadConstraint& constraint,
                  Broken& broken) {
  if (constraint.schedule_anyway) return;
  for (const Placed& other : all) {
    const bool counted = other.is_new && spread_selects(owner, constraint, *other.pod);
    if (counted && !same_rule(owner, *other.pod)) return;
  }
  // OR terms come one after another, so the domains in play are not the same for all.
  if (owner.spec.required_node_terms.size() > 1) return;
  std::map<std::string, int64_t> domains;
  std::set<std::string> touched;
  for (const Spot& spot : spots) {
    const std::set<std::string> value = spot.values(constraint.topology_key);
    if (value.size() != 1 || !counts(owner, constraint, spot)) continue;
    int64_t& count = domains[*value.begin()];
    for (const Placed& placed : all) {
      if (placed.spot != &spot || !spread_selects(owner, constraint, *placed.pod)) continue;
      ++count;
      if (placed.is_new) touched.insert(*value.begin());
    }
  }
  int64_t least = domains.empty() ? 0 : INT64_MAX;
  for (const auto& [domain, count] : domains) least = std::min(least, count);
  // A new host, or (not known here) a domain yet to come, can always be had.
  if (constraint.topology_key == api::kHostnameLabel) least = 0;
  for (const std::string& domain : touched) {
    if (domains.at(domain) - least <= constraint.max_skew) continue;
    broken.push_back("skew of " + owner.meta.key() + " over " + constraint.topology_key);
  }
}

}  // namespace

void check_topology(const Problem& problem, const std::vector<Spot>& spots,
                    std::vector<std::string>& broken) {
  std::set<std::string> to_place;
  for (const api::Pod* pod : problem.pods) to_place.insert(pod->meta.key());
  std::vector<Placed> all;
  for (const Spot& spot : spots) {
    for (const api::Pod* pod : spot.there) {
      if (!to_place.contains(pod->meta.key())) all.push_back({pod, &spot, false});
    }
    for (const api::Pod* pod : spot.put) all.push_back({pod, &spot, true});
  }
  check_avoiding(problem, all, broken);
  check_seeking(problem, all, broken);
  for (const Placed& placed : all) {
    if (!placed.is_new) continue;
    for (const auto& constraint : placed.pod->spec.topology_spread) {
      check_spread(spots, all, *placed.pod, constraint, broken);
    }
  }
}

}  // namespace windlass::scheduling::test

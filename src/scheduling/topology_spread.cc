#include "scheduling/topology_spread.h"

#include <algorithm>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "scheduling/search.h"

namespace windlass::scheduling {
namespace {

// The node's domain of a key, or null.
const std::string* domain_of(const ExistingNode& node, const std::string& key) {
  const auto label = node.labels.find(key);
  if (label != node.labels.end()) return &label->second;
  return key == api::kHostnameLabel ? &node.name : nullptr;
}

bool counts_node(const SpreadGroup& group, const ExistingNode& node) {
  return std::ranges::any_of(group.eligible, [&](const api::Requirements& wanted) {
    return unmet_label(node, wanted) == nullptr;
  });
}

SpreadGroup group_of(const api::Pod& pod, const api::TopologySpreadConstraint& constraint) {
  SpreadGroup group;
  group.key = constraint.topology_key;
  group.max_skew = constraint.max_skew;
  group.namespace_name = pod.meta.namespace_name;
  group.selector = constraint.selector;
  const auto selector = api::Requirements::from_labels(pod.spec.node_selector);
  for (const api::NodeSelectorTerm& term : pod.spec.required_node_terms) {
    group.eligible.push_back(selector);
    group.eligible.back().add(api::Requirements::from_specs(term.match_expressions));
  }
  if (group.eligible.empty()) group.eligible.push_back(selector);
  return group;
}

// Domains that new claims could be in: what the pools admit of what their types offer.
void add_domains_to_come(const Search& search, SpreadGroup& group) {
  if (group.by_hostname()) return;
  for (const ClaimTemplate& made_from : search.templates) {
    const api::Requirement& admitted =
        made_from.requirements(ClaimTemplate::kInitial).get(group.key);
    if (!admitted.complement()) {
      for (const std::string& value : admitted.values()) group.domains.try_emplace(value, 0);
    }
    const TypeSet& types = made_from.state(ClaimTemplate::kInitial).types;
    for (size_t i = types.next(0); i != TypeSet::kNone; i = types.next(i + 1)) {
      const api::Requirement& offered = made_from.type(i).requirements.get(group.key);
      if (offered.complement()) continue;
      for (const std::string& value : offered.values()) {
        if (admitted.has(value)) group.domains.try_emplace(value, 0);
      }
    }
  }
}

void count_existing(const Search& search, const std::set<std::string>& to_place,
                    SpreadGroup& group) {
  for (const NodePlace& place : search.nodes) {
    const std::string* domain = domain_of(*place.node, group.key);
    if (domain == nullptr || !counts_node(group, *place.node)) continue;
    int64_t& count = group.domains[*domain];
    for (const api::Pod* pod : place.node->pods) {
      const bool stays = !pod->terminal() && !pod->meta.deleted && group.selects(*pod) &&
                         !to_place.contains(pod->meta.key());
      if (stays) ++count;
    }
  }
}

// The least count over the domains the pod may use. A new host can always be had, with none.
int64_t fewest(const SpreadGroup& group, const api::Requirement& usable) {
  if (group.by_hostname()) return 0;
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const auto& [domain, count] : group.domains) {
    if (usable.has(domain)) least = std::min(least, count);
  }
  return least == std::numeric_limits<int64_t>::max() ? 0 : least;
}

bool within_skew(const SpreadGroup& group, const PodKind& kind, uint32_t id, int64_t count,
                 int64_t least) {
  return count + (kind.selected_by[id] ? 1 : 0) - least <= group.max_skew;
}

bool narrow_to_host(const SpreadGroup& group, const PodKind& kind, uint32_t id,
                    const OpenClaim& claim) {
  const int64_t count = claim.id < group.claims.size() ? group.claims[claim.id] : 0;
  return within_skew(group, kind, id, count, 0);
}

bool narrow_to_domain(Search& search, const PodKind& kind, const Variant& variant, uint32_t id,
                      const OpenClaim& claim, int32_t& state) {
  ClaimTemplate& made_from = search.templates[claim.template_index];
  const SpreadGroup& group = search.spread[id];
  const api::Requirement& usable = variant.wishes.required.get(group.key);
  const api::Requirement& open = made_from.requirements(state).get(group.key);
  const int64_t least = fewest(group, usable);
  std::vector<std::pair<int64_t, const std::string*>> admitted;
  for (const auto& [domain, count] : group.domains) {
    const bool fine =
        usable.has(domain) && open.has(domain) && within_skew(group, kind, id, count, least);
    if (fine) admitted.emplace_back(count, &domain);
  }
  // Stable, so that equal counts stay in the order of names.
  std::ranges::stable_sort(admitted, {}, [](const auto& entry) { return entry.first; });
  for (const auto& [count, domain] : admitted) {
    api::Requirements pinned;
    pinned.add(group.key, {api::Operator::kIn, {*domain}});
    const int32_t next = made_from.advance(state, search.interned.intern(std::move(pinned)));
    if (next == kNoState) continue;
    state = next;
    return true;
  }
  return false;
}

}  // namespace

bool SpreadGroup::by_hostname() const { return key == api::kHostnameLabel; }

bool SpreadGroup::selects(const api::Pod& pod) const {
  return pod.meta.namespace_name == namespace_name && selector.matches(pod.meta.labels);
}

bool SpreadGroup::same_as(const SpreadGroup& other) const {
  return key == other.key && max_skew == other.max_skew && namespace_name == other.namespace_name &&
         selector == other.selector && eligible == other.eligible;
}

void prepare_spread(Search& search, const std::vector<const api::Pod*>& to_place) {
  for (PodKind& kind : search.kinds) {
    for (Variant& variant : kind.variants) {
      for (const auto& constraint : variant.wishes.spread) {
        SpreadGroup group = group_of(*kind.example, constraint);
        const auto known = std::ranges::find_if(
            search.spread, [&](const SpreadGroup& other) { return other.same_as(group); });
        variant.spread_groups.push_back(static_cast<uint32_t>(known - search.spread.begin()));
        if (known == search.spread.end()) search.spread.push_back(std::move(group));
      }
    }
  }
  if (search.spread.empty()) return;
  std::set<std::string> keys;
  for (const api::Pod* pod : to_place) keys.insert(pod->meta.key());
  for (SpreadGroup& group : search.spread) {
    add_domains_to_come(search, group);
    count_existing(search, keys, group);
  }
  for (PodKind& kind : search.kinds) {
    for (const SpreadGroup& group : search.spread) {
      kind.selected_by.push_back(group.selects(*kind.example));
    }
  }
}

SpreadAnswer spread_on_node(const Search& search, const PodKind& kind, const Variant& variant,
                            const NodePlace& node) {
  for (const uint32_t id : variant.spread_groups) {
    const SpreadGroup& group = search.spread[id];
    const std::string* domain = domain_of(*node.node, group.key);
    if (domain == nullptr) return SpreadAnswer::kNever;
    const auto at = group.domains.find(*domain);
    const int64_t count = at == group.domains.end() ? 0 : at->second;
    const int64_t least = fewest(group, variant.wishes.required.get(group.key));
    if (!within_skew(group, kind, id, count, least)) return SpreadAnswer::kNotNow;
  }
  return SpreadAnswer::kYes;
}

bool spread_on_claim(Search& search, const PodKind& kind, const Variant& variant,
                     const OpenClaim& claim, int32_t& state) {
  return std::ranges::all_of(variant.spread_groups, [&](uint32_t id) {
    return search.spread[id].by_hostname()
               ? narrow_to_host(search.spread[id], kind, id, claim)
               : narrow_to_domain(search, kind, variant, id, claim, state);
  });
}

void count_on_node(Search& search, const PodKind& kind, const NodePlace& node) {
  for (size_t id = 0; id < search.spread.size(); ++id) {
    SpreadGroup& group = search.spread[id];
    if (!kind.selected_by[id] || !counts_node(group, *node.node)) continue;
    const std::string* domain = domain_of(*node.node, group.key);
    if (domain != nullptr) ++group.domains[*domain];
  }
}

void count_on_claim(Search& search, const PodKind& kind, const OpenClaim& claim) {
  const ClaimTemplate& made_from = search.templates[claim.template_index];
  const api::Requirements& requirements = made_from.requirements(claim.state);
  for (size_t id = 0; id < search.spread.size(); ++id) {
    SpreadGroup& group = search.spread[id];
    const bool counted = kind.selected_by[id] &&
                         std::ranges::any_of(group.eligible, [&](const api::Requirements& wanted) {
                           return requirements.why_incompatible(wanted, true).empty();
                         });
    if (!counted) continue;
    if (group.by_hostname()) {
      if (group.claims.size() <= claim.id) group.claims.resize(claim.id + 1, 0);
      ++group.claims[claim.id];
      continue;
    }
    // A claim that may still be in several domains counts in none, as in Karpenter.
    const api::Requirement& domain = requirements.get(group.key);
    const bool pinned = !domain.complement() && domain.values().size() == 1;
    if (pinned) ++group.domains[*domain.values().begin()];
  }
}

std::string spread_text(const Search& search, const Variant& variant) {
  std::string out;
  for (const uint32_t id : variant.spread_groups) {
    const SpreadGroup& group = search.spread[id];
    std::string counts;
    for (const auto& [domain, count] : group.domains) {
      counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", domain, count);
    }
    out += fmt::format("{}topology spread over {} (maxSkew {}) admits no domain: {}",
                       out.empty() ? "" : "; ", group.key, group.max_skew,
                       counts.empty() ? "there is none" : counts);
  }
  return out;
}

}  // namespace windlass::scheduling

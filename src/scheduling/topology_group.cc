#include "scheduling/topology_group.h"

#include <algorithm>

#include "scheduling/search.h"

namespace windlass::scheduling {

std::optional<uint32_t> DomainTable::find(const std::string& name) const {
  const auto at = std::ranges::lower_bound(names, name);
  if (at == names.end() || *at != name) return std::nullopt;
  return static_cast<uint32_t>(at - names.begin());
}

bool NodeFilter::admits(const std::vector<api::Taint>& taints) const {
  return !honor_taints || api::first_untolerated(taints, tolerations, false) == nullptr;
}

bool NodeFilter::admits(const ExistingNode& node) const {
  const bool labels =
      any_of.empty() || std::ranges::any_of(any_of, [&](const api::Requirements& wanted) {
        return unmet_label(node, wanted) == nullptr;
      });
  return labels && admits(node.taints);
}

bool NodeFilter::admits(const api::Requirements& claim,
                        const std::vector<api::Taint>& taints) const {
  const bool labels =
      any_of.empty() || std::ranges::any_of(any_of, [&](const api::Requirements& wanted) {
        return claim.why_incompatible(wanted, true).empty();
      });
  return labels && admits(taints);
}

bool TopologyGroup::selects(const api::Pod& pod) const {
  const bool here =
      all_namespaces || std::ranges::binary_search(namespaces, pod.meta.namespace_name);
  return here && selector.matches(pod.meta.labels);
}

bool TopologyGroup::same_as(const TopologyGroup& other) const {
  return rule == other.rule && table == other.table && max_skew == other.max_skew &&
         all_namespaces == other.all_namespaces && namespaces == other.namespaces &&
         selector == other.selector && filter == other.filter;
}

void TopologyGroup::count_on_claim(uint32_t claim) {
  if (on_claims.size() <= claim) on_claims.resize(claim + 1, 0);
  ++on_claims[claim];
  any_on_claims = true;
}

}  // namespace windlass::scheduling

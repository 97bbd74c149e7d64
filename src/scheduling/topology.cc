#include "scheduling/topology.h"

#include <algorithm>

#include "scheduling/search.h"

namespace windlass::scheduling {
namespace {

uint64_t key_of(uint32_t template_index, int32_t state, uint32_t thing) {
  // 12 bits of pools, 26 of states, 26 of groups: far more than a solve ever has.
  return uint64_t{template_index} << 52 | static_cast<uint64_t>(state) << 26 | thing;
}

}  // namespace

const std::vector<uint32_t>& Topology::open_domains(const Search& search, uint32_t template_index,
                                                    int32_t state, uint32_t table) {
  const auto [at, is_new] = open_.try_emplace(key_of(template_index, state, table));
  if (!is_new) return at->second;
  const api::Requirement& open =
      search.templates[template_index].requirements(state).get(tables[table].key);
  for (uint32_t domain = 0; domain < tables[table].names.size(); ++domain) {
    if (open.has(tables[table].names[domain])) at->second.push_back(domain);
  }
  return at->second;
}

bool Topology::counts_claim(const Search& search, uint32_t group, uint32_t template_index,
                            int32_t state) {
  const NodeFilter& filter = groups[group].filter;
  if (filter.any_of.empty() && !filter.honor_taints) return true;
  const auto [at, is_new] = counted_.try_emplace(key_of(template_index, state, group));
  if (is_new) {
    const ClaimTemplate& made_from = search.templates[template_index];
    at->second = filter.admits(made_from.requirements(state), made_from.pool().taints);
  }
  return at->second;
}

uint32_t Topology::pin(Search& search, uint32_t table, const std::vector<uint32_t>& domains) {
  if (domains.size() == 1) return tables[table].pins[domains.front()];
  std::vector<std::string> names;
  for (const uint32_t domain : domains) names.push_back(tables[table].names[domain]);
  api::Requirements in;
  in.add(tables[table].key, {api::Operator::kIn, names});
  return search.interned.intern(std::move(in));
}

void count_on_node(Search& search, const PodForm& form, size_t node) {
  Topology& topology = search.topology;
  for (const uint32_t id : form.counted_by) {
    TopologyGroup& group = topology.groups[id];
    const int32_t domain = topology.tables[group.table].of_node[node];
    if (domain < 0 || !group.filter.admits(*search.nodes[node].node)) continue;
    ++group.counts[static_cast<size_t>(domain)];
  }
}

void count_on_claim(Search& search, const PodForm& form, const OpenClaim& claim) {
  Topology& topology = search.topology;
  for (const uint32_t id : form.counted_by) {
    TopologyGroup& group = topology.groups[id];
    if (!topology.counts_claim(search, id, claim.template_index, claim.state)) continue;
    if (topology.tables[group.table].by_host) {
      group.count_on_claim(claim.id);
      continue;
    }
    const std::vector<uint32_t>& open =
        topology.open_domains(search, claim.template_index, claim.state, group.table);
    const bool everywhere =
        group.rule == TopologyRule::kAntiAffinity || group.rule == TopologyRule::kAvoided;
    if (open.size() != 1 && !everywhere) continue;
    for (const uint32_t domain : open) ++group.counts[domain];
  }
}

}  // namespace windlass::scheduling

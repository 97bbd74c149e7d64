#include "scheduling/topology_rules.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/text.h"
#include "scheduling/search.h"

namespace windlass::scheduling {
namespace {

using Answer = TopologyAnswer;

bool empty_of_pods(TopologyRule rule) {
  return rule == TopologyRule::kAntiAffinity || rule == TopologyRule::kAvoided;
}

// The least count over the domains the pod may use. A new host can always be had, with none, unless
// nodes never come; so can a domain when there are fewer of them than the pod wants (minDomains).
int64_t fewest(const Search& search, const TopologyGroup& group, const TopologyUse& use) {
  if (use.by_host && !search.settings.no_new_nodes) return 0;
  int64_t least = std::numeric_limits<int64_t>::max();
  int domains = 0;
  // nodeAffinityPolicy Ignore: where the pod itself may go plays no part.
  for (size_t domain = 0; domain < group.counts.size(); ++domain) {
    if (!group.known.has(domain)) continue;
    if (!group.filter.any_of.empty() && !use.usable.has(domain)) continue;
    least = std::min(least, group.counts[domain]);
    ++domains;
  }
  if (domains == 0 || domains < use.min_domains.value_or(0)) return 0;
  return least;
}

bool within_skew(const TopologyGroup& group, const TopologyUse& use, int64_t count, int64_t least) {
  return count + (use.selects_self ? 1 : 0) - least <= group.max_skew;
}

// Nobody whom the pod seeks is anywhere it could go, but the pod seeks its own kind: it is first.
bool is_first(const TopologyGroup& group, const TopologyUse& use) {
  if (!use.selects_self || group.any_on_claims) return false;
  for (size_t domain = 0; domain < group.counts.size(); ++domain) {
    if (group.counts[domain] > 0 && use.usable.has(domain)) return false;
  }
  return true;
}

// All rules but spread, which alone depends on the other domains.
Answer affinity_at(const TopologyGroup& group, const TopologyUse& use, int64_t count) {
  if (use.rule == TopologyRule::kAffinity) {
    return count > 0 || is_first(group, use) ? Answer::kYes : Answer::kNotNow;
  }
  return count == 0 ? Answer::kYes : Answer::kNever;
}

Answer rule_on_node(const Search& search, const TopologyGroup& group, const TopologyUse& use,
                    int32_t domain) {
  if (domain < 0) return Answer::kNever;
  const int64_t count = group.counts[static_cast<size_t>(domain)];
  if (use.rule != TopologyRule::kSpread) return affinity_at(group, use, count);
  if (within_skew(group, use, count, fewest(search, group, use))) return Answer::kYes;
  return use.by_host ? Answer::kNever : Answer::kNotNow;
}

Answer rule_on_claim(const TopologyGroup& group, const TopologyUse& use, uint32_t claim) {
  const int64_t count = group.on_claim(claim);
  if (use.rule != TopologyRule::kSpread) return affinity_at(group, use, count);
  return within_skew(group, use, count, 0) ? Answer::kYes : Answer::kNever;
}

// Walks the rules one after another; each hands on every state it leaves.
class Domains {
 public:
  Domains(Search& search, const Variant& variant, uint32_t template_index,
          std::vector<int32_t>& ends)
      : search_(search), variant_(variant), template_index_(template_index), ends_(ends) {}

  void walk(size_t next, int32_t state) {
    while (next < variant_.uses.size() && variant_.uses[next].by_host) ++next;
    if (next == variant_.uses.size()) {
      if (std::ranges::find(ends_, state) == ends_.end()) ends_.push_back(state);
      return;
    }
    const TopologyUse& use = variant_.uses[next];
    const TopologyGroup& group = search_.topology.groups[use.group];
    // A copy: going on may make room in the memory it stands in.
    const std::vector<uint32_t> open =
        search_.topology.open_domains(search_, template_index_, state, group.table);
    if (use.rule == TopologyRule::kSpread) {
      choose_least(use, group, open, next, state);
    } else if (use.rule == TopologyRule::kAffinity && is_first(group, use)) {
      for (const uint32_t domain : open) {
        const bool fine = group.known.has(domain) && use.usable.has(domain);
        if (fine) go_on(group.table, {domain}, open, next, state);
      }
    } else {
      std::vector<uint32_t> left;
      for (const uint32_t domain : open) {
        const bool suits = (group.counts[domain] == 0) == empty_of_pods(use.rule);
        if (suits && group.known.has(domain) && use.usable.has(domain)) left.push_back(domain);
      }
      if (!left.empty()) go_on(group.table, left, open, next, state);
    }
  }

 private:
  void choose_least(const TopologyUse& use, const TopologyGroup& group,
                    const std::vector<uint32_t>& open, size_t next, int32_t state) {
    const int64_t least = fewest(search_, group, use);
    std::vector<std::pair<int64_t, uint32_t>> admitted;
    for (const uint32_t domain : open) {
      const int64_t count = group.counts[domain];
      const bool fine = group.known.has(domain) && use.usable.has(domain) &&
                        within_skew(group, use, count, least);
      if (fine) admitted.emplace_back(count, domain);
    }
    std::ranges::sort(admitted);
    for (const auto& [count, domain] : admitted) go_on(group.table, {domain}, open, next, state);
  }

  void go_on(uint32_t table, const std::vector<uint32_t>& domains,
             const std::vector<uint32_t>& open, size_t next, int32_t state) {
    ClaimTemplate& made_from = search_.templates[template_index_];
    const bool narrows =
        domains.size() != open.size() ||
        made_from.requirements(state).get(search_.topology.tables[table].key).complement();
    if (narrows) state = made_from.advance(state, search_.topology.pin(search_, table, domains));
    if (state != kNoState) walk(next + 1, state);
  }

  Search& search_;
  const Variant& variant_;
  uint32_t template_index_;
  std::vector<int32_t>& ends_;
};

bool refuses(const Search& search, const TopologyUse& use, size_t node) {
  const TopologyGroup& group = search.topology.groups[use.group];
  const int32_t domain = search.topology.tables[group.table].of_node[node];
  return rule_on_node(search, group, use, domain) != Answer::kYes;
}

std::string counts_text(const DomainTable& table, const TopologyGroup& group) {
  constexpr size_t kShown = 6;
  std::string out;
  size_t shown = 0;
  for (size_t domain = 0; domain < table.names.size(); ++domain) {
    if (!group.known.has(domain)) continue;
    if (shown++ == kShown) return out + ", ...";
    out +=
        fmt::format("{}{} {}", out.empty() ? "" : ", ", table.names[domain], group.counts[domain]);
  }
  if (!out.empty()) return out;
  return table.by_host ? "no node yet" : "there is none";
}

}  // namespace

TopologyAnswer on_node(const Search& search, const Variant& variant, size_t node) {
  Answer answer = Answer::kYes;
  for (const TopologyUse& use : variant.uses) {
    const TopologyGroup& group = search.topology.groups[use.group];
    const int32_t domain = search.topology.tables[group.table].of_node[node];
    const Answer one = rule_on_node(search, group, use, domain);
    if (one == Answer::kNever) return one;
    if (one == Answer::kNotNow) answer = one;
  }
  return answer;
}

std::vector<TopologyRule> refusing_rules(const Search& search, const Variant& variant,
                                         size_t node) {
  std::vector<TopologyRule> out;
  for (const TopologyUse& use : variant.uses) {
    if (refuses(search, use, node)) out.push_back(use.rule);
  }
  return out;
}

std::string why_not_on_node(const Search& search, const Variant& variant, size_t node) {
  for (const TopologyUse& use : variant.uses) {
    if (!refuses(search, use, node)) continue;
    const char* rule = use.rule == TopologyRule::kSpread     ? "topology spread"
                       : use.rule == TopologyRule::kAffinity ? "pod affinity"
                                                             : "pod anti-affinity";
    const uint32_t table = search.topology.groups[use.group].table;
    return fmt::format("{} over {}", rule, search.topology.tables[table].key);
  }
  return {};
}

TopologyAnswer on_host(const Search& search, const Variant& variant, uint32_t claim) {
  Answer answer = Answer::kYes;
  for (const TopologyUse& use : variant.uses) {
    if (!use.by_host) continue;
    const Answer one = rule_on_claim(search.topology.groups[use.group], use, claim);
    if (one == Answer::kNever) return one;
    if (one == Answer::kNotNow) answer = one;
  }
  return answer;
}

void continue_in_domains(Search& search, const Variant& variant, uint32_t template_index,
                         int32_t state, std::vector<int32_t>& ends) {
  Domains(search, variant, template_index, ends).walk(0, state);
}

std::vector<std::string> topology_texts(const Search& search, const Variant& variant) {
  std::vector<std::string> out;
  for (const TopologyUse& use : variant.uses) {
    const TopologyGroup& group = search.topology.groups[use.group];
    const DomainTable& table = search.topology.tables[group.table];
    const std::string counts = counts_text(table, group);
    switch (use.rule) {
      case TopologyRule::kSpread:
        out.push_back(fmt::format("topology spread over {} (maxSkew {}) admits no domain: {}",
                                  table.key, group.max_skew, counts));
        break;
      case TopologyRule::kAffinity:
        out.push_back(fmt::format("pod affinity over {} finds no domain with such pods: {}",
                                  table.key, counts));
        break;
      case TopologyRule::kAntiAffinity:
        out.push_back(fmt::format("pod anti-affinity over {} finds no domain without such pods: {}",
                                  table.key, counts));
        break;
      case TopologyRule::kAvoided:
        out.push_back(
            fmt::format("pods with anti-affinity over {} keep it out of: {}", table.key, counts));
        break;
    }
  }
  return out;
}

}  // namespace windlass::scheduling

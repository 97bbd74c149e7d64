// What topology rules count (reference karpenter.md 2.6): pods that a selector matches, by domain
// of one key (zone, capacity type, hostname, any label). Rules that count the same pods over the
// same nodes share one group; its identity is Karpenter's: key, rule, namespaces, maxSkew, node
// filter, selector.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/core.h"
#include "scheduling/index_set.h"

namespace windlass::scheduling {

struct ExistingNode;

enum class TopologyRule : uint8_t {
  kAntiAffinity,  // not where a pod is that this one avoids
  kAvoided,       // not where a pod is that avoids this one (inverse anti-affinity, required only)
  kAffinity,      // only where a pod is that this one seeks
  kSpread,        // only where the count exceeds the least by no more than maxSkew
};

// The values of one topology key, numbered in order of name, so that ties by number are ties by
// name.
struct DomainTable {
  std::string key;
  bool by_host = false;
  std::vector<std::string> names;  // sorted
  std::vector<int32_t> of_node;    // by Search::nodes; -1: the node has no such label
  std::vector<uint32_t> pins;      // "In [name]", interned

  [[nodiscard]] std::optional<uint32_t> find(const std::string& name) const;
};

// Nodes whose pods count: for spread, those that the pod itself could go to as far as its
// constraint's node policies look (nodeAffinityPolicy, nodeTaintsPolicy); for affinity, all.
struct NodeFilter {
  std::vector<api::Requirements> any_of;  // empty: every node
  bool honor_taints = false;
  std::vector<api::Toleration> tolerations;  // only with honor_taints

  [[nodiscard]] bool admits(const ExistingNode& node) const;
  [[nodiscard]] bool admits(const api::Requirements& claim,
                            const std::vector<api::Taint>& taints) const;
  [[nodiscard]] bool admits(const std::vector<api::Taint>& taints) const;
  bool operator==(const NodeFilter&) const = default;
};

struct TopologyGroup {
  TopologyRule rule = TopologyRule::kSpread;
  uint32_t table = 0;
  int max_skew = 0;  // spread only
  bool all_namespaces = false;
  std::vector<std::string> namespaces;  // sorted
  api::LabelSelector selector;
  NodeFilter filter;

  IndexSet known;                  // domains that are or could be
  std::vector<int64_t> counts;     // by domain
  std::vector<int32_t> on_claims;  // by new claim; hostname only
  bool any_on_claims = false;

  [[nodiscard]] bool selects(const api::Pod& pod) const;
  [[nodiscard]] bool same_as(const TopologyGroup& other) const;
  [[nodiscard]] int32_t on_claim(uint32_t claim) const {
    return claim < on_claims.size() ? on_claims[claim] : 0;
  }
  void count_on_claim(uint32_t claim);
};

// One rule as one variant of a form is bound by it.
struct TopologyUse {
  uint32_t group = 0;
  TopologyRule rule = TopologyRule::kSpread;
  bool by_host = false;
  bool selects_self = false;
  std::optional<int> min_domains;
  IndexSet usable;  // known or not, the domains the pod's own requirements admit
};

}  // namespace windlass::scheduling

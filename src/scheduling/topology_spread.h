// topologySpreadConstraints (reference karpenter.md 2.6): pods a selector matches are counted by
// domain (zone, capacity type, hostname, any label), and a pod may only go where the count, itself
// included, exceeds the least by no more than maxSkew. ScheduleAnyway counts as hard until
// relaxation drops it. Ties between domains go by name, where Karpenter takes map order.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api/core.h"

namespace windlass::scheduling {

struct Search;
struct PodKind;
struct Variant;
struct NodePlace;
struct OpenClaim;

// Constraints that count the same pods over the same nodes share one group.
struct SpreadGroup {
  std::string key;
  int max_skew = 1;
  std::string namespace_name;
  api::LabelSelector selector;
  // Only nodes that the pod's selector and affinity admit are counted (nodeAffinityPolicy Honor;
  // the taints of a node play no part, nodeTaintsPolicy Ignore): any one of these.
  std::vector<api::Requirements> eligible;

  // Pods by domain, for every domain there is or could be; by new claim for the hostname, whose
  // domains come into being as claims are opened.
  std::map<std::string, int64_t> domains;
  std::vector<int64_t> claims;

  [[nodiscard]] bool by_hostname() const;
  [[nodiscard]] bool selects(const api::Pod& pod) const;
  [[nodiscard]] bool same_as(const SpreadGroup& other) const;
};

// Makes the groups of all kinds, their domains, and counts the pods on existing nodes.
void prepare_spread(Search& search, const std::vector<const api::Pod*>& to_place);

// Whether every constraint of the variant admits the node. A node without the label of a constraint
// never does.
enum class SpreadAnswer : uint8_t { kYes, kNotNow, kNever };
SpreadAnswer spread_on_node(const Search& search, const PodKind& kind, const Variant& variant,
                            const NodePlace& node);
// Narrows the state to one admitted domain a constraint, the one with the fewest pods that the
// types can still be had in; false if a constraint admits none.
bool spread_on_claim(Search& search, const PodKind& kind, const Variant& variant,
                     const OpenClaim& claim, int32_t& state);

// Counts a pod that was placed.
void count_on_node(Search& search, const PodKind& kind, const NodePlace& node);
void count_on_claim(Search& search, const PodKind& kind, const OpenClaim& claim);

// "topology spread over zone (maxSkew 1): a 3, b 2"; empty if the variant has no constraint.
std::string spread_text(const Search& search, const Variant& variant);

}  // namespace windlass::scheduling

// Which places the topology's counts leave open to a pod (reference karpenter.md 2.6).
// ScheduleAnyway and preferred terms count as hard until relaxation drops them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scheduling/topology_group.h"

namespace windlass::scheduling {

struct Search;
struct Variant;

enum class TopologyAnswer : uint8_t {
  kYes,
  kNever,   // nor will it later in this solve
  kNotNow,  // other pods' places decide it, so it may change
};

// A node without the label of a rule never suits.
TopologyAnswer on_node(const Search& search, const Variant& variant, size_t node);
// Every rule that refuses the node.
std::vector<TopologyRule> refusing_rules(const Search& search, const Variant& variant, size_t node);
// The first one in words; empty if none does.
std::string why_not_on_node(const Search& search, const Variant& variant, size_t node);
// The rules over hostnames; `claim` may be one that is not open yet.
TopologyAnswer on_host(const Search& search, const Variant& variant, uint32_t claim);

// The states a claim in `state` may go on in so that every rule over other keys is kept, best
// first: affinity and anti-affinity narrow to all domains they leave, spread and the first pod of a
// group that seeks itself choose one (by fewest pods, then name). Ends with no type are left out.
void continue_in_domains(Search& search, const Variant& variant, uint32_t template_index,
                         int32_t state, std::vector<int32_t>& ends);

// "topology spread over zone (maxSkew 1) admits no domain: a 3, b 2", one a rule.
std::vector<std::string> topology_texts(const Search& search, const Variant& variant);

}  // namespace windlass::scheduling

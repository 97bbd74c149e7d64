// Static pools (`replicas`, reference karpenter.md 2.10): so many nodes, pods or no pods. Claims
// are made when there are too few and removed when there are too many, those first that hurt least:
// not launched yet, then empty, then by the cost of disrupting their pods (ties: name).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scheduling/solve.h"

namespace windlass::scheduling {

struct StaticClaim {
  std::string name;
  bool launched = false;
  bool empty = false;          // no pod that would need another node
  double disruption_cost = 0;  // karpenter.md 4.3
  bool deleting = false;       // counts against the limit, not as a replica
};

struct StaticChange {
  int32_t create = 0;
  std::vector<std::string> remove;  // in order
  bool at_limit = false;            // limits.nodes allows fewer than `replicas`
};

// `node_limit`: spec.limits.nodes.
StaticChange keep_replicas(int32_t replicas, std::optional<int64_t> node_limit,
                           std::vector<StaticClaim> claims);

// The claim such a pool makes: its own requirements and every type that meets them, cheapest first;
// no pods and no requests. Without types nothing can be launched for it now.
NewClaim static_claim(const Pool& pool);

}  // namespace windlass::scheduling

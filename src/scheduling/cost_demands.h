// Pods of a solve as demands of a market: alike if of one kind and, where topology decides, in the
// same domain.
#pragma once

#include <vector>

#include "scheduling/cost_market.h"

namespace windlass::scheduling {

// Whose limits a demand's most_per_node counts.
enum class PerNode : uint8_t {
  kHard,     // what holds of every plan
  kAsTried,  // wishes too: solve() counts them as hard until nothing is found
};

// Demands of those pods, places in Search::queue in rising order. `pins` by pod place, or empty.
std::vector<Demand> demands_of(const Search& search, const std::vector<uint32_t>& pods,
                               const std::vector<api::Requirements>& pins, PerNode per_node);

// The domains which a claim gives a pod whose topology constraints name them (zone, not hostname).
api::Requirements pins_of(const api::Pod& pod, const NewClaim& claim);

}  // namespace windlass::scheduling

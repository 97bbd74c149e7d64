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

// Which size stands for pods that are not of one size but of one demand: kHard takes the least of
// each resource (a bound must not ask for more than is there), kAsTried the most (what is packed
// must fit).
inline constexpr size_t kMaxDemands = 150;
// So many that differ in more than size are beyond the relaxation: stock's plan stands.
inline constexpr size_t kTooManyDemands = 400;

// Demands of those pods, places in Search::queue in rising order. `pins` by pod place, or empty.
// Beyond kMaxDemands, pods that differ in size only are taken together, nearest sizes first; more
// are left only if pods differ in more than their sizes.
std::vector<Demand> demands_of(const Search& search, const std::vector<uint32_t>& pods,
                               const std::vector<api::Requirements>& pins, PerNode per_node);

// The domains which a claim gives a pod whose topology constraints name them (zone, not hostname).
api::Requirements pins_of(const api::Pod& pod, const NewClaim& claim);

}  // namespace windlass::scheduling

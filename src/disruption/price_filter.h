// Which instance types of a replacement make it worth doing (karpenter.md 4.4). The filter looks at
// the dearest price a launch could end at, the estimate of savings at the cheapest (quirks 6, 7).
//
// Worth knowing: a replacement that admits both spot and on-demand is pinned to spot, since its
// types were judged by their spot price. Where not one type that is left has a spot offering (which
// does not happen on EC2, but does with a catalogue without spot prices) it is pinned to on-demand
// instead; Karpenter would try a spot launch that cannot succeed, again and again.
#pragma once

#include <vector>

#include "disruption/propose.h"

namespace windlass::disruption {

// USD/h of the dearest available offering that meets the requirements, of the first capacity type
// in the order reserved, spot, on-demand that has one. Infinity if none does.
double worst_launch_price(const catalog::InstanceType& type, const api::Requirements& requirements);

// Drops the types that could launch at `usd_per_hour` or more. Whether the claim is still good:
// some type is left, and enough of them for its minValues.
bool keep_cheaper_than(scheduling::NewClaim& claim, double usd_per_hour);

// Multi-node: where a type that is removed is also on offer as the replacement, keeping that node
// and moving fewer pods is as good. So only types cheaper than the cheapest such node are kept.
struct RemovedNode {
  std::string_view type;
  double usd_per_hour = 0;
};
bool keep_cheaper_than_same_types(scheduling::NewClaim& claim,
                                  const std::vector<RemovedNode>& removed);

// Whether the claim may launch as this capacity type.
bool admits(const scheduling::NewClaim& claim, std::string_view capacity_type);

// Spot to spot (karpenter.md 4.4): only spot offerings count, and types without one go.
void pin_to_spot(scheduling::NewClaim& claim);
// A spot node is replaced alone only where the launch has this many cheaper types to choose from:
// with fewer, nodes would move to ever cheaper and ever rarer capacity. The claim is cut to the
// cheapest so many, or as many more as its minValues need. Whether there were enough.
inline constexpr size_t kSpotToSpotTypes = 15;
bool cut_for_spot_to_spot(scheduling::NewClaim& claim);

// [on-demand, spot] becomes spot. Types without such an offering go; the rest is in price order,
// and usd_per_hour is the cheapest.
void pin_capacity_type(scheduling::NewClaim& claim);

}  // namespace windlass::disruption

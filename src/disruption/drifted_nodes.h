// The two methods for nodes that have drifted (karpenter.md 4.1, 4.7). Dynamic pools: all empty
// ones in one delete, else the one that drifted first, with as many new nodes as its pods need.
// Static pools: one node at a time for one new node of the template, whatever runs on it.
//
// Worth knowing: no price is looked at, and a drifted node whose turn does not come is still a
// candidate for consolidation.
#pragma once

#include <optional>

#include "disruption/consolidation.h"

namespace windlass::disruption {

std::optional<Command> static_drift(Pass& pass);
std::optional<Command> drift(Pass& pass, Simulation& simulation);

}  // namespace windlass::disruption

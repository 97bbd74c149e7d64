// What moving a pod really costs where its start is slow: an image of many GB, weights, an engine
// that compiles. Used by Objective::kCost only; Karpenter counts pods, not minutes.
//
// Worth knowing: a pod that has never been ready is still paying that cost, and moving it pays it
// twice. One that has not been ready within an hour is broken, not warming up, and holds nothing.
#pragma once

#include <string>

#include "disruption/propose.h"

namespace windlass::disruption {

// "pod ns/x has been starting for 2m: its image or weights still load"; empty: none is.
std::string why_warming(const Candidate& node, Instant now);

// USD that starting the node's pods anew costs, by what their last start took (bound to ready): for
// that long each of them holds its share of a node like this one (the largest of its requests over
// `allocatable`) and does nothing. Pods whose times are not known count 0.
double warm_up_usd(const Candidate& node, const api::ResourceList& allocatable);

}  // namespace windlass::disruption

// What a scenario's parts must agree on, checked before a run starts.
#pragma once

#include <string>
#include <vector>

#include "sim/scenario.h"

namespace windlass::sim {

// Every disagreement in words: a model's Deployment that no manifest has, a node group of an
// unknown instance type, a query outside the PromQL subset, a trace that can't be opened, ...
std::vector<std::string> check_scenario(const Scenario& scenario);

}  // namespace windlass::sim

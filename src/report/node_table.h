// The nodes a policy bought, one line each: when, what, how soon useful, why it went.
#pragma once

#include <string>

#include "sim/run_result.h"

namespace windlass::report {

// A closed <details> per policy that has node records, oldest first; the first few hundred nodes,
// saying how many there were. Empty without any.
std::string node_tables(const sim::ScenarioResult& result);

}  // namespace windlass::report

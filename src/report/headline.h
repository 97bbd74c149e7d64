// The strip of large figures on top of the page: the five comparisons a platform engineer asks for
// first, each with how every policy did.
#pragma once

#include <string>

#include "sim/run_result.h"

namespace windlass::report {

// A card each for cost, SLO attainment, P95 latency, GPU utilisation and the first token's clock.
// The large figure is that of the policy "windlass", or of the last one; its change is against the
// first policy and coloured by whether it helps. Empty without policies.
std::string headline(const sim::ScenarioResult& result);

}  // namespace windlass::report

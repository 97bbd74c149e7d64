// Why a pod found no place: one sentence a pool and constraint family, one about the existing
// nodes, with the numbers that decided. Worked out after the solve, from its last state.
#pragma once

#include <string>
#include <vector>

#include "scheduling/search.h"

namespace windlass::scheduling {

// Looks at the kind's last variant, the one that asks least.
std::vector<std::string> explain(Search& search, const PodKind& kind);

}  // namespace windlass::scheduling

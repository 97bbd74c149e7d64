// For tests: the rules of placing read straight from the reference, pod by pod and type by type,
// with no memory of what was tried before. What it says is slow to get and easy to check.
#pragma once

#include "scheduling/solve.h"

namespace windlass::scheduling::test {

// A plan without reasons and prices: who goes where, and which types each claim may take.
// Knows everything solve() does but topology spread and the cut to 600 types.
Plan slow_solve(const Problem& problem);

}  // namespace windlass::scheduling::test

// What the budgets of a pool leave to disrupt (karpenter.md 4.6), beyond the number itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "disruption/propose.h"

namespace windlass::disruption {

inline constexpr std::string_view kEmpty = "Empty";
inline constexpr std::string_view kDrifted = "Drifted";
inline constexpr std::string_view kUnderutilized = "Underutilized";

// Nodes that a percentage is taken of: the pool's initialized ones, deleting and NotReady included,
// without those whose instance is going already.
int32_t budgeted_nodes(std::string_view pool, const std::vector<Candidate>& nodes);

// "budget of pool gpu allows 0 of 5 nodes for Underutilized".
std::string budget_reason(std::string_view pool, std::string_view reason, int32_t allowed,
                          int32_t nodes);

}  // namespace windlass::disruption

// For tests: random small worlds (RapidCheck; call inside a property).
#pragma once

#include <memory>

#include "scheduling/test_world.h"

namespace windlass::scheduling::test {

// Pools, nodes, daemons and pods with sizes, taints, node selectors and preferences, limits.
std::unique_ptr<World> a_world();
// Also topology rules, running pods, host ports, volumes, reservations, claim groups, settings.
std::unique_ptr<World> a_social_world();

}  // namespace windlass::scheduling::test

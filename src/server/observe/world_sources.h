// The simulated world as sources of the dashboard and the metrics.
#pragma once

#include "server/observe/sources.h"
#include "sim/world.h"

namespace windlass::server::observe {

// Fills in the world's part, the world's controls among it. Left to the caller: version, speed,
// paused, other_policies, actions.pause and actions.speed. The world must outlive the sources.
Sources sources_of(sim::World& world);

// Whether an outage of Prometheus is being played, the scenario's or one of the page's: for
// PrometheusOptions::down.
bool prometheus_down(const sim::World& world);

}  // namespace windlass::server::observe

// The state as disruption::propose wants it: every managed node, the scheduler's problem with the
// pods that are pending, and what bounds evictions. Used by the disruption loop and by
// `windlass plan disruption`, so that both see the same cluster.
#pragma once

#include <memory>

#include "controllers/cluster_view.h"

namespace windlass::controllers {

// Static pools are among the pools here: they take no new claims, but their nodes drift. Pointers
// live as long as the state is not changed and `offerings` is not asked again.
disruption::Cluster disruption_cluster(const cluster::State& state, const Nominations& nominations,
                                       OfferingView& offerings, Instant now);

}  // namespace windlass::controllers

// Figures of ScaledObjects under KEDA's names: what its triggers read last, whether they are
// active, and how many reads failed. Nothing where nobody asks (the joint policy reads no
// triggers).
#pragma once

#include "cluster/state.h"
#include "server/observe/registry.h"
#include "server/observe/sources.h"

namespace windlass::server::observe {

class KedaMetrics {
 public:
  KedaMetrics(Registry& registry, const Sources& sources);

  // Counts failed reads as rounds of answers come in.
  void observe(const cluster::Change& change);
  void collect();

 private:
  void collect_one(const api::ScaledObject& object);

  const Sources& sources_;
  Family& values_;
  Family& active_;
  Family& paused_;
  Family& errors_;
};

}  // namespace windlass::server::observe

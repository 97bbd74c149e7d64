// Figures under Karpenter's names, where they mean the same: dashboards made for it find them. Its
// labels in part: those that this cluster has values for.
#pragma once

#include <map>
#include <string>

#include "cluster/state.h"
#include "server/observe/registry.h"
#include "server/observe/sources.h"

namespace windlass::server::observe {

class KarpenterMetrics {
 public:
  KarpenterMetrics(Registry& registry, const Sources& sources);

  // Counts claims and nodes that come and go.
  void observe(const cluster::Change& change);
  // Sets the gauges to what is now.
  void collect();

 private:
  struct Known {
    std::string pool;
    std::string capacity_type;
  };
  void claim_changed(const std::string& key);
  void node_changed(const std::string& key);
  void collect_pools();
  void collect_nodes();
  void collect_pods();

  Registry& registry_;
  const Sources& sources_;
  std::map<std::string, Known> claims_, nodes_;  // there now; their labels, for when they are gone
  Family& claims_created_;
  Family& claims_terminated_;
  Family& nodes_created_;
  Family& nodes_terminated_;
};

}  // namespace windlass::server::observe

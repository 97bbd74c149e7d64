// Figures under Karpenter's names, where they mean the same: dashboards made for it find them. Its
// labels in part: those that this cluster has values for.
#pragma once

#include <map>
#include <string>
#include <string_view>

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
  void tell_nodes(std::string_view family, const Family::Row& row) const;
  void tell_pods(const Family::Row& row) const;

  Registry& registry_;
  const Sources& sources_;
  std::map<std::string, Known> claims_, nodes_;  // there now; their labels, for when they are gone
  Family& claims_created_;
  Family& claims_terminated_;
  Family& nodes_created_;
  Family& nodes_terminated_;
};

}  // namespace windlass::server::observe

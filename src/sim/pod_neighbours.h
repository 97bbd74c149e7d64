// Who stands beside whom, over one pass of the scheduler: host ports, pod affinity and
// anti-affinity, topology spread, by the scheduling room's rules. Costs a look at each pod where
// nobody has such a rule.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cluster/state.h"
#include "scheduling/neighbours.h"

namespace windlass::sim {

class PodNeighbours {
 public:
  // Of the pods that wait (keys) and those that are on nodes now. Nodes must not change meanwhile;
  // pods that are evicted during the pass still count until the next one.
  PodNeighbours(const cluster::State& state, const std::vector<std::string>& waiting);

  // False: nobody has a rule, every node takes every pod.
  [[nodiscard]] bool matter() const { return rules_ != nullptr; }
  // Of a pod that waits.
  [[nodiscard]] scheduling::Refusal why_not(const api::Pod& pod, const std::string& node) const;
  [[nodiscard]] bool admit(const api::Pod& pod, const std::string& node) const {
    return why_not(pod, node) == scheduling::Refusal::kNone;
  }
  void bound(const api::Pod& pod, const std::string& node);

 private:
  std::vector<api::Pod> waiting_;  // copies: the state's move when one is bound
  std::unique_ptr<scheduling::Neighbours> rules_;
};

}  // namespace windlass::sim

// "What if these nodes were gone?": the scheduler is asked with their pods pending (karpenter.md
// 4.4, 2.3).
//
// Worth knowing:
// - Pods that are pending anyway take part (they compete for room) but need not land; pods of nodes
//   that are already going must land, or nothing is consolidated.
// - A node inside its consolidateAfter takes only those two kinds. It wears a taint that they alone
//   tolerate, so that one solve settles it; a moved pod that tolerates everything is given a
//   toleration for each taint there is instead, which comes to the same.
// - A moved pod that would land on an uninitialized node spoils the attempt, rather than being sent
//   elsewhere, as in Karpenter.
// - The capacity of the removed nodes is given back to their pools' limits.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "disruption/candidates.h"
#include "disruption/pod_disruption.h"
#include "disruption/propose.h"

namespace windlass::disruption {

inline constexpr size_t kAnyNumber = SIZE_MAX;

class Simulation {
 public:
  // Keeps references to its arguments. The scheduler's problem, a copy of the cluster, is made when
  // it is first asked: in a settled cluster nobody does.
  Simulation(const Cluster& cluster, const std::vector<NodeView>& nodes,
             const EvictionLimits& limits, Instant now);

  struct Outcome {
    std::string failure;  // why the nodes cannot go; empty: they can
    std::vector<scheduling::NewClaim> claims;
  };
  // `removed`: positions in `nodes`, distinct. More than `most_claims` new nodes is a failure. The
  // objective says who chooses the new nodes.
  Outcome without(std::span<const size_t> removed, size_t most_claims, Objective objective);

 private:
  void prepare();
  void take_nodes();
  void take_pods_that_move_anyway(const EvictionLimits& limits, Instant now);
  void admit_to_settling_nodes();
  const std::vector<const api::Pod*>& moved_pods(size_t node);
  const api::Pod* moved(const api::Pod& pod);
  void give_back_limits(const NodeView& view);
  Outcome judge(scheduling::Plan plan, const std::set<std::string>& moving,
                size_t most_claims) const;

  const Cluster& cluster_;
  const std::vector<NodeView>& nodes_;
  const EvictionLimits& limits_;
  Instant now_;
  bool prepared_ = false;
  std::vector<scheduling::Pool> pools_;      // with what they use before anything is removed
  scheduling::Problem problem_;              // with all nodes, and the pods that move anyway
  std::vector<std::optional<size_t>> seat_;  // of nodes_[i] in problem_.nodes
  std::set<std::string> pending_;            // keys of the pods that need not land
  std::set<std::string> uninitialized_;      // node names
  bool any_settling_ = false;
  std::vector<api::Taint> taints_;  // every taint there is, if any_settling_
  std::deque<api::Pod> pods_;       // owns copies
  std::deque<api::DaemonSet> daemon_sets_;
  std::vector<std::optional<std::vector<const api::Pod*>>> moved_;  // by node, made when asked for
};

}  // namespace windlass::disruption

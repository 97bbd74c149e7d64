// The state as the node deciders want it: scheduling::Problem and disruption::Candidates, made from
// objects and observations. Karpenter's cluster state (reference karpenter.md 2.1, 2.3, 4.2).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cluster/state.h"
#include "disruption/propose.h"
#include "scheduling/solve.h"

namespace windlass::controllers {

// Nodes and claims that pods were promised to, and until when disruption leaves them alone.
struct Nominations {
  std::map<std::string, Instant> until;  // by claim or node name
  [[nodiscard]] bool holds(const std::string& name, Instant now) const;
};
inline constexpr Duration kNominationWindow = seconds(20);  // max(2 * longest batch, 10 s)

// The types each pool may launch, as its node class sees them, with NodeOverlays applied and the
// offerings that are out of capacity marked. Kept between passes: of 1,370 types a GPU pool admits
// some dozens, and neither pools nor capacity change often.
class OfferingView {
 public:
  const catalog::Catalog& types(const cluster::State& state, const api::NodePool& pool,
                                Instant now);

 private:
  struct View {
    std::vector<api::RequirementSpec> requirements;
    std::vector<uint64_t> versions;  // of the node class and of every overlay
    std::set<std::string> out;
    catalog::Catalog catalog;
  };
  std::map<std::string, View> views_;  // by pool
};

// Instances of a capacity reservation that claims hold: launched into it.
int32_t reservation_in_use(const cluster::State& state, std::string_view reservation_id);

// Nodes (not those being deleted), pools that are usable with what they use, daemon sets; `pods` is
// left to the caller. Pointers live as long as the state is not changed.
scheduling::Problem cluster_problem(const cluster::State& state, OfferingView& offerings,
                                    Instant now);

// Since when nothing has happened to it, as consolidateAfter counts.
void note_rest(const api::NodeClaim& claim, disruption::Candidate& candidate);
// Every managed node as disruption sees it.
std::vector<disruption::Candidate> candidates(const cluster::State& state,
                                              const Nominations& nominations, Instant now);

// Pods that are to be placed: unbound and found unschedulable, neither daemon nor deleted.
std::vector<const api::Pod*> pending_pods(const cluster::State& state);
// Pods on nodes that are going away and will need a place elsewhere: not those that nobody may
// evict for now (do-not-disrupt, a budget that never allows it).
std::vector<const api::Pod*> pods_on_deleting_nodes(const cluster::State& state, Instant now);

// A free name for a new claim of the pool: "pool-" and five letters that depend on the counter
// only.
std::string claim_name(const std::string& pool, uint64_t& counter, const cluster::State& state);

}  // namespace windlass::controllers

// Which nodes to empty, replace or keep, and why (reference karpenter.md 4): emptiness, drift of
// static pools, drift, multi-node, then single-node consolidation; the first method that finds
// something ends the pass. A pure function; validate.h is the second look, 15 s later.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/karpenter.h"
#include "base/time.h"
#include "catalog/catalog.h"
#include "scheduling/solve.h"

namespace windlass::disruption {

// A node with all that disruption looks at.
struct Candidate {
  std::string node;
  std::string claim;
  std::string pool;
  std::string instance_type;
  std::string capacity_type;
  std::string zone;
  double usd_per_hour = 0;
  bool initialized = false;
  bool deleting = false;   // or tainted for disruption
  bool nominated = false;  // a pod was promised to it in the last 20 s
  bool ready = true;
  bool terminating = false;  // its instance is going: no budget counts it any more
  Instant created{};         // the claim
  Instant initialized_at{};
  std::optional<Instant> last_pod_event;
  std::string drifted;  // why it is not what its pool would make now (drift.h); empty: it is
  Instant drifted_since{};
  std::optional<Duration> termination_grace;  // of the claim
  bool do_not_disrupt = false;                // annotated so
  std::vector<const api::Pod*> pods;          // bound to it, not terminal
};

struct Cluster {
  std::vector<Candidate> nodes;    // every managed node
  scheduling::Problem scheduling;  // as for provisioning: all nodes, pools, daemon sets; pending
                                   // pods in `pods`
  std::vector<const api::PodDisruptionBudget*> budgets;
  std::vector<const api::Pod*> all_pods;  // for the PDBs' counts; needed where there are any
};

enum class Objective {
  kStock,  // Karpenter's rules
  kCost,   // also: any cheaper set of nodes, and nodes that still warm up are left alone
};

struct Command {
  enum class Method { kEmptiness, kStaticDrift, kDrift, kMultiNode, kSingleNode };
  Method method = Method::kEmptiness;
  Objective objective = Objective::kStock;  // whose solver chose the replacements
  std::vector<std::string> claims;          // to delete, sorted
  std::vector<std::string> nodes;           // theirs, sorted
  // Launched first, and all initialized before anything is deleted. None: a delete. One at most by
  // consolidation under Objective::kStock.
  std::vector<scheduling::NewClaim> replacements;
  double usd_per_hour_before = 0;
  double usd_per_hour_after = 0;
  double disruption_cost = 0;  // sum of the nodes' reschedule costs (karpenter.md 4.3)
  double move_cost_usd = 0;    // sum of the nodes' Options::move_cost_usd
  std::string why;
};
std::string_view to_string(Command::Method method);  // "emptiness", "multi_node_consolidation", ...
// The word by which budgets name it: Empty, Drifted, Underutilized.
std::string_view budget_word(Command::Method method);

struct Left {
  std::string node;
  std::string reason;  // "pod inference/x has karpenter.sh/do-not-disrupt", "in use for 2m of 5m"
};

struct Proposal {
  std::vector<Command> commands;  // none or one
  std::vector<Left> left;         // every node left alone, and why
  // Options::most_simulations was reached: the next pass goes on from this claim.
  std::string next_turn;
};

struct Options {
  Objective objective = Objective::kStock;
  bool spot_to_spot = false;  // Karpenter's gate SpotToSpotConsolidation
  // Dollars that moving the node's pods would cost (warm-up), by node; a consolidation must save
  // more than that within `payback`.
  std::map<std::string, double> move_cost_usd;
  Duration payback = hours(1);
  // At most so many nodes are tried alone, from the claim on that the last pass did not come to.
  // Karpenter stops after three minutes; a process that has to renew its lease can't wait so long.
  size_t most_simulations = SIZE_MAX;
  std::string first_turn;
};

Proposal propose(const Cluster& cluster, Instant now, const Options& options);

// now - max(initialized, last pod event) >= consolidateAfter (karpenter.md 4.2).
bool consolidatable(const Candidate& node, const api::NodePool& pool, Instant now);
// When that will be; nullopt: never.
std::optional<Instant> consolidatable_at(const Candidate& node, const api::NodePool& pool);
// Evictions this budget still allows (minAvailable / maxUnavailable, percentages rounded up).
int32_t disruptions_allowed(const api::PodDisruptionBudget& pdb,
                            const std::vector<const api::Pod*>& all_pods);
// Nodes of `pool` that may be disrupted now for `reason` (Empty, Underutilized, Drifted): 4.6.
int32_t allowed_disruptions(const api::NodePool& pool, std::string_view reason,
                            const std::vector<Candidate>& nodes, Instant now);

}  // namespace windlass::disruption

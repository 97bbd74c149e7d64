// The end of a node: taint it, drain it in waves, terminate the instance, and only then let the
// Node and the NodeClaim go (reference karpenter.md 4.7). A claim whose launch is unanswered waits
// for the answer, so that no instance is left behind.
//
// Worth knowing: a pod with do-not-disrupt is not evicted, the drain waits for it; a
// PodDisruptionBudget holds as long as it likes. Both end with terminationGracePeriod: at the
// claim's deletion + that period the instance goes, and each pod is deleted its own grace period
// earlier.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "controllers/ring.h"

namespace windlass::controllers {

inline constexpr std::string_view kTerminationTimestamp =
    "karpenter.sh/nodeclaim-termination-timestamp";

// When a deleted claim's instance goes whatever still runs on it: what the annotation says, else
// deletion + terminationGracePeriod; nullopt: it waits.
std::optional<Instant> termination_deadline(const api::NodeClaim& claim);

// Whether the pod must be gone before its node's instance may be: not one of a DaemonSet, whose
// controller would make it again.
bool holds_instance(const api::Pod& pod);

class TerminationController : public Controller {
 public:
  [[nodiscard]] std::string_view name() const override { return "termination"; }
  void touched(const cluster::Change& change, const cluster::State& state,
               std::vector<std::string>& keys) override;
  Outcome reconcile(const std::string& key, const cluster::State& state, Instant now) override;

 private:
  struct Memory {
    std::optional<Instant> drain_began;
    bool terminating = false;
  };
  // Evicts what is to go next, and deletes what would outlive the deadline; true once nothing is
  // left that must go first. Sets requeue_at to the next time that something is due.
  static bool drain(const api::Node& node, std::optional<Instant> deadline,
                    const cluster::State& state, Instant now, Outcome& out);
  void begin_drain(const api::NodeClaim& claim, const api::Node& node, Instant now, Outcome& out);

  std::map<std::string, Memory> memories_;
};

}  // namespace windlass::controllers

// A NodeClaim's way: launched -> registered -> initialized, with the time-outs of reference
// karpenter.md 3. Every launch carries a token made from the claim, so that a restart between any
// two steps launches nothing twice.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controllers/cluster_view.h"
#include "controllers/ring.h"

namespace windlass::controllers {

class ClaimLifecycleController : public Controller {
 public:
  [[nodiscard]] std::string_view name() const override { return "claim_lifecycle"; }
  void touched(const cluster::Change& change, const cluster::State& state,
               std::vector<std::string>& keys) override;
  Outcome reconcile(const std::string& key, const cluster::State& state, Instant now) override;

 private:
  struct Memory {
    bool launching = false;  // a Launch is out and unanswered
    Instant retry_at{};      // after an error that is not a lack of capacity
    Duration backoff = seconds(1);
    // A hash of those on the node, and in what state, at the last look; nullopt: none since a
    // restart.
    std::optional<uint64_t> pods;
    std::optional<Instant> drift_checked;
    std::optional<Instant> stamp_at;               // its turn to be stamped
    uint64_t pool_version = 0, class_version = 0;  // at that check
  };
  void launch(const api::NodeClaim& claim, const cluster::State& state, Instant now, Memory& memory,
              Outcome& out);
  // Whether the claim's status moved on.
  bool take_launch(api::NodeClaim& claim, const cluster::LaunchResult& result,
                   const cluster::State& state, Instant now, Memory& memory, Outcome& out);
  // The annotations and the condition that drift goes by (karpenter.md 1.1, 4.7).
  bool note_drift(api::NodeClaim& claim, const cluster::State& state, Instant now, Memory& memory);
  bool note_pod_events(api::NodeClaim& claim, const cluster::State& state, Instant now,
                       Memory& memory);

  bool may_stamp(Memory& memory, Instant now);
  bool pool_changed(const std::string& name, const cluster::State& state);

  std::map<std::string, Memory> memories_;
  Instant next_stamp_{};
  std::map<std::string, uint64_t> pool_versions_;    // of what drift goes by
  std::map<std::string, std::string> claim_of_pod_;  // so that a pod's removal finds its claim
};

}  // namespace windlass::controllers

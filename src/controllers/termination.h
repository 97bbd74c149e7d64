// The end of a node: taint it, drain it in waves, terminate the instance, and only then let the
// Node and the NodeClaim go (reference karpenter.md 4.7). A claim whose launch is unanswered waits
// for the answer, so that no instance is left behind.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "controllers/ring.h"

namespace windlass::controllers {

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
  // Evicts what is to go next; true once nothing is left that must go first.
  bool drain(const api::NodeClaim& claim, const api::Node& node, const cluster::State& state,
             Instant now, Outcome& out);

  std::map<std::string, Memory> memories_;
};

}  // namespace windlass::controllers

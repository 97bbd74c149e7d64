// Notices that the cloud will take an instance: the claim is deleted at once, so that its pods
// drain within the notice (reference karpenter.md 4.7, interruption).
#pragma once

#include <string>
#include <vector>

#include "controllers/ring.h"

namespace windlass::controllers {

class InterruptionController : public Controller {
 public:
  [[nodiscard]] std::string_view name() const override { return "interruption"; }
  void touched(const cluster::Change& change, const cluster::State& state,
               std::vector<std::string>& keys) override;
  Outcome reconcile(const std::string& key, const cluster::State& state, Instant now) override;
};

}  // namespace windlass::controllers

// The end of a claim's life (karpenter.md 4.7): at creation + expireAfter it is deleted, whatever
// the budgets say and with no replacement made first. Its pods enter the next solve while it
// drains; terminationGracePeriod bounds how long that may take.
#pragma once

#include <string>
#include <vector>

#include "controllers/ring.h"

namespace windlass::controllers {

// When the claim expires; nullopt: never.
std::optional<Instant> expires_at(const api::NodeClaim& claim);

class ExpiryController : public Controller {
 public:
  [[nodiscard]] std::string_view name() const override { return "expiry"; }
  void touched(const cluster::Change& change, const cluster::State& state,
               std::vector<std::string>& keys) override;
  // Claims that were there before any change.
  void start(const cluster::State& state, std::vector<std::string>& keys) override;
  // key: of the claim.
  Outcome reconcile(const std::string& key, const cluster::State& state, Instant now) override;
};

}  // namespace windlass::controllers

// From pods that found no node to NodeClaims: Karpenter's batch window, then one solve (reference
// karpenter.md 2.1). The joint policy uses the same controller without the window and shapes the
// problem before it is solved.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "controllers/cluster_view.h"
#include "controllers/ring.h"

namespace windlass::controllers {

struct ProvisioningOptions {
  Duration batch_idle = seconds(1);  // BATCH_IDLE_DURATION
  Duration batch_max = seconds(10);  // BATCH_MAX_DURATION
  // Joint policy: may take pods out of the problem and narrow new claims.
  std::function<void(scheduling::Problem&, const cluster::State&, Instant)> shape;
};

class ProvisioningController : public Controller {
 public:
  ProvisioningController(ProvisioningOptions options, std::shared_ptr<Nominations> nominations)
      : options_(std::move(options)), nominations_(std::move(nominations)) {}

  [[nodiscard]] std::string_view name() const override { return "provisioning"; }
  void touched(const cluster::Change& change, const cluster::State& state,
               std::vector<std::string>& keys) override;
  Outcome reconcile(const std::string& key, const cluster::State& state, Instant now) override;

 private:
  // Until when to wait for more pods; nullopt: nothing waits.
  std::optional<Instant> batch_deadline(const std::vector<const api::Pod*>& pending, Instant now);
  void create_claims(const scheduling::Plan& plan, const cluster::State& state, Instant now,
                     Outcome& out);
  void explain_unschedulable(const scheduling::Plan& plan, Outcome& out);

  ProvisioningOptions options_;
  std::shared_ptr<Nominations> nominations_;
  OfferingView offerings_;
  std::map<std::string, Instant> seen_;  // pods of the batch by uid, when first seen
  std::optional<Instant> batch_first_;
  Instant batch_last_{};
  uint64_t names_ = 0;
  std::map<std::string, std::string> told_;  // last reason told of a pod, so as not to repeat it
};

}  // namespace windlass::controllers

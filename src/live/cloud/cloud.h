// The seam to a cloud: launches, terminations, what is there, and what it tells by itself. EC2 and
// the simulated provider stand behind it. Calls never block; answers come later on the loop.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/karpenter.h"
#include "base/result.h"
#include "base/time.h"
#include "cluster/observations.h"
#include "controllers/action.h"

namespace windlass::live::cloud {

struct LaunchRequest {
  api::NodeClaim claim;  // as the API server has it
  // Idempotency: two launches with one token are one instance, also across restarts. Made from the
  // claim's uid. The instance is tagged with claim and pool.
  std::string token;
  std::vector<controllers::LaunchOffer> offers;  // cheapest first
};

struct LaunchAnswer {
  cluster::LaunchResult result;
  // cluster::offering_key of offers that had no capacity, to be avoided for a while.
  std::vector<std::string> without_capacity;
};

struct CloudInstance {
  std::string provider_id;
  std::string claim;  // its tag; empty: not ours
  std::string instance_type, zone, capacity_type;
  double usd_per_hour = 0;
  Instant launched{};
  bool going = false;  // shutting down
};

class Cloud {
 public:
  virtual ~Cloud() = default;
  virtual void launch(const LaunchRequest& request, std::function<void(LaunchAnswer)> done) = 0;
  // `done` when the instance is gone, or never was; an error if that can't be found out.
  virtual void terminate(const std::string& provider_id, std::function<void(Status)> done) = 0;
  // Every instance tagged as this cluster's that is not terminated.
  virtual void list(std::function<void(Result<std::vector<CloudInstance>>)> done) = 0;
  // The cloud will take an instance away (spot notice, maintenance), or has.
  std::function<void(const std::string& provider_id, const std::string& reason)> on_interruption;
};

}  // namespace windlass::live::cloud

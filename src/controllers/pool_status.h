// status.resources and status.nodes of every NodePool, and its Ready condition. A claim changes a
// dozen times in its life and its capacity once, so sums are kept: a walk over all claims at each
// change would cost the square of their number.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controllers/ring.h"

namespace windlass::controllers {

class PoolStatusController : public Controller {
 public:
  [[nodiscard]] std::string_view name() const override { return "pool_status"; }
  void touched(const cluster::Change& change, const cluster::State& state,
               std::vector<std::string>& keys) override;
  Outcome reconcile(const std::string& key, const cluster::State& state, Instant now) override;

 private:
  struct Share {
    std::string pool;
    api::ResourceList capacity;
  };
  struct Sum {
    api::ResourceList resources;
    int32_t nodes = 0;
  };
  void count(const std::string& name, const api::NodeClaim* claim);
  const Sum& sum_of(const std::string& pool);

  bool counting_ = false;                           // from the first reconcile on
  std::map<std::string, Share> shares_;             // by claim
  std::map<std::string, std::optional<Sum>> sums_;  // by pool; nullopt: to be made anew
};

}  // namespace windlass::controllers

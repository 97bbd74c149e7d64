// status.resources and status.nodes of every NodePool, and its Ready condition.
#pragma once

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
};

}  // namespace windlass::controllers

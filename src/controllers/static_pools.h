// Static pools: keeps spec.replicas NodeClaims of each (reference karpenter.md 2.10). Looks once a
// minute, every 30 s while limits.nodes holds it back, and when a pool or a claim changes.
#pragma once

#include <string>
#include <vector>

#include "controllers/cluster_view.h"
#include "controllers/ring.h"
#include "scheduling/static_pool.h"

namespace windlass::controllers {

class StaticPoolsController : public Controller {
 public:
  [[nodiscard]] std::string_view name() const override { return "static_pools"; }
  void touched(const cluster::Change& change, const cluster::State& state,
               std::vector<std::string>& keys) override;
  // The key is a pool's name.
  Outcome reconcile(const std::string& key, const cluster::State& state, Instant now) override;

 private:
  void create(const api::NodePool& pool, int32_t count, const cluster::State& state, Instant now,
              Outcome& out);

  OfferingView offerings_;
  uint64_t names_ = 0;
};

}  // namespace windlass::controllers

// Private to this room: which of the pools a workload's pods could get a node from, as the
// scheduler decides it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lint/manifests.h"

namespace windlass::lint {

struct PoolFit {
  Item<api::NodePool> pool;
  bool fits = false;       // but for taints, a new node of the pool takes the pod
  bool tolerated = false;  // the pod tolerates the pool's taints
  std::vector<const catalog::InstanceType*> types;  // that fit, cheapest first
  std::string why;                                  // it does not fit, in the scheduler's words
  [[nodiscard]] bool usable() const { return fits && tolerated; }
};

// One a pool. A single pod by itself is tried: volumes, spread and other pods play no part, and
// zones neither, as the catalogue holds those of one region alone.
std::vector<PoolFit> try_pools(const Workload& workload, const Manifests& manifests);

// What a pool asks of its nodes, without zones and regions.
api::Requirements requirements_of(const api::NodePool& pool);
// The types a pool can buy by its requirements.
std::vector<const catalog::InstanceType*> types_for(const api::NodePool& pool,
                                                    const Manifests& manifests);
// Every type the pool can buy has GPUs.
bool is_gpu_pool(const api::NodePool& pool, const Manifests& manifests);
// The pool buys capacity of reservations alone, of which manifests may know nothing.
bool is_reserved_only(const api::NodePool& pool);

}  // namespace windlass::lint

// A node pool as new claims are made from it: what its nodes would be (requirements, taints), the
// types it may take, the daemons they would run, and what its limits leave. Also the memory of a
// solve about it: claims whose pods ask for the same things share one ClaimState.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "scheduling/amounts.h"
#include "scheduling/daemons.h"
#include "scheduling/host_ports.h"
#include "scheduling/interned_requirements.h"
#include "scheduling/solve.h"
#include "scheduling/type_set.h"

namespace windlass::scheduling {

// What a claim may still become after some pods' requirements: its own requirements and the types
// that meet them with an available offering. Which pods fit by size is the claim's own matter.
struct ClaimState {
  uint32_t requirements = 0;  // interned
  TypeSet types;
  bool has_min_values = false;
  boost::unordered_flat_map<uint32_t, int32_t> next;  // by what a pod asks; kNoState: impossible
  std::vector<std::pair<double, uint32_t>> by_price;  // filled on demand
};

inline constexpr int32_t kNoState = -1;

// A NodeClaim names at most so many instance types (karpenter.md 2.7).
inline constexpr size_t kMaxTypesPerClaim = 600;

class ClaimTemplate {
 public:
  ClaimTemplate(const Pool& pool, const std::vector<Daemon>& daemons,
                const ResourceColumns& columns, InternedRequirements& interned);

  [[nodiscard]] const api::NodePool& pool() const { return *pool_->pool; }
  [[nodiscard]] const catalog::Catalog& catalog() const { return *pool_->types; }
  [[nodiscard]] const catalog::InstanceType& type(size_t i) const { return catalog().types[i]; }
  [[nodiscard]] const ClaimState& state(int32_t id) const { return states_[id]; }
  [[nodiscard]] const api::Requirements& requirements(int32_t id) const {
    return (*interned_)[states_[id].requirements];
  }
  // The state of a claim without pods.
  static constexpr int32_t kInitial = 0;
  // The state after a pod that asks this joins, or kNoState.
  int32_t advance(int32_t from, uint32_t asks);
  // (USD per hour, type) of the state's types, cheapest first, ties by name.
  const std::vector<std::pair<double, uint32_t>>& by_price(int32_t id);

  // Allocatable less the daemons that would run there; of types that some state has.
  [[nodiscard]] AmountsView room(size_t type) const {
    return {room_.data() + type * columns_, columns_};
  }
  // The types on which a daemon that binds one of these ports would run.
  [[nodiscard]] TypeSet types_with_port(const std::vector<Daemon>& daemons,
                                        const HostPorts& ports) const;
  // The least that daemons take on any of these types, per resource.
  [[nodiscard]] Amounts least_daemons(const TypeSet& types) const;

  // Some type has reserved capacity on offer.
  [[nodiscard]] bool reserves() const { return reserves_; }
  [[nodiscard]] bool limited() const { return !remaining_.empty(); }
  // Limits less what is in use and was charged; only names that are limited.
  [[nodiscard]] const api::ResourceList& remaining() const { return remaining_; }
  // Types that no limit rules out now.
  [[nodiscard]] const TypeSet& within_limits() const { return within_limits_; }
  // Takes the largest of these types from the limits: which one it will be is not known.
  void charge(const TypeSet& types);

 private:
  void measure_room(const std::vector<Daemon>& daemons, const ResourceColumns& columns);
  void apply_limits();
  int32_t add_state(api::Requirements requirements, TypeSet types);

  const Pool* pool_;
  InternedRequirements* interned_;
  size_t columns_;
  bool reserves_ = false;
  std::deque<ClaimState> states_;
  boost::unordered_flat_map<uint32_t, int32_t> state_of_;  // by interned requirements
  std::vector<int64_t> room_;                              // one row a type
  std::vector<int64_t> daemons_;                           // likewise; empty without daemons
  api::ResourceList remaining_;
  TypeSet within_limits_;
};

// Keys whose minValues these types do not meet: "key: 3 asked, 1 left"; empty if all are met.
std::string why_too_few_values(const api::Requirements& requirements,
                               const catalog::Catalog& catalog, const TypeSet& types);

// What a NodeClaim will say of a state's requirements: all but the name nodes do not have yet and
// the two labels that say how far a node has come.
api::Requirements launch_requirements(const api::Requirements& requirements);

// The label a node class puts on its nodes: "<group>/<kind in lower case>".
std::string node_class_label(const api::NodeClassRef& node_class);

}  // namespace windlass::scheduling

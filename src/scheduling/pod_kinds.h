// Pods that no rule of scheduling can tell apart are of one kind. A Deployment of a thousand
// replicas is a thousand pods and one kind, and everything about a kind is worked out once.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "scheduling/amounts.h"
#include "scheduling/interned_requirements.h"
#include "scheduling/relaxation.h"
#include "scheduling/solve.h"

namespace windlass::scheduling {

// A kind at one step of its relaxation, with what the solve has found out about it. A place that
// did not fit never fits later, for places only fill up: what is ruled out here is ruled out for
// good. What topology spread refuses is not ruled out, for counts elsewhere change.
struct Variant {
  Wishes wishes;
  // Requirements of a new claim: the wishes and the joint policy's, interned.
  uint32_t asks = 0;
  bool takes_new_claims = true;         // false: the joint policy contradicts the wishes
  std::vector<uint32_t> spread_groups;  // one a constraint: Search::spread

  size_t next_node = 0;  // existing nodes before it are ruled out
  std::vector<uint32_t>
      open_claims;  // its group's claims not ruled out, of the first `claims_seen`
  size_t claims_seen = 0;
  std::vector<bool> template_ruled_out;  // by template; empty before the first try
};

struct PodKind {
  const api::Pod* example = nullptr;
  const api::Requirements* claim_extra = nullptr;  // null: the joint policy says nothing
  std::optional<int32_t> claim_group;              // new claims are shared within it only
  api::ResourceList requests;
  Amounts amounts;
  std::vector<Variant> variants;  // in the order they are tried
  std::vector<bool> selected_by;  // by spread group: whether its selector matches
};

struct PodKinds {
  std::vector<PodKind> kinds;
  std::vector<uint32_t> of_pod;  // by index into Problem::pods
};

// Kinds without amounts and variants; those need what only all kinds together tell.
PodKinds group_pods(const Problem& problem);

}  // namespace windlass::scheduling

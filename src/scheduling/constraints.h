// What a place must grant a pod, family by family: size, taints, labels, host ports, volumes,
// topology, reservations (reference karpenter.md 2.3). Each family is one small function and the
// families are lists, so that a new one is a new line in them.
#pragma once

#include <cstdint>

#include "scheduling/search.h"

namespace windlass::scheduling {

enum class Verdict : uint8_t {
  kFits,
  kNever,     // nor will it suit pods of this form later in this solve
  kFull,      // nor will it have room for pods of this kind later
  kNotNow,    // other pods' places decide it, so it may change
  kReserved,  // its reservations are held by other claims
};

// A pod's kind at one step of its relaxation: who is to be placed.
struct Asking {
  const PodKind& kind;
  const PodForm& form;
  const Variant& variant;
};

Verdict try_node(const Search& search, const Asking& asking, size_t node);

// What a claim becomes if the pod joins it.
struct ClaimTrial {
  int32_t state = ClaimTemplate::kInitial;
  size_t first_type = 0;
  ReservationIds held;
};
// Search::attempt must be one of this variant and of the counts as they are.
Verdict try_claim(Search& search, const Asking& asking, const OpenClaim& claim, ClaimTrial& trial);

// The types whose daemons take a port that the pod wants, or null.
const TypeSet* port_clashes(const PodForm& form, uint32_t template_index);

}  // namespace windlass::scheduling

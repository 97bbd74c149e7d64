// What a place must grant a pod, family by family: size, taints, labels, topology spread. Each
// family is one small function and the families are a list, so that a new one (volumes) is a new
// line in it.
#pragma once

#include <cstdint>

#include "scheduling/search.h"

namespace windlass::scheduling {

enum class Verdict : uint8_t {
  kFits,
  kNever,   // nor will it later in this solve
  kNotNow,  // other pods' places decide it, so it may change
};

Verdict try_node(Search& search, const PodKind& kind, const Variant& variant,
                 const NodePlace& node);

// What a claim becomes if the pod joins it; each family narrows it further.
struct ClaimTrial {
  int32_t state = ClaimTemplate::kInitial;
  size_t first_type = 0;
  bool domain_chosen = false;  // by topology spread, among several perhaps
};
Verdict try_claim(Search& search, const PodKind& kind, const Variant& variant,
                  const OpenClaim& claim, ClaimTrial& trial);

}  // namespace windlass::scheduling

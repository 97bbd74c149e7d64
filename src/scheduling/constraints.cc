#include "scheduling/constraints.h"

#include <array>

namespace windlass::scheduling {
namespace {

// ---- On a node that is there.

Verdict node_size(Search&, const PodKind& kind, const Variant&, const NodePlace& node) {
  return !node.overdrawn && fits(kind.amounts, node.free) ? Verdict::kFits : Verdict::kNever;
}

Verdict node_taints(Search&, const PodKind&, const Variant& variant, const NodePlace& node) {
  const auto* taint = api::first_untolerated(node.node->taints, variant.wishes.tolerations, true);
  return taint == nullptr ? Verdict::kFits : Verdict::kNever;
}

Verdict node_labels(Search&, const PodKind&, const Variant& variant, const NodePlace& node) {
  const auto* unmet = unmet_label(*node.node, variant.wishes.requirements);
  return unmet == nullptr ? Verdict::kFits : Verdict::kNever;
}

Verdict node_spread(Search& search, const PodKind& kind, const Variant& variant,
                    const NodePlace& node) {
  switch (spread_on_node(search, kind, variant, node)) {
    case SpreadAnswer::kYes:
      return Verdict::kFits;
    case SpreadAnswer::kNotNow:
      return Verdict::kNotNow;
    case SpreadAnswer::kNever:
      break;
  }
  return Verdict::kNever;
}

using NodeFamily = Verdict (*)(Search&, const PodKind&, const Variant&, const NodePlace&);
// What is refused for good comes first, then by cost; all must grant.
constexpr std::array<NodeFamily, 4> kNodeFamilies{node_size, node_taints, node_labels, node_spread};

// ---- On a claim of this solve.

// Startup taints are not looked at: they will be gone when the node is ready.
Verdict claim_taints(Search& search, const PodKind&, const Variant& variant, const OpenClaim& claim,
                     ClaimTrial&) {
  // Pods that joined have shown that the template's taints can be tolerated, not by whom.
  const api::NodePool& pool = search.templates[claim.template_index].pool();
  const auto* taint = api::first_untolerated(pool.taints, variant.wishes.tolerations, true);
  return taint == nullptr ? Verdict::kFits : Verdict::kNever;
}

Verdict claim_requirements(Search& search, const PodKind&, const Variant& variant,
                           const OpenClaim& claim, ClaimTrial& trial) {
  trial.state = search.templates[claim.template_index].advance(trial.state, variant.asks);
  return trial.state == kNoState ? Verdict::kNever : Verdict::kFits;
}

Verdict claim_spread(Search& search, const PodKind& kind, const Variant& variant,
                     const OpenClaim& claim, ClaimTrial& trial) {
  if (variant.spread_groups.empty()) return Verdict::kFits;
  const int32_t before = trial.state;
  if (!spread_on_claim(search, kind, variant, claim, trial.state)) return Verdict::kNotNow;
  trial.domain_chosen = trial.state != before;
  return Verdict::kFits;
}

// At least one type must still take all pods of the claim beside its daemons.
Verdict claim_types(Search& search, const PodKind& kind, const Variant&, const OpenClaim& claim,
                    ClaimTrial& trial) {
  const ClaimTemplate& made_from = search.templates[claim.template_index];
  const ClaimState& state = made_from.state(trial.state);
  size_t i = state.types.next_in_both(claim.allowed, claim.first_type);
  while (i != TypeSet::kNone && !sum_fits(claim.requests, kind.amounts, made_from.room(i))) {
    i = state.types.next_in_both(claim.allowed, i + 1);
  }
  // Types of another domain, chosen another time, may fit.
  const Verdict refused = trial.domain_chosen ? Verdict::kNotNow : Verdict::kNever;
  if (i == TypeSet::kNone) return refused;
  trial.first_type = i;
  if (!state.has_min_values) return Verdict::kFits;
  OpenClaim after = claim;
  after.state = trial.state;
  after.first_type = i;
  add_to(after.requests, kind.amounts);
  const TypeSet types = fitting_types(search, after);
  const std::string too_few =
      why_too_few_values(made_from.requirements(trial.state), made_from.catalog(), types);
  return too_few.empty() ? Verdict::kFits : refused;
}

using ClaimFamily = Verdict (*)(Search&, const PodKind&, const Variant&, const OpenClaim&,
                                ClaimTrial&);
// Types come last: they are those the narrowed requirements leave.
constexpr std::array<ClaimFamily, 4> kClaimFamilies{claim_taints, claim_requirements, claim_spread,
                                                    claim_types};

}  // namespace

Verdict try_node(Search& search, const PodKind& kind, const Variant& variant,
                 const NodePlace& node) {
  for (const NodeFamily family : kNodeFamilies) {
    const Verdict verdict = family(search, kind, variant, node);
    if (verdict != Verdict::kFits) return verdict;
  }
  return Verdict::kFits;
}

Verdict try_claim(Search& search, const PodKind& kind, const Variant& variant,
                  const OpenClaim& claim, ClaimTrial& trial) {
  trial = {claim.state, claim.first_type, false};
  for (const ClaimFamily family : kClaimFamilies) {
    const Verdict verdict = family(search, kind, variant, claim, trial);
    if (verdict != Verdict::kFits) return verdict;
  }
  return Verdict::kFits;
}

}  // namespace windlass::scheduling

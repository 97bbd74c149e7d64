#include <algorithm>

#include "scheduling/claim_template.h"
#include "scheduling/solve.h"

namespace windlass::scheduling {

api::NodeClaim to_node_claim(const NewClaim& claim, const api::NodePool& pool) {
  api::NodeClaim out;
  out.meta.labels = pool.labels;
  out.meta.labels.insert_or_assign(std::string(api::kNodePoolLabel), pool.meta.name);
  if (!pool.node_class.kind.empty()) {
    out.meta.labels.insert_or_assign(node_class_label(pool.node_class), pool.node_class.name);
  }
  out.meta.annotations = pool.annotations;
  // Drift compares the hash of the template a claim was made from with that of its pool.
  for (const auto* name : {"karpenter.sh/nodepool-hash", "karpenter.sh/nodepool-hash-version"}) {
    const auto hash = pool.meta.annotations.find(name);
    if (hash != pool.meta.annotations.end())
      out.meta.annotations.insert_or_assign(name, hash->second);
  }
  if (claim.min_values_relaxed) {
    out.meta.annotations.insert_or_assign("karpenter.sh/nodeclaim-min-values-relaxed", "true");
  }
  out.meta.owners.push_back({"karpenter.sh/v1", "NodePool", pool.meta.name, pool.meta.uid, false});
  out.meta.finalizers.emplace_back(api::kTerminationFinalizer);

  out.taints = pool.taints;
  out.startup_taints = pool.startup_taints;
  out.node_class = pool.node_class;
  out.termination_grace = pool.termination_grace;
  out.expire_after = pool.expire_after;
  out.requests = claim.requests;

  api::Requirements requirements = claim.requirements;
  std::vector<std::string> names;
  const size_t count = std::min(claim.types.size(), kMaxTypesPerClaim);
  for (size_t i = 0; i < count; ++i) names.push_back(claim.types[i]->name);
  requirements.add(api::kInstanceTypeLabel, {api::Operator::kIn, names});
  out.requirements = requirements.to_specs();
  return out;
}

}  // namespace windlass::scheduling

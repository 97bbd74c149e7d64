#include "scheduling/static_pool.h"

#include <algorithm>
#include <tuple>

#include "scheduling/claim_template.h"

namespace windlass::scheduling {

StaticChange keep_replicas(int32_t replicas, std::optional<int64_t> node_limit,
                           std::vector<StaticClaim> claims) {
  StaticChange out;
  const auto all = static_cast<int64_t>(claims.size());
  std::erase_if(claims, [](const StaticClaim& claim) { return claim.deleting; });
  const auto standing = static_cast<int64_t>(claims.size());
  const int64_t lacking = int64_t{replicas} - standing;
  if (lacking > 0) {
    const int64_t room = node_limit ? std::max<int64_t>(0, *node_limit - all) : lacking;
    out.at_limit = room < lacking;
    out.create = static_cast<int32_t>(std::min(lacking, room));
    return out;
  }
  std::ranges::sort(claims, {}, [](const StaticClaim& claim) {
    return std::tuple(claim.launched, !claim.empty, claim.disruption_cost,
                      std::string_view(claim.name));
  });
  for (int64_t i = 0; i < -lacking; ++i) {
    out.remove.push_back(claims[static_cast<size_t>(i)].name);
  }
  return out;
}

NewClaim static_claim(const Pool& pool) {
  InternedRequirements interned;
  ClaimTemplate made_from(pool, {}, {}, interned);
  NewClaim out;
  out.pool = pool.pool->meta.name;
  out.requirements = launch_requirements(made_from.requirements(ClaimTemplate::kInitial));
  for (const auto& [usd_per_hour, type] : made_from.by_price(ClaimTemplate::kInitial)) {
    if (out.types.empty()) out.usd_per_hour = usd_per_hour;
    out.types.push_back(&made_from.type(type));
  }
  return out;
}

}  // namespace windlass::scheduling

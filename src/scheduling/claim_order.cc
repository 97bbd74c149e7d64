#include "scheduling/claim_order.h"

#include "base/assert.h"

namespace windlass::scheduling {

void ClaimOrder::add(uint32_t claim, size_t pods) {
  if (pods >= levels_.size()) levels_.resize(pods + 1);
  levels_[pods].claims.add(claim);
  ++levels_[pods].count;
}

void ClaimOrder::opened(uint32_t claim) { add(claim, 1); }

void ClaimOrder::grew(uint32_t claim, size_t pods) {
  WL_ASSERT(pods < levels_.size() && levels_[pods].claims.has(claim));
  levels_[pods].claims.remove(claim);
  if (--levels_[pods].count == 0) levels_[pods].claims.clear();
  add(claim, pods + 1);
}

}  // namespace windlass::scheduling

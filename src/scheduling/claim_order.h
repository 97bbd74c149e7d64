// The new claims of a solve in the order they are tried: fewest pods first, then as they were
// opened (Karpenter sorts by pods alone, unstably; karpenter.md 2.3). Kept by level, so that a pod
// that joins moves one bit and a search skips what is ruled out 64 claims at a time.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "scheduling/index_set.h"

namespace windlass::scheduling {

class ClaimOrder {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // A claim with one pod.
  void opened(uint32_t claim);
  // One more pod than `pods`.
  void grew(uint32_t claim, size_t pods);

  // The first claim in neither set that `accept(claim)` takes, or kNone. `accept` may add to the
  // sets.
  template <typename Accept>
  uint32_t first(const IndexSet& ruled_out, const IndexSet& too_full, Accept accept) const {
    for (const Level& level : levels_) {
      if (level.count == 0) continue;
      for (size_t w = 0; w < level.claims.words(); ++w) {
        uint64_t left = level.claims.word(w) & ~(ruled_out.word(w) | too_full.word(w));
        for (; left != 0; left &= left - 1) {
          const auto claim = static_cast<uint32_t>(w * 64 + std::countr_zero(left));
          if (accept(claim)) return claim;
        }
      }
    }
    return kNone;
  }

 private:
  struct Level {
    IndexSet claims;
    size_t count = 0;
  };
  void add(uint32_t claim, size_t pods);
  std::vector<Level> levels_;  // by number of pods
};

}  // namespace windlass::scheduling

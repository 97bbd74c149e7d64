// Stabilization windows: a wish is held against the wishes of the last minutes, so that one low (or
// high) reading does not move replicas (reference keda_hpa.md 4.5 and 4.7). The memory holds
// wishes, not replica counts. Private to this room.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"
#include "scaling/hpa.h"

namespace windlass::scaling {

// Without behavior: the largest wish of the window. It can pull up as well as hold: a wish that a
// ramp limit cut short is reached at a later sync.
int32_t stabilize_down(int32_t wish, Duration window, Instant now,
                       std::vector<HpaMemory::Recommendation>& memory);

// With behavior: `current` brought between the smallest wish of the up window and the largest of
// the down window.
int32_t stabilize_both(int32_t wish, int32_t current, Duration up_window, Duration down_window,
                       Instant now, std::vector<HpaMemory::Recommendation>& memory);

}  // namespace windlass::scaling

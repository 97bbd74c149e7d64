// A declared distribution of how long something takes.
#pragma once

#include "base/rng.h"
#include "base/time.h"

namespace windlass::sim {

// Log-normal by median and P95; equal values make it constant.
struct Delay {
  Duration median{};
  Duration p95{};

  [[nodiscard]] Duration draw(Rng& rng) const;
  [[nodiscard]] Duration mean() const;
};

}  // namespace windlass::sim

// What the External metrics of an HPA ask for, before any history, bound or rate limit (reference
// keda_hpa.md 4.2 and 4.3). Private to this room; the public face is hpa.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scaling/hpa.h"

namespace windlass::scaling {

// How far usage may stand from the target, as a fraction, before it counts.
struct Tolerance {
  double up = 0.1;
  double down = 0.1;
};

struct MetricsWish {
  // The largest wish; nullopt when no metric may decide: all failed, or some failed and the rest
  // would scale in (one bad metric blocks scale-in of the whole object).
  std::optional<int32_t> replicas;
  std::vector<std::optional<int32_t>> by_metric;  // nullopt where the metric failed
  std::string why;
};

MetricsWish wish_of_metrics(const HpaInput& input, const Tolerance& tolerance);

// "33" or "33.5": a quantity in thousandths as people write it.
std::string milli_text(int64_t milli);

}  // namespace windlass::scaling

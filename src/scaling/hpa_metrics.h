// What the metrics of an HPA ask for, before any history, bound or rate limit (reference
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

// One metric's wish, or why it has none.
struct MetricWish {
  std::optional<int32_t> replicas;
  std::string error;  // empty: there is a wish
  // What was set against the target: a sum, an average, or a percentage of requests (then not in
  // milli); and over how many pods.
  int64_t usage_milli = 0;
  int32_t pods = 0;
};

struct MetricsWish {
  // The largest wish; nullopt when no metric may decide: all failed, or some failed and the rest
  // would scale in (one bad metric blocks scale-in of the whole object).
  std::optional<int32_t> replicas;
  std::vector<MetricWish> by_metric;
  std::string_view failure;  // of the first metric that failed: "FailedGetExternalMetric"
};

MetricsWish wish_of_metrics(const HpaInput& input, const HpaOptions& options,
                            const Tolerance& tolerance, Instant now);

// In words: "s1-prometheus wants 7 (33/5)", with what failed, if anything did.
std::string words_of(const HpaInput& input, const MetricsWish& wish);

// (1 - down) <= ratio <= (1 + up), as releases from 1.33 test it: exactly 1.1 is inside 0.1, and
// NaN never is.
bool within(double ratio, const Tolerance& tolerance);
// A float as Go's conversion on amd64 takes it: what does not fit becomes the smallest int32, which
// then lands on minReplicas. Seen in a real controller (vectors/hpa, very_large).
int32_t to_int32_unchecked(double value);

// "33" or "33.5": a quantity in thousandths as people write it.
std::string milli_text(int64_t milli);

}  // namespace windlass::scaling

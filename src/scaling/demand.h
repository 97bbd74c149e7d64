// Windlass' own demand model: how many replicas the traffic needs over the lead time of a new GPU,
// and what one replica on a given GPU can serve at the SLO. Pure functions; used by the joint
// policy.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "catalog/service_profile.h"

namespace windlass::scaling {

// The mix of requests, as observed.
struct RequestMix {
  double input_tokens_mean = 0;
  double output_tokens_mean = 0;
  double input_tokens_p95 = 0;
  double output_tokens_p95 = 0;
};

struct Capacity {
  double requests_per_s =
      0;             // the largest rate at which P95 latency stays within the SLO; 0: never
  double batch = 0;  // mean sequences decoding at that rate
  double unloaded_p95_ms = 0;  // latency of a P95 request alone on the server
  std::string limited_by;      // "slo", "max_sequences", "kv_memory", "compute", "slo_unreachable"
};
// What one replica with this profile serves within the SLO (P95 end-to-end latency, ms).
// Derivation in docs/designs/joint-policy.md.
Capacity capacity_at_slo(const catalog::ServiceProfile& profile, const RequestMix& mix,
                         double slo_p95_ms);

// Arrival counts by equal periods, oldest first, the last one complete.
struct DemandHistory {
  Duration period{};
  std::vector<double> requests;
};
struct Forecast {
  double rate_now = 0;      // requests/s, smoothed
  double trend_per_s = 0;   // requests/s a second
  double rate_at_lead = 0;  // the highest expected rate from now to now + lead, without margin
  double rate_planned = 0;  // with the margin for chance: + z * sqrt(variance of the rate)
  std::string why;
};
// Robust to bursts and to short history (one period is enough). Never negative.
Forecast forecast_demand(const DemandHistory& history, Duration lead);

struct DemandInput {
  DemandHistory history;
  Duration lead{};                    // from decision to first token of a new replica
  double queue = 0;                   // requests waiting now
  double drain_target_s = 30;         // waiting requests are to be gone in this time
  double replica_requests_per_s = 0;  // Capacity of one replica
  int32_t current = 0;
  int32_t min = 0;
  int32_t max = 0;
  double scale_in_headroom = 0.2;  // replicas go only when the rest would still have this to spare
};
struct DemandDecision {
  int32_t replicas = 0;
  Forecast forecast;
  std::string limited_by;  // "", "min", "max", "headroom"
  std::string why;
};
// Straight to N. Scale-in is decided on the peak of the look-back, never on one reading.
DemandDecision evaluate_demand(const DemandInput& input);

}  // namespace windlass::scaling

// evaluate_demand: the joint policy's replica count. Out at once and straight to N; in only when
// what remains would have held the look-back's peak with headroom to spare.
#include "scaling/demand.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace windlass::scaling {
namespace {

// Replicas for a rate, as a double: the caller clamps to int32 bounds.
double replicas_for(double rate, double per_replica) {
  // A hair below, so that 3.0000000000000004 replicas are 3; for no traffic 0, not -0.
  return std::max(0.0, std::ceil(rate / per_replica - 1e-9));
}

double peak_rate(const DemandHistory& history) {
  double peak = 0;
  if (history.period <= Duration{}) return peak;
  for (const double count : history.requests) {
    if (std::isfinite(count)) peak = std::max(peak, count / history.period.seconds());
  }
  return peak;
}

struct Bounded {
  int32_t replicas;
  std::string_view limited_by;
};

Bounded within_bounds(double wish, int32_t min, int32_t max) {
  if (wish > max) return {max, "max"};
  if (wish < min) return {std::min(min, max), "min"};
  return {static_cast<int32_t>(wish), ""};
}

// Rate at which the waiting requests have to be worked off, on top of the arrivals.
double drain_rate(const DemandInput& input) {
  if (!(input.queue > 0) || !std::isfinite(input.queue)) return 0;
  return input.queue / std::max(input.drain_target_s, 1.0);
}

}  // namespace

DemandDecision evaluate_demand(const DemandInput& input) {
  DemandDecision out;
  out.forecast = forecast_demand(input.history, input.lead);
  const double per_replica = input.replica_requests_per_s;
  if (!(per_replica > 0)) {
    // Nothing can be divided by it; changing anything on no knowledge would be worse than waiting.
    const Bounded kept = within_bounds(input.current, input.min, input.max);
    out.replicas = kept.replicas;
    out.limited_by = kept.limited_by;
    out.why = fmt::format("a replica's capacity at the SLO is not known; {} replicas stay",
                          kept.replicas);
    return out;
  }
  const double drain = drain_rate(input);
  const double rate = out.forecast.rate_planned + drain;
  const double wish = replicas_for(rate, per_replica);
  out.why =
      fmt::format("{}{}; {:.3g} a replica at the SLO: {:.0f} replicas", out.forecast.why,
                  drain > 0 ? fmt::format(", {:.3g} more to drain {:.0f} waiting in {:.0f} s",
                                          drain, input.queue, std::max(input.drain_target_s, 1.0))
                            : "",
                  per_replica, wish);
  double replicas = wish;
  bool held = false;
  if (wish < input.current) {
    // The headroom is also the hysteresis: what it leaves must fill before the next step out.
    const double peak = std::max(peak_rate(input.history), rate);
    const double safe =
        replicas_for(peak * (1 + std::max(input.scale_in_headroom, 0.0)), per_replica);
    replicas = std::min(std::max(wish, safe), static_cast<double>(input.current));
    held = replicas > wish;
    if (held) {
      out.why += fmt::format(
          "; {:.0f} stay for the look-back's peak of {:.3g} requests/s and {:.0f} % headroom",
          replicas, peak, std::max(input.scale_in_headroom, 0.0) * 100);
    }
  }
  const Bounded bounded = within_bounds(replicas, input.min, input.max);
  out.replicas = bounded.replicas;
  out.limited_by = bounded.limited_by.empty() && held ? "headroom" : bounded.limited_by;
  if (!bounded.limited_by.empty()) {
    out.why += fmt::format("; limited to {} by {}", bounded.replicas, bounded.limited_by);
  }
  return out;
}

}  // namespace windlass::scaling

// What a fleet counts: totals, the raw times, the run's hash, and both sides of Little's law in
// exact integers, so that a request counted twice or lost shows as inequality, not as noise.
#pragma once

#include <cstdint>
#include <vector>

#include "base/hash.h"
#include "base/time.h"
#include "sim/inference/fleet.h"
#include "sim/inference/request_slab.h"

namespace windlass::sim {

class Accounts {
 public:
  Accounts(Duration slo, Instant start) : slo_(slo), settled_ns_(start.ns) {}

  void arrived(const LiveRequest& request);
  void completed(const LiveRequest& request, int64_t now_ns);
  void failed(const LiveRequest& request, int64_t now_ns);
  void retried() { ++totals_.retried; }

  [[nodiscard]] const FleetTotals& totals() const { return totals_; }
  [[nodiscard]] const std::vector<float>& latencies_ms() const { return latencies_ms_; }
  [[nodiscard]] const std::vector<float>& ttfts_ms() const { return ttfts_ms_; }
  [[nodiscard]] const Hash64& hash() const { return hash_; }
  Window take_window();

  // In request-seconds, at `now_ns`.
  [[nodiscard]] double number_integral(int64_t now_ns) const;
  [[nodiscard]] double time_in_system_sum(int64_t now_ns) const;

 private:
  __extension__ using Int128 = __int128;  // 2^63 ns times many requests

  // Adds to the integral the time since the number in the system last changed.
  void settle(int64_t now_ns);
  void left(const LiveRequest& request, int64_t now_ns);

  Duration slo_;
  FleetTotals totals_;
  std::vector<float> latencies_ms_;
  std::vector<float> ttfts_ms_;
  Hash64 hash_;
  Window window_;           // its sums; the times are taken from the vectors above
  size_t window_from_ = 0;  // the first completion of the window

  Int128 number_integral_ns_ = 0;  // up to settled_ns_
  int64_t settled_ns_;
  Int128 finished_time_ns_ = 0;     // of the requests that left
  Int128 present_arrivals_ns_ = 0;  // sum of the present requests' arrival times
};

}  // namespace windlass::sim

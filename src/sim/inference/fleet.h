// All inference servers of one model behind one router, and the requests in them. Servers batch
// continuously, by iteration; between two events of a server its iterations have a closed form, so
// work is per request, not per token. Requests go to the server with the least outstanding requests
// (ties: the oldest server); without any server they wait at the router. A request longer than the
// memory of the server it comes to fails at once. Events of one instant come in this order:
// servers' (by id), timeouts, arrivals; how often advance() is called changes no result.
//
// Time moves only by advance(); every other call happens at the time last advanced to.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/hash.h"
#include "base/time.h"
#include "catalog/service_profile.h"
#include "sim/traffic/traffic.h"

namespace windlass::sim {

using ServerId = uint32_t;

struct FleetOptions {
  Duration slo{};  // end-to-end latency, for slo_met
  // A request that waits (at the router or a server) this long after its arrival fails; one that
  // runs by then may finish. 0: none.
  Duration request_timeout{};
  int max_retries = 2;  // a request whose server died is routed again so often
  uint64_t seed = 0;    // of the draws that set_traffic_factor() makes
};

struct ServerStats {
  int running = 0;
  int waiting = 0;
  double kv_usage = 0;  // 0..1, of the KV memory: reserved by what runs (input + output tokens)
  Duration busy{};      // time in iterations so far
  uint64_t completed = 0;
  uint64_t prompt_tokens = 0;
  uint64_t generation_tokens = 0;
  std::optional<Instant> first_token;  // of the first request it answered
};

struct FleetTotals {
  uint64_t offered = 0;  // arrivals so far
  uint64_t completed = 0;
  uint64_t failed = 0;
  uint64_t retried = 0;    // times a request was routed again
  uint64_t slo_met = 0;    // completed within the SLO
  uint64_t in_system = 0;  // neither completed nor failed: offered = completed + failed + in_system
};

// Of the requests completed since the last take_window(), in order of completion.
struct Window {
  std::vector<float> latency_ms;
  std::vector<float> ttft_ms;
  uint64_t arrivals = 0;
  // Sums over the arrivals and over the completions, and of their squares.
  double input_tokens = 0;
  double input_tokens_squared = 0;
  double output_tokens = 0;
  double output_tokens_squared = 0;
};

class Fleet {
 public:
  // What the traffic has before `start` is left out.
  Fleet(FleetOptions options, Traffic traffic, Instant start);
  Fleet(Fleet&&) noexcept;
  ~Fleet();

  // Processes arrivals and iterations up to and including `to`. Error: the traffic's.
  Status advance(Instant to);
  // The next time at which something observable from outside happens by itself: a draining server
  // becomes empty (exactly then: nothing can change its future but remove()). kNever if none does;
  // no later than that must advance() be called.
  [[nodiscard]] Instant next_drained() const;

  // From the next arrival on so many times the traffic's requests, 0 to 1000.
  void set_traffic_factor(double factor);

  ServerId add_server(const catalog::ServiceProfile& profile);
  // No new requests; its waiting ones go back to the router at once (not counted as retries);
  // what runs finishes.
  void drain(ServerId id);
  [[nodiscard]] bool drained(ServerId id) const;
  // The server is gone: what was in it is routed again from its beginning (counted, with its old
  // arrival time, so it may be too old by now), or failed beyond max_retries. stats() stay.
  void remove(ServerId id);

  [[nodiscard]] ServerStats stats(ServerId id) const;
  [[nodiscard]] int router_waiting() const;
  [[nodiscard]] int waiting() const;  // router and servers together
  [[nodiscard]] const FleetTotals& totals() const;
  Window take_window();

  // Raw times of every completed request, ms, in order of completion.
  [[nodiscard]] const std::vector<float>& latencies_ms() const;
  [[nodiscard]] const std::vector<float>& ttfts_ms() const;
  // Integral of the number in the system over time, and the sum of times spent in it by finished
  // and present requests: equal (Little's law), in request-seconds.
  [[nodiscard]] double number_integral() const;
  [[nodiscard]] double time_in_system_sum() const;
  // Every completion (id, time) so far.
  [[nodiscard]] const Hash64& hash() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass::sim

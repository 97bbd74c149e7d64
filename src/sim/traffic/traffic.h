// Where requests come from: published traces, plain CSV, or a seeded generator; streamed, never
// loaded whole. One Traffic yields the requests of one model in order of arrival.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace windlass::sim {

struct Request {
  uint64_t id = 0;  // counts from 0 in order of arrival
  Instant arrival{};
  int32_t input_tokens = 0;   // >= 1
  int32_t output_tokens = 0;  // >= 1
};

// The rate over the day: multiplies the traffic's own rate. Points are (hour of day, factor),
// linear between, wrapping at 24 h. Empty: 1 throughout.
struct DayShape {
  struct Point {
    double hour;
    double factor;
  };
  std::vector<Point> points{};
  [[nodiscard]] double factor_at(Duration since_midnight) const;
};

struct TraceSpec {
  std::string path{};
  // Format by header: "TIMESTAMP,ContextTokens,GeneratedTokens" (Azure LLM inference traces; the
  // first row arrives at the start) or "time_s,input_tokens,output_tokens" (from the start).
  // Start again at the end, one mean gap after the last row, until the scenario's end.
  bool repeat = true;
  // 2: twice the requests. Each is taken that often, a fraction by chance; copies come at random
  // times before the next row. Up to 1000.
  double rate_scale = 1;
  double time_scale = 1;  // 2: the same requests over twice the time
};

struct LengthSpec {  // log-normal, given by median and P95; clamped to [min, max], rounded
  double median = 128;
  double p95 = 512;
  int32_t min = 1;
  int32_t max = 32768;
};
struct GeneratorSpec {
  double requests_per_s = 1;  // before the shape
  LengthSpec input{};
  LengthSpec output{};
  // Bursts: a Poisson process of episodes in which the rate is multiplied.
  double bursts_per_h = 0;
  double burst_factor = 1;
  Duration burst_length = minutes(5);
};

struct TrafficSpec {
  std::optional<TraceSpec> trace{};  // exactly one of trace and generator
  std::optional<GeneratorSpec> generator{};
  // By UTC. With a trace: requests are thinned (factor < 1) or taken again (> 1), seeded.
  DayShape shape{};
};

class Traffic {
 public:
  // Opens and checks the file's header and first rows. Arrivals are in [start, start + length).
  static Result<Traffic> open(const TrafficSpec& spec, uint64_t seed, Instant start,
                              Duration length);
  Traffic(Traffic&&) noexcept;
  Traffic& operator=(Traffic&&) noexcept;
  ~Traffic();

  // The next request, or nothing at the end. A malformed row ends the traffic with error() set:
  // "trace.csv:1234: input_tokens: not a whole number from 1 to 2147483647: \"x\"". Rows out of
  // order by time are errors.
  std::optional<Request> next();
  [[nodiscard]] const std::optional<Error>& error() const;

 private:
  struct Impl;
  explicit Traffic(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass::sim

// Writes the requests that a model's recorded rates and lengths stand for, one by one, as a trace
// the simulator reads ("time_s,input_tokens,output_tokens"). Seeded: the same history gives the
// same file.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "cli/replay_history.h"

namespace windlass::cli {

struct TraceWritten {
  uint64_t rows = 0;
  int every = 1;               // one of so many requests is written; the scenario's rateScale
  bool input_assumed = false;  // no lengths were recorded: kAssumedInput, kAssumedOutput
  bool output_assumed = false;
  bool spread_assumed = false;  // means were, P95 was not
  double input_mean = 0;        // tokens, of what was written
  double output_mean = 0;
};

constexpr double kAssumedInput = 512;  // tokens, mean
constexpr double kAssumedOutput = 256;
// Files beyond this many rows (some 400 MB) hold one request for several.
constexpr double kMostRows = 20e6;

// Arrivals are a Poisson process of the recorded rate; lengths are log-normal with the recorded
// mean and P95. Error: the file can't be written.
Result<TraceWritten> write_trace(const std::string& path, const std::string& model,
                                 const ModelHistory& history, const RangeWindow& span,
                                 uint64_t seed);

// The log-normal of this mean whose 95th percentile is `p95`; as near as there is one.
struct LogNormal {
  double mu = 0;
  double sigma = 0;
};
LogNormal log_normal_of(double mean, double p95);

}  // namespace windlass::cli

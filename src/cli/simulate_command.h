// `windlass simulate`: reads a scenario, runs it under each policy, prints the results.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace windlass::cli {

struct SimulateOptions {
  std::string scenario;
  std::vector<std::string> policies;  // empty: the scenario's
  std::optional<uint64_t> seed;
  std::string output = "table";  // or json
  std::string report;            // a file; empty: none
  std::string decisions;         // likewise
  bool quiet = false;
};

// The exit code: 0 done, 1 a run failed, 2 bad input, 130 stopped by Ctrl-C.
int run_simulate(const SimulateOptions& options);

}  // namespace windlass::cli

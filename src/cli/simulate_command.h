// `windlass simulate`: reads a scenario, runs it under each policy, prints the results.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/scenario.h"

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

// Its halves, for what comes to a scenario in another way. load: the file under the options' seed
// and policies; nullopt: errors were printed. simulate: runs and prints it as the options say
// (options.scenario, seed and policies play no part any more).
std::optional<sim::Scenario> load_scenario(const SimulateOptions& options);
int simulate_scenario(const sim::Scenario& scenario, const SimulateOptions& options);

}  // namespace windlass::cli

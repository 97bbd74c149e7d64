// The simulated world under one policy: its parts, the ring's controllers, and the main loop.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "base/result.h"
#include "controllers/wiring.h"
#include "sim/run_result.h"
#include "sim/scenario.h"

namespace windlass::sim {

struct RunOptions {
  // Called about every simulated half hour, with the share of the run that is done (0..1).
  std::function<void(double)> progress;
  // One JSON line a decision; empty: not written.
  std::function<void(const std::string& json_line)> decisions;
  // Set from outside (Ctrl-C): the run ends at the next event and its result is partial.
  const std::atomic<bool>* stop = nullptr;
};

// Runs the scenario under the policy. Deterministic: scenario and seed give the same result, byte
// for byte, apart from wall_s, which is left 0 here. Error: a traffic file can't be read to its
// end.
Result<RunResult> simulate(const Scenario& scenario, controllers::Policy policy,
                           const RunOptions& options);

}  // namespace windlass::sim

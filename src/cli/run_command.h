// `windlass run`: the controller in a real cluster.
#pragma once

#include "cli/run_config.h"

namespace windlass::cli {

// 0: stopped by a signal; 1: it can't go on; 2: bad input.
int run_run(const RunOptions& options);

}  // namespace windlass::cli

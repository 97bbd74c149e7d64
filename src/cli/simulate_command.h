// `windlass simulate`: reads a scenario, runs it under each policy, prints the results.
#pragma once

namespace CLI {
class App;
}

namespace windlass::cli {

// Registers the subcommand. Its callback sets `exit_code`: 0 done, 1 a run failed, 2 bad input,
// 130 stopped by Ctrl-C.
void add_simulate_command(CLI::App& app, int& exit_code);

}  // namespace windlass::cli

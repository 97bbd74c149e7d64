// Runs another program on the loop and takes what it prints (credential plugins).
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "net/event_loop.h"

namespace windlass::net {

struct ProcessSpec {
  std::string program;  // looked for in PATH unless it has a slash
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;  // beside the own one
  Duration timeout = seconds(60);                                // then it is killed
  size_t max_output_bytes = 1 << 20;
};
struct ProcessResult {
  int exit_code = -1;  // -1: not started, killed or timed out, see error
  std::string output;  // standard output
  std::string error;   // why it failed; never its output. What it says on stderr goes to ours.
};
// Calls `done` once, later. The loop must outlive it.
void run_process(EventLoop& loop, ProcessSpec spec, std::function<void(ProcessResult)> done);

}  // namespace windlass::net

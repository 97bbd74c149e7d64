// Progress of several runs on standard error: one line that is rewritten on a terminal; on anything
// else a line a run when it is done. Thread-safe.
#pragma once

#include <mutex>
#include <string>
#include <vector>

namespace windlass::cli {

// What is being done, and what is said of each when it is.
struct ProgressWords {
  std::string doing = "simulating";
  std::string done = "simulated";
};

class Progress {
 public:
  Progress(std::vector<std::string> names, bool enabled, ProgressWords words = {});
  // The share that is done, 0..1; negative: stopped before its end.
  void update(size_t index, double share);
  // Takes the line away.
  void finish();

 private:
  void draw();

  std::vector<std::string> names_;
  ProgressWords words_;
  std::vector<double> shares_;
  bool enabled_;
  bool terminal_;
  std::mutex mutex_;
};

}  // namespace windlass::cli

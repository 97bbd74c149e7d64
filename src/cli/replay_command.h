// `windlass replay`: reads the traffic of the last days from a Prometheus and runs it under each
// policy with the user's manifests, so that a decision about them rests on their own load.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace windlass::cli {

struct ReplayOptions {
  std::string prometheus;  // URL
  std::string last = "7d";
  std::string until;  // RFC 3339; empty: now
  std::string step = "1m";
  std::vector<std::string> files;    // manifests
  std::string models;                // a file; empty: say which there are
  std::vector<std::string> headers;  // NAME=VALUE
  std::string bearer_token_file;
  std::string ca_file;
  bool insecure = false;
  std::string cache;          // a directory; empty: under $XDG_CACHE_HOME
  std::string save_scenario;  // a directory; empty: not kept
  std::vector<std::string> rate_queries, input_queries, output_queries;  // MODEL=PROMQL
  // As of simulate.
  std::vector<std::string> policies;
  std::optional<uint64_t> seed;
  std::string output = "table";
  std::string report;
  std::string decisions;
  bool quiet = false;
};

// The exit code: 0 done, 1 Prometheus or a run failed, 2 bad input, 130 stopped by Ctrl-C.
int run_replay(const ReplayOptions& options);

}  // namespace windlass::cli

// `windlass up [SCENARIO]`: the embedded cluster in the foreground.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace windlass::cli {

struct UpOptions {
  std::string scenario;   // may be empty with `external`
  bool external = false;  // nodes and autoscaling are clients'
  std::string policy = "windlass";
  double speed = 1;
  std::string listen;  // HOST, HOST:PORT, :PORT, [V6]:PORT; empty: 127.0.0.1 and the usual port
  std::optional<uint16_t> dashboard_port;
  std::string data_dir;  // empty: under the user's state directory, by the scenario's name
  bool plain_http = false;
  bool no_traffic = false;
  std::string until;  // RFC 3339, or a duration from the scenario's start
  std::string version;
};

// Serves until Ctrl-C or `until`. The exit code: 0 stopped as asked, 1 it can't go on, 2 bad input.
int run_up(const UpOptions& options);

}  // namespace windlass::cli

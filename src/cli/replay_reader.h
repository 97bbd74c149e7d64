// Reads a Prometheus' past for `windlass replay`: range queries in windows, one at a time, each
// answer kept in a directory, so that a second run asks only for what is missing. Blocks while it
// asks. Waits and tries again where that may help; Ctrl-C stops it between any two steps.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/replay_series.h"
#include "net/clock.h"
#include "net/http_client.h"

namespace windlass::cli {

struct PrometheusAccess {
  std::string url;  // "http://prometheus:9090", with a path where there is one
  std::vector<std::pair<std::string, std::string>> headers;
  std::shared_ptr<const net::TlsOptions> tls;  // null: the system's CA
};

// The address as it may be shown: without the name and password that may stand before the host.
std::string shown_url(const std::string& url);

class PrometheusReader {
 public:
  // `cache` is a directory that is there; empty: nothing is kept.
  PrometheusReader(PrometheusAccess access, std::string cache);
  ~PrometheusReader();

  // All series of the query over the span. `query_name` is for messages. Error: Prometheus cannot
  // be reached, refuses, or can't answer even the smallest window; or it was stopped.
  Result<std::vector<RangeSeries>> read(const std::string& query_name, const std::string& query,
                                        const RangeWindow& span);
  // Called before every window, kept or asked.
  std::function<void()> on_window;

  [[nodiscard]] bool stopped() const;  // by Ctrl-C
  // The last error was about its query alone (a function that is not known there, more than it
  // takes): others may be answered.
  [[nodiscard]] bool query_refused() const;
  [[nodiscard]] size_t asked() const;   // requests sent
  [[nodiscard]] size_t reused() const;  // windows that were kept

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass::cli

// `windlass up`: a simulated world run against the wall clock, behind a Kubernetes API, metrics and
// a dashboard. One thread, one loop; all state in one directory, so that a process that was killed
// goes on where its last answer left it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "controllers/wiring.h"
#include "sim/run_result.h"
#include "sim/scenario.h"

namespace windlass::server::embedded {

struct ClusterOptions {
  std::string data_dir;
  std::string host = "127.0.0.1";  // of both listeners
  // Unset: the usual port (6443, 8080) or, where that is taken, any free one.
  std::optional<uint16_t> api_port;
  std::optional<uint16_t> dashboard_port;
  bool plain_http = false;  // the API without TLS; loopback only
  double speed = 1;         // simulated seconds a second of wall time
  bool traffic = true;
  // Nodes, their kubelets and all autoscaling are clients' (sim::WorldOptions); no other policy
  // runs beside.
  bool external = false;
  // Simulated: the run ends there; or so long after the cluster's start.
  std::optional<Instant> until;
  std::optional<Duration> until_after;
  std::string version;  // of Windlass
  std::function<Instant()> wall_now;
};

struct Addresses {
  std::string kubeconfig;  // path
  std::string api;         // URL
  std::string dashboard;   // URL with its one-time token
};

class EmbeddedCluster {
 public:
  // Makes or reopens the data directory and listens. Errors: the directory is another scenario's or
  // in use, an address can't be bound, a traffic file can't be read.
  static Result<std::unique_ptr<EmbeddedCluster>> open(sim::Scenario scenario,
                                                       controllers::Policy policy,
                                                       ClusterOptions options);
  ~EmbeddedCluster();

  [[nodiscard]] const Addresses& addresses() const;
  // Whether the directory held a cluster already, and the simulated time now.
  [[nodiscard]] bool resumed() const;
  [[nodiscard]] Instant now() const;
  // When it began (simulated): the wall's time at its first start, not the scenario's, so that at
  // speed 1 the ages that clients work out by their own clock are right.
  [[nodiscard]] Instant started() const;

  // Called with a new address when a dashboard's link has been used up.
  std::function<void(const std::string& url)> on_new_dashboard_link;

  // Serves until stop(), a SIGINT or SIGTERM, or `until`. Error: the journal can't be written, the
  // traffic can't be read.
  Status run();
  void stop();
  // What this policy and the others beside it came to, in the order static, stock, windlass.
  [[nodiscard]] std::vector<sim::RunResult> results();

 private:
  struct Impl;
  explicit EmbeddedCluster(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass::server::embedded

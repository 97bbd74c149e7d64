// The two listeners of the embedded cluster and who may come in: the Kubernetes API (TLS; token or
// client certificate), and the dashboard with metrics (a session from the printed link, or the
// API's bearer token). Says which part answers a path.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "server/http/credentials.h"
#include "server/http/http_server.h"
#include "server/observe/dashboard_feed.h"
#include "server/observe/prometheus_api.h"
#include "server/observe/sim_metrics.h"
#include "server/observe/windlass_metrics.h"
#include "server/rest/kube_api.h"

namespace windlass::server::embedded {

struct FrontDoorParts {
  EventLoop* loop = nullptr;
  rest::KubeApi* api = nullptr;
  observe::DashboardFeed* feed = nullptr;
  observe::WindlassMetrics* metrics = nullptr;
  const sim::prometheus::Store* store = nullptr;
  const Credentials* credentials = nullptr;
  const cluster::ObjectStore* objects = nullptr;
  std::function<Instant()> now;  // simulated
  std::function<Instant()> wall_now;
};
struct DoorOptions {
  std::string host = "127.0.0.1";
  std::optional<uint16_t> api_port;        // unset: 6443, or any free one
  std::optional<uint16_t> dashboard_port;  // unset: 8080, or any free one
  bool plain_http = false;
};

class FrontDoor {
 public:
  explicit FrontDoor(FrontDoorParts parts);
  ~FrontDoor();
  Status open(const DoorOptions& options);

  [[nodiscard]] const std::string& api_url() const { return api_url_; }
  // The dashboard's address with a new one-time token.
  std::string new_dashboard_link();
  // Called with a fresh link when one has been used.
  std::function<void(const std::string& url)> on_new_link;
  [[nodiscard]] size_t connections() const;

 private:
  void serve_api(const Request& request, const std::shared_ptr<Exchange>& exchange);
  void serve_dashboard(const Request& request, const std::shared_ptr<Exchange>& exchange);
  // Metrics and Prometheus' API, on both listeners. False: not one of theirs.
  bool serve_metrics(const Request& request, const std::shared_ptr<Exchange>& exchange,
                     const observe::PrometheusApi& prometheus);
  [[nodiscard]] Identity identify(const Request& request,
                                  const std::optional<Identity>& certificate) const;

  FrontDoorParts parts_;
  HttpServer api_server_;
  HttpServer dashboard_server_;
  std::unique_ptr<DashboardSessions> sessions_;
  bool plain_dashboard_ = false;     // without TLS, on loopback
  observe::PrometheusApi prefixed_;  // under /prometheus: /api/v1 is Kubernetes' on its listener
  observe::PrometheusApi plain_;     // the dashboard's listener
  std::string api_url_;
  std::string dashboard_url_;
};

}  // namespace windlass::server::embedded

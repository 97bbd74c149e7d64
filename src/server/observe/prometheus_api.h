// Prometheus' HTTP API over the simulated series, so that Grafana's data source, KEDA's scaler and
// curl can ask: query, query_range, labels, label/NAME/values, series, metadata, status/buildinfo,
// status/runtimeinfo; GET and POST. Shapes, number formats and errors as Prometheus 2.42 has them;
// the language is the subset of sim/prometheus/promql.h.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/time.h"
#include "server/http/exchange.h"
#include "sim/prometheus/store.h"

namespace windlass::server::observe {

struct PrometheusOptions {
  // Where it is mounted: "/prometheus" answers /prometheus/api/v1/query (serverAddress and data
  // source address end in /prometheus, as /api/v1 itself is Kubernetes'). Empty: its own listener.
  std::string prefix = "/prometheus";
  const sim::prometheus::Store* store = nullptr;
  std::function<Instant()> now;  // simulated: the default of `time`
  // For time-outs, any steady origin; empty: none are kept.
  std::function<Instant()> wall_now;
  Duration timeout_max = seconds(10);  // of one query: it holds the loop meanwhile
  std::function<bool()> down;          // an outage is being played: 503; empty: never
  Instant started{};
  std::string version = "2.42.0";
};

class PrometheusApi {
 public:
  explicit PrometheusApi(PrometheusOptions options) : options_(std::move(options)) {}

  // True for paths that are this API's.
  [[nodiscard]] bool serves(std::string_view path) const;
  void handle(const Request& request, const std::shared_ptr<Exchange>& exchange) const;
  // The same without an exchange.
  [[nodiscard]] Response answer(const Request& request) const;

 private:
  PrometheusOptions options_;
};

}  // namespace windlass::server::observe

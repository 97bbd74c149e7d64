// Asks what triggers ask for: Prometheus' HTTP API and metrics-api endpoints, as KEDA's scalers do
// (reference keda_hpa.md 2.1, 2.2; kubernetes_aws_prometheus.md). One call, one answer; the plan
// says address, query, headers, parameters, authentication and time-out. Never logs credentials.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cluster/observations.h"
#include "net/clock.h"
#include "net/http_client.h"
#include "scaling/trigger_plan.h"

namespace windlass::live::signals {

class MetricSource {
 public:
  MetricSource(net::HttpClient& http, net::Clock& clock);
  ~MetricSource();
  // For kPrometheus and kMetricsApi. `done` is called once, later, with the answer's values (one an
  // element; of metrics-api the one value) or its error; trigger is left 0. Not after destruction.
  void ask(const scaling::TriggerPlan& plan, std::function<void(cluster::QueryAnswer)> done);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass::live::signals

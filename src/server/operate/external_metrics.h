// external.metrics.k8s.io/v1beta1 as an aggregated API, for those who keep the HPA: the requests a
// kube-apiserver passes on, and their answers, as functions of values. Who listens and who knows
// the metrics' values is cli's business. Names and fields: docs/reference/external-scaler.md.
//
// Authorization is the kube-apiserver's: it asks RBAC before it passes a request on, and nobody
// else can ask here.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "live/external/metrics_file.h"
#include "server/http/exchange.h"

namespace windlass::server::operate {

// Who asks, if the front proxy says so: the verified certificate's CN is one of `proxies` (none
// given: any). Else nobody: an X-Remote-User that anybody can send means nothing.
Identity passed_on_identity(const Request& request, const std::optional<Identity>& certificate,
                            const std::vector<std::string>& proxies);

// The answer, or the number of the metric whose value is asked for. Health answers anybody, all
// else only who has an identity.
std::variant<Response, size_t> read_external_metrics(
    const Request& request, const std::vector<live::external::ServedMetric>& metrics);

// The metric's value, or 503 with the reason it isn't known, on which an HPA holds.
Response external_metric_value(const live::external::ServedMetric& metric,
                               const Result<double>& value, Instant now);

}  // namespace windlass::server::operate

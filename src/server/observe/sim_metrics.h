// /sim/metrics: what the simulated exporters expose now (DCGM, vLLM, the router), so that a real
// Prometheus can scrape the simulated cluster. Freshest samples of the series that still live.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "server/http/exchange.h"
#include "sim/prometheus/store.h"

namespace windlass::server::observe {

// `accept` is the request's Accept header: OpenMetrics where it is asked for, else the text format
// 0.0.4.
Response sim_metrics(const sim::prometheus::Store& store, Instant now, std::string_view accept);

}  // namespace windlass::server::observe

// The requests that triggers' sources are asked with, as KEDA's scalers send them (reference
// keda_hpa.md 2.1, 2.2), as values: address, headers, credentials. Pure; sending is
// metric_source's.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "net/http_client.h"
#include "scaling/trigger_plan.h"

namespace windlass::live::signals {

// The instant query of a prometheus trigger at `now`. `request.tls` is left empty, see tls_of().
//
// By GET with the query in the address: KEDA does so, and gateways in front of Prometheus often let
// only GET through (read-only roles) where Prometheus itself would take a POST as well.
//
// Error: a header that cannot be sent (a line break in a secret); names it, never shows it.
Result<net::HttpRequest> prometheus_request(const scaling::TriggerPlan& plan, Instant now);
// The one request of a metrics-api trigger; the same errors.
Result<net::HttpRequest> metrics_api_request(const scaling::TriggerPlan& plan);
// The text without what the plan's authentication and address hold of secrets: servers may repeat
// what they were told.
std::string without_secrets(const scaling::TriggerPlan& plan, std::string text);
// The CA and client certificate the plan's authentication names, and unsafeSsl.
net::TlsOptions tls_of(const scaling::TriggerPlan& plan);

// As Go's url.QueryEscape: a blank is +, all but letters, digits and -_.~ is %XX.
std::string query_escape(std::string_view text);
std::string base64(std::string_view bytes);

}  // namespace windlass::live::signals

#include "cli/external_scaler_command.h"

#include <algorithm>
#include <csignal>
#include <iostream>
#include <optional>

#include <fmt/format.h>

#include "base/log.h"
#include "cli/plan_input.h"
#include "cli/run_config.h"
#include "live/external/demand_scaler.h"
#include "live/external/metrics_file.h"
#include "live/external/server.h"
#include "live/signals/metric_source.h"
#include "net/clock.h"
#include "net/event_loop.h"
#include "net/http_client.h"
#include "server/http/http_server.h"
#include "server/http/self_made.h"
#include "server/operate/external_metrics.h"

namespace windlass::cli {
namespace {

using live::external::ScaledRef;
using live::external::Scaler;
using live::external::ScalerServer;
using live::external::ServedMetric;
using live::external::ServerOptions;

constexpr const char* kNoListener = "none";
// Nobody checks the names of a certificate made here (the APIService says insecureSkipTLSVerify);
// they are those of the Service in the reference.
const char* const kOwnNames[] = {"localhost", "windlass-external-scaler.windlass.svc",
                                 "windlass-external-scaler.windlass.svc.cluster.local"};

Status read_pem(const char* option, const std::string& path, std::string& out) {
  if (path.empty()) return {};
  auto text = read_file(path);
  if (!text.ok()) return text.error().in(option);
  if (text->find("-----BEGIN ") == std::string::npos) {
    return Error(fmt::format("{}: {} holds no PEM", option, path));
  }
  out = *std::move(text);
  return {};
}

Result<ServerOptions> server_options(const ExternalScalerOptions& options) {
  ServerOptions out;
  out.listen = options.listen.starts_with(':') ? "0.0.0.0" + options.listen : options.listen;
  if (options.certificate.empty() != options.key.empty()) {
    return Error("--tls-cert and --tls-key go together");
  }
  if (!options.client_ca.empty() && options.certificate.empty()) {
    return Error("--client-ca needs --tls-cert and --tls-key");
  }
  for (const Status& read : {read_pem("--tls-cert", options.certificate, out.certificate),
                             read_pem("--tls-key", options.key, out.key),
                             read_pem("--client-ca", options.client_ca, out.client_ca)}) {
    if (!read.ok()) return read.error();
  }
  return out;
}

// What an aggregated API needs.
struct MetricsOptions {
  server::Listen listen;
  std::vector<ServedMetric> metrics;
  std::vector<std::string> proxies;  // none: any
};

// nullopt: not served.
Result<std::optional<MetricsOptions>> metrics_options(const ExternalScalerOptions& options,
                                                      Instant now) {
  using Out = std::optional<MetricsOptions>;
  if (options.external_metrics.empty()) {
    if (options.listen == kNoListener) return Error("--listen none leaves only --external-metrics");
    if (options.metrics.empty() && options.requestheader_ca.empty()) return Out();
    return Error("--metrics and --requestheader-ca are --external-metrics'");
  }
  if (options.metrics.empty()) return Error("--external-metrics needs --metrics");
  if (options.requestheader_ca.empty()) {
    return Error("--external-metrics needs --requestheader-ca: by it the API server is known");
  }
  MetricsOptions out;
  const auto at = parse_host_port(options.external_metrics);
  if (!at.ok()) return at.error().in("--external-metrics");
  out.listen.host = at->first;
  out.listen.port = at->second;
  std::string ca;
  if (Status read = read_pem("--requestheader-ca", options.requestheader_ca, ca); !read.ok()) {
    return read.error();
  }
  if (options.certificate.empty()) {
    auto made = server::self_made_tls({std::begin(kOwnNames), std::end(kOwnNames)}, now);
    if (!made.ok()) return made.error();
    out.listen.tls = *std::move(made);
  } else {
    out.listen.tls.emplace();
    out.listen.tls->certificate = options.certificate;
    out.listen.tls->key = options.key;
  }
  out.listen.tls->client_ca = options.requestheader_ca;
  out.proxies = options.requestheader_names;
  if (std::ranges::find(out.proxies, "*") != out.proxies.end()) out.proxies.clear();
  const auto text = read_file(options.metrics);
  if (!text.ok()) return text.error().in("--metrics");
  auto metrics = live::external::read_metrics_file(*text);
  if (!metrics.ok()) return metrics.error().in("--metrics: " + options.metrics);
  out.metrics = *std::move(metrics);
  return Out(std::move(out));
}

// A metric is one object to the demand model, whoever asks and from wherever. No Kubernetes name
// has a slash: it is none of KEDA's objects.
ScaledRef ref_of(const ServedMetric& metric) {
  std::string name = "metric";
  for (const std::string& each : metric.namespaces) name += "/" + each;
  return {"", std::move(name), metric.metadata, {}};
}

Status serve_metrics(server::HttpServer& http, const MetricsOptions& options, const Scaler& scaler,
                     const net::Clock& clock) {
  // The look-back begins now, not with the first question.
  for (const ServedMetric& metric : options.metrics) {
    scaler.wanted(ref_of(metric), [name = metric.name](const Result<double>& first) {
      if (!first.ok()) log::warning(name + ": " + first.error().message());
    });
  }
  const auto who = [&options](const server::Request& request,
                              const std::optional<server::Identity>& certificate) {
    return server::operate::passed_on_identity(request, certificate, options.proxies);
  };
  return http.listen(
      options.listen, who,
      [&](const server::Request& request, const std::shared_ptr<server::Exchange>& exchange) {
        const auto read = server::operate::read_external_metrics(request, options.metrics);
        if (const auto* response = std::get_if<server::Response>(&read)) {
          exchange->reply(*response);
          return;
        }
        const ServedMetric& metric = options.metrics[std::get<size_t>(read)];
        scaler.wanted(ref_of(metric), [&, exchange](const Result<double>& value) {
          exchange->reply(server::operate::external_metric_value(metric, value, clock.now()));
        });
      });
}

int refuse(const Error& error, int code) {
  std::cerr << "error: " << error.message() << "\n";
  return code;
}

}  // namespace

int run_external_scaler(const ExternalScalerOptions& options) {
  net::EventLoop loop;
  const auto clock = net::system_clock_on(loop);
  const auto served = server_options(options);
  if (!served.ok()) return refuse(served.error(), 2);
  const auto metrics = metrics_options(options, clock->now());
  if (!metrics.ok()) return refuse(metrics.error(), 2);
  net::HttpClient http(loop);
  live::signals::MetricSource source(http, *clock);
  server::HttpServer metrics_server(loop);  // outlives what waits for the demand's answers
  live::external::DemandScaler demand(
      [&source](const scaling::TriggerPlan& plan, std::function<void(cluster::QueryAnswer)> done) {
        source.ask(plan, std::move(done));
      },
      *clock);
  const Scaler scaler = demand.scaler();
  std::unique_ptr<ScalerServer> grpc;
  if (options.listen != kNoListener) {
    auto started = ScalerServer::start(loop, *clock, *served, scaler);
    if (!started.ok()) return refuse(started.error(), 1);
    grpc = *std::move(started);
    log::info(fmt::format("external scaler: listening on port {}{}", grpc->port(),
                          served->certificate.empty() ? "" : " (TLS)"));
  }
  if (metrics->has_value()) {
    if (Status status = serve_metrics(metrics_server, **metrics, scaler, *clock); !status.ok()) {
      return refuse(status.error().in("--external-metrics"), 1);
    }
    log::info(fmt::format("external metrics: listening on port {}", metrics_server.port()));
  }
  for (const int signal : {SIGINT, SIGTERM}) loop.on_signal(signal, [&loop] { loop.stop(); });
  loop.run();
  return 0;
}

}  // namespace windlass::cli

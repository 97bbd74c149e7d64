#include "cli/external_scaler_command.h"

#include <csignal>
#include <iostream>

#include <fmt/format.h>

#include "base/log.h"
#include "cli/plan_input.h"
#include "live/external/demand_scaler.h"
#include "live/external/server.h"
#include "live/signals/metric_source.h"
#include "net/clock.h"
#include "net/event_loop.h"
#include "net/http_client.h"

namespace windlass::cli {
namespace {

using live::external::ScalerServer;
using live::external::ServerOptions;

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

}  // namespace

int run_external_scaler(const ExternalScalerOptions& options) {
  const auto served = server_options(options);
  if (!served.ok()) {
    std::cerr << "error: " << served.error().message() << "\n";
    return 2;
  }
  net::EventLoop loop;
  const auto clock = net::system_clock_on(loop);
  net::HttpClient http(loop);
  live::signals::MetricSource source(http, *clock);
  live::external::DemandScaler demand(
      [&source](const scaling::TriggerPlan& plan, std::function<void(cluster::QueryAnswer)> done) {
        source.ask(plan, std::move(done));
      },
      *clock);
  auto server = ScalerServer::start(loop, *clock, *served, demand.scaler());
  if (!server.ok()) {
    std::cerr << "error: " << server.error().message() << "\n";
    return 1;
  }
  for (const int signal : {SIGINT, SIGTERM}) loop.on_signal(signal, [&loop] { loop.stop(); });
  log::info(fmt::format("external scaler: listening on port {}{}", (*server)->port(),
                        served->certificate.empty() ? "" : " (TLS)"));
  loop.run();
  return 0;
}

}  // namespace windlass::cli

// `windlass external-scaler`: serves KEDA's external scaler protocol, so that an existing KEDA
// scales by Windlass' demand model, and external.metrics.k8s.io, so that an HPA without KEDA does.
#pragma once

#include <string>
#include <vector>

namespace windlass::cli {

struct ExternalScalerOptions {
  std::string listen = ":9090";
  std::string certificate, key, client_ca;  // files
  std::string external_metrics;             // address; empty: not served
  std::string metrics, requestheader_ca;    // files
  std::vector<std::string> requestheader_names = {"front-proxy-client"};
};

// Serves until Ctrl-C or SIGTERM. The exit code: 0 stopped, 1 it can't listen, 2 bad input.
int run_external_scaler(const ExternalScalerOptions& options);

}  // namespace windlass::cli

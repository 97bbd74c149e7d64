// `windlass external-scaler`: serves KEDA's external scaler protocol, so that an existing KEDA
// scales by Windlass' demand model.
#pragma once

#include <string>

#include "base/time.h"

namespace windlass::cli {

struct ExternalScalerOptions {
  std::string listen = ":9090";
  std::string certificate, key, client_ca;  // files
};

// Serves until Ctrl-C or SIGTERM. The exit code: 0 stopped, 1 it can't listen, 2 bad input.
int run_external_scaler(const ExternalScalerOptions& options);

}  // namespace windlass::cli

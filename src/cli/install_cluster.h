// What a cluster has of what `windlass install` would bring, asked of its API server.
#pragma once

#include "base/result.h"
#include "cli/install_command.h"

namespace windlass::cli {

// Without any kubeconfig (and not in a pod): nothing is there. An error: there is a cluster, but it
// can't be asked.
Result<Present> ask_cluster(const InstallOptions& options);

}  // namespace windlass::cli

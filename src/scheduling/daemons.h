// The pods DaemonSets will put on a node before any other pod gets there (reference karpenter.md
// 2.8). Their preferences play no part and they tolerate PreferNoSchedule.
#pragma once

#include <vector>

#include "scheduling/host_ports.h"
#include "scheduling/solve.h"

namespace windlass::scheduling {

struct Daemon {
  const std::vector<api::Toleration>* tolerations = nullptr;
  // Any one of them suffices: the OR terms, each with the node selector.
  std::vector<api::Requirements> alternatives;
  api::ResourceList requests;
  HostPorts ports;

  [[nodiscard]] bool tolerates(const std::vector<api::Taint>& taints) const {
    return api::first_untolerated(taints, *tolerations, false) == nullptr;
  }
};

std::vector<Daemon> daemons_of(const Problem& problem);

}  // namespace windlass::scheduling

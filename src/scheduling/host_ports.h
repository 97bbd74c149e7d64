// Ports that pods bind on their node (karpenter.md 2.6): two pods that want one port of one
// protocol cannot share a node, unless each names another address. 0.0.0.0 and :: are every one.
#pragma once

#include <string>
#include <vector>

#include "api/core.h"

namespace windlass::scheduling {

using HostPorts = std::vector<api::HostPort>;

HostPorts host_ports(const api::PodSpec& spec);
// The first of `wanted` that `taken` does not leave free, or null.
const api::HostPort* first_taken(const HostPorts& wanted, const HostPorts& taken);
std::string to_string(const api::HostPort& port);  // "0.0.0.0:80/TCP"

}  // namespace windlass::scheduling

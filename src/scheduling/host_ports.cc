#include "scheduling/host_ports.h"

#include <algorithm>

#include <fmt/format.h>

namespace windlass::scheduling {
namespace {

bool every_address(const std::string& ip) { return ip.empty() || ip == "0.0.0.0" || ip == "::"; }

bool clash(const api::HostPort& a, const api::HostPort& b) {
  if (a.port != b.port || a.protocol != b.protocol) return false;
  return a.ip == b.ip || every_address(a.ip) || every_address(b.ip);
}

}  // namespace

HostPorts host_ports(const api::PodSpec& spec) {
  HostPorts out;
  for (const api::Container& container : spec.containers) {
    out.insert(out.end(), container.host_ports.begin(), container.host_ports.end());
  }
  // Of the init containers only sidecars are still there when the pod runs.
  for (const api::Container& container : spec.init_containers) {
    if (!container.restart_always) continue;
    out.insert(out.end(), container.host_ports.begin(), container.host_ports.end());
  }
  return out;
}

const api::HostPort* first_taken(const HostPorts& wanted, const HostPorts& taken) {
  for (const api::HostPort& want : wanted) {
    const auto by =
        std::ranges::find_if(taken, [&](const api::HostPort& there) { return clash(want, there); });
    if (by != taken.end()) return &want;
  }
  return nullptr;
}

std::string to_string(const api::HostPort& port) {
  return fmt::format("{}:{}/{}", port.ip.empty() ? "0.0.0.0" : port.ip, port.port, port.protocol);
}

}  // namespace windlass::scheduling

// Private to this room: the fast readers behind decode.h. nullopt: not plainly right, api::decode
// has to see it (plain_json.h).
#pragma once

#include <optional>
#include <string_view>

#include "api/core.h"
#include "live/kube/plain_json.h"

namespace windlass::live::kube {

std::optional<api::Pod> fast_pod(std::string_view json);
std::optional<api::Node> fast_node(std::string_view json);

// Where a pod wants to be, into `out`: affinity and topologySpreadConstraints.
void plain_affinity(PlainJson& json, const Plain& affinity, api::PodSpec& out);
void plain_topology_spread(PlainJson& json, const Plain& list, api::PodSpec& out);

}  // namespace windlass::live::kube

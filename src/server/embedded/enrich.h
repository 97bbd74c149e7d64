// What a kubelet, a node or a controller would report beside what the deciders need: container
// statuses, addresses, node facts. Pure functions over the encoded object.
#pragma once

#include <string>

#include "api/object.h"
#include "base/json.h"
#include "base/time.h"

namespace windlass::server::embedded {

// The object as the API shows it: typed values leave out what is the default.
Json encode_with_defaults(const api::Object& object);

// How far the start of a pod on its node is.
struct StartProgress {
  bool known = false;
  Instant pulled{};   // when its image is (will be) there
  Instant started{};  // when its program is (will be) Ready
};

// status.hostIP, podIP, qosClass, conditions, containerStatuses of a pod as encoded.
void enrich_pod(const api::Pod& pod, const StartProgress& progress, Instant now, Json& out);

// The same for a pod whose kubelet is a client's: only what the API server itself knows. A pod on
// its way out has its grace written down, or the next write to it would be taken for its end.
void enrich_external_pod(const api::Pod& pod, Json& out);

// status.addresses, nodeInfo, daemonEndpoints and the conditions a kubelet sets beside Ready.
void enrich_node(const api::Node& node, Json& out);

// The IPv4 address in a node name of EC2's form ("ip-10-0-0-5.ec2.internal"), else a made-up one.
std::string node_address(const std::string& node_name);

}  // namespace windlass::server::embedded

// Whether two Pods or Nodes say the same, field by field, but for the State's own count of
// versions. Most of what kubelets write (heartbeats, probes, restart counts, images) is nothing
// that anybody here reads, and then it need not be a change.
#pragma once

#include "api/core.h"

namespace windlass::live {

bool same_object(const api::Pod& a, const api::Pod& b);
// But for whether and since when the pod is ready, and its address.
bool same_but_readiness(const api::Pod& a, const api::Pod& b);
bool same_object(const api::Node& a, const api::Node& b);

}  // namespace windlass::live

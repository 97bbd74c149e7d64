#include "api/core.h"

#include <algorithm>

#include "base/hash.h"

namespace windlass::api {

bool Pod::daemon() const {
  return std::any_of(meta.owners.begin(), meta.owners.end(), [](const OwnerReference& owner) {
    return owner.kind == "DaemonSet" && owner.api_version.starts_with("apps/");
  });
}

// Kubernetes' formula (KEP-753): init containers run one after another, each beside the sidecars
// started before it; sidecars go on beside the containers. The pod needs the larger of both.
ResourceList pod_requests(const PodSpec& spec) {
  ResourceList running;
  // Asked for every pod of a cluster again and again: one allocation.
  running.reserve(1 + (spec.containers.empty() ? 0 : spec.containers.front().requests.size()));
  for (const Container& container : spec.containers) running += container.requests;
  ResourceList sidecars;
  ResourceList starting;
  for (const Container& container : spec.init_containers) {
    if (container.restart_always) {
      running += container.requests;
      sidecars += container.requests;
      starting.raise_to(sidecars);
    } else {
      starting.raise_to(container.requests + sidecars);
    }
  }
  running.raise_to(starting);
  running += spec.overhead;
  running.set(kPods, 1000);
  return running;
}

PodDigest digest_of(const Pod& pod) {
  Hash64 hash;
  for (const auto& [key, value] : pod.meta.labels) {
    hash.add(key);
    hash.add(value);
  }
  const ResourceList requests = pod_requests(pod.spec);
  return {hash.value() | 1,
          {requests.milli(kCpu), requests.milli(kMemory), requests.milli(kNvidiaGpu),
           requests.milli(kPods)}};
}

Requirements pod_requirements(const PodSpec& spec, bool with_preference) {
  Requirements out = Requirements::from_labels(spec.node_selector);
  if (with_preference && !spec.preferred_node_terms.empty()) {
    // The first of the heaviest.
    const auto heaviest = std::max_element(
        spec.preferred_node_terms.begin(), spec.preferred_node_terms.end(),
        [](const PreferredNodeTerm& a, const PreferredNodeTerm& b) { return a.weight < b.weight; });
    out.add(Requirements::from_specs(heaviest->term.match_expressions));
  }
  if (!spec.required_node_terms.empty()) {
    out.add(Requirements::from_specs(spec.required_node_terms.front().match_expressions));
  }
  return out;
}

}  // namespace windlass::api

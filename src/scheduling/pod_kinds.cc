#include "scheduling/pod_kinds.h"

#include <algorithm>

#include <boost/unordered/unordered_flat_map.hpp>

#include "base/hash.h"

namespace windlass::scheduling {
namespace {

void add_requests(Hash64& hash, const api::ResourceList& list) {
  for (const auto& [name, milli] : list) {
    hash.add(name);
    hash.add(milli);
  }
}

void add_labels(Hash64& hash, const api::StringMap& labels) {
  for (const auto& [key, value] : labels) {
    hash.add(key);
    hash.add(value);
  }
}

// Hashes what nearly always tells kinds apart; same_kind() decides.
uint64_t hash_of(const api::Pod& pod, const api::Requirements* extra,
                 std::optional<int32_t> claim_group, bool labels_matter) {
  Hash64 hash;
  if (claim_group) hash.add(int64_t{*claim_group});
  for (const auto& container : pod.spec.containers) add_requests(hash, container.requests);
  add_labels(hash, pod.spec.node_selector);
  for (const auto& term : pod.spec.required_node_terms) {
    for (const auto& wanted : term.match_expressions) {
      hash.add(wanted.key);
      for (const auto& value : wanted.values) hash.add(value);
    }
  }
  for (const auto& toleration : pod.spec.tolerations) hash.add(toleration.key);
  if (extra != nullptr) hash.add(extra->to_string());
  if (labels_matter) {
    hash.add(pod.meta.namespace_name);
    add_labels(hash, pod.meta.labels);
  }
  return hash.value();
}

bool same_containers(const std::vector<api::Container>& a, const std::vector<api::Container>& b) {
  return std::ranges::equal(a, b, [](const api::Container& x, const api::Container& y) {
    return x.requests == y.requests && x.restart_always == y.restart_always;
  });
}

bool same_kind(const api::Pod& a, const api::Pod& b, bool labels_matter) {
  const api::PodSpec& x = a.spec;
  const api::PodSpec& y = b.spec;
  if (labels_matter &&
      (a.meta.namespace_name != b.meta.namespace_name || a.meta.labels != b.meta.labels)) {
    return false;
  }
  return same_containers(x.containers, y.containers) &&
         same_containers(x.init_containers, y.init_containers) && x.overhead == y.overhead &&
         x.node_selector == y.node_selector && x.required_node_terms == y.required_node_terms &&
         x.preferred_node_terms == y.preferred_node_terms && x.tolerations == y.tolerations &&
         x.topology_spread == y.topology_spread;
}

std::optional<int32_t> claim_group_of(const Problem& problem, const api::Pod& pod) {
  if (problem.claim_groups.empty()) return std::nullopt;
  const auto at = problem.claim_groups.find(pod.meta.key());
  if (at == problem.claim_groups.end()) return std::nullopt;
  return at->second;
}

bool same_extra(const api::Requirements* a, const api::Requirements* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return *a == *b;
}

}  // namespace

PodKinds group_pods(const Problem& problem) {
  // Labels are read by topology only: by a pod's own constraints and by those of others.
  const bool labels_matter = std::ranges::any_of(
      problem.pods, [](const api::Pod* pod) { return !pod->spec.topology_spread.empty(); });
  PodKinds out;
  out.of_pod.reserve(problem.pods.size());
  boost::unordered_flat_map<uint64_t, std::vector<uint32_t>> by_hash;
  for (const api::Pod* pod : problem.pods) {
    const api::Requirements* extra = nullptr;
    if (!problem.claim_requirements.empty()) {
      const auto at = problem.claim_requirements.find(pod->meta.key());
      if (at != problem.claim_requirements.end()) extra = &at->second;
    }
    const std::optional<int32_t> claim_group = claim_group_of(problem, *pod);
    std::vector<uint32_t>& bucket = by_hash[hash_of(*pod, extra, claim_group, labels_matter)];
    const auto known = std::ranges::find_if(bucket, [&](uint32_t id) {
      const PodKind& kind = out.kinds[id];
      return kind.claim_group == claim_group && same_extra(kind.claim_extra, extra) &&
             same_kind(*kind.example, *pod, labels_matter);
    });
    if (known != bucket.end()) {
      out.of_pod.push_back(*known);
      continue;
    }
    const auto id = static_cast<uint32_t>(out.kinds.size());
    bucket.push_back(id);
    out.kinds.push_back({pod, extra, claim_group, api::pod_requests(pod->spec), {}, {}, {}});
    out.of_pod.push_back(id);
  }
  return out;
}

}  // namespace windlass::scheduling

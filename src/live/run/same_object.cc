// Every field is named once by a structured binding, so that one which is added to a type without
// being compared here does not compile.
#include "live/run/same_object.h"

#include <algorithm>
#include <tuple>

namespace windlass::live {
namespace {

bool same(const api::ObjectMeta& a, const api::ObjectMeta& b) {
  const auto values = [](const api::ObjectMeta& meta) {
    const auto& [name, space, uid, labels, annotations, owners, finalizers, created, deleted,
                 generation, version] = meta;
    return std::tie(uid, generation, deleted, labels, annotations, name, space, owners, finalizers,
                    created);
  };
  return values(a) == values(b);
}

bool same(const api::Container& a, const api::Container& b) {
  const auto values = [](const api::Container& container) {
    const auto& [name, image, env, env_from, ports, requests, limits, restart_always] = container;
    return std::tie(name, image, env, env_from, ports, requests, limits, restart_always);
  };
  return values(a) == values(b);
}

bool same(const std::vector<api::Container>& a, const std::vector<api::Container>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return same(x, y); });
}

bool same(const api::PodSpec& a, const api::PodSpec& b) {
  const auto values = [](const api::PodSpec& spec) {
    const auto& [containers, init_containers, overhead, node_selector, required_terms,
                 preferred_terms, tolerations, spread, affinity, anti_affinity, volumes, claims,
                 priority_class, priority, node_name, scheduler, grace] = spec;
    return std::tie(overhead, node_selector, required_terms, preferred_terms, tolerations, spread,
                    affinity, anti_affinity, volumes, claims, priority_class, priority, node_name,
                    scheduler, grace);
  };
  return values(a) == values(b) && same(a.containers, b.containers) &&
         same(a.init_containers, b.init_containers);
}

}  // namespace

bool same_but_readiness(const api::Pod& a, const api::Pod& b) {
  const auto values = [](const api::Pod& pod) {
    const auto& [meta, spec, phase, ready, scheduled, unschedulable, message, started, ready_at,
                 nominated, ip, raw, digest] = pod;
    return std::tie(phase, scheduled, unschedulable, message, started, nominated, raw);
  };
  return values(a) == values(b) && same(a.meta, b.meta) && same(a.spec, b.spec);
}

bool same_object(const api::Pod& a, const api::Pod& b) {
  return a.ready == b.ready && a.ready_at == b.ready_at && a.ip == b.ip && same_but_readiness(a, b);
}

bool same_object(const api::Node& a, const api::Node& b) {
  const auto values = [](const api::Node& node) {
    const auto& [meta, provider_id, unschedulable, taints, capacity, allocatable, conditions, raw] =
        node;
    return std::tie(provider_id, unschedulable, taints, capacity, allocatable, conditions, raw);
  };
  return values(a) == values(b) && same(a.meta, b.meta);
}

}  // namespace windlass::live

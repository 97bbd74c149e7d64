#include "scheduling/pod_identity.h"

#include <algorithm>

#include "base/hash.h"
#include "scheduling/host_ports.h"

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

void add_selector(Hash64& hash, const api::LabelSelector& selector) {
  add_labels(hash, selector.match_labels);
  for (const auto& term : selector.match_expressions) hash.add(term.key);
}

void add_affinity(Hash64& hash, const api::PodAffinity& affinity) {
  for (const auto& term : affinity.required) {
    hash.add(term.topology_key);
    add_selector(hash, term.selector);
  }
  hash.add(uint64_t{affinity.preferred.size()});
}

bool same_requests(const std::vector<api::Container>& a, const std::vector<api::Container>& b) {
  return std::ranges::equal(a, b, [](const api::Container& x, const api::Container& y) {
    return x.requests == y.requests && x.restart_always == y.restart_always;
  });
}

}  // namespace

PodIdentity::PodIdentity(const Problem& problem) {
  for (const api::Pod* pod : problem.pods) learn(pod->spec);
  for (const ExistingNode& node : problem.nodes) {
    for (const api::Pod* pod : node.pods) learn(pod->spec.anti_affinity);
  }
}

void PodIdentity::learn(const api::LabelSelector& selector,
                        const std::vector<std::string>& label_keys) {
  topology_matters_ = true;
  const auto add = [this](const std::string& key) {
    const auto at = std::ranges::lower_bound(labels_read_, key);
    if (at == labels_read_.end() || *at != key) labels_read_.insert(at, key);
  };
  for (const auto& [key, value] : selector.match_labels) add(key);
  for (const auto& term : selector.match_expressions) add(term.key);
  for (const std::string& key : label_keys) add(key);
}

void PodIdentity::learn(const api::PodAffinity& affinity) {
  const auto learn_term = [this](const api::PodAffinityTerm& term) {
    learn(term.selector, term.match_label_keys);
    learn(term.selector, term.mismatch_label_keys);
  };
  for (const auto& term : affinity.required) learn_term(term);
  for (const auto& preferred : affinity.preferred) learn_term(preferred.term);
}

void PodIdentity::learn(const api::PodSpec& spec) {
  for (const auto& spread : spec.topology_spread) learn(spread.selector, spread.match_label_keys);
  learn(spec.affinity);
  learn(spec.anti_affinity);
}

bool PodIdentity::is_read(std::string_view label) const {
  return std::ranges::binary_search(labels_read_, label, std::less<>());
}

uint64_t PodIdentity::hash_form(const api::Pod& pod) const {
  Hash64 hash;
  add_labels(hash, pod.spec.node_selector);
  for (const auto& term : pod.spec.required_node_terms) {
    for (const auto& wanted : term.match_expressions) {
      hash.add(wanted.key);
      for (const auto& value : wanted.values) hash.add(value);
    }
  }
  for (const auto& toleration : pod.spec.tolerations) hash.add(toleration.key);
  for (const auto& spread : pod.spec.topology_spread) {
    hash.add(spread.topology_key);
    add_selector(hash, spread.selector);
  }
  add_affinity(hash, pod.spec.affinity);
  add_affinity(hash, pod.spec.anti_affinity);
  if (topology_matters_) {
    hash.add(pod.meta.namespace_name);
    for (const auto& [key, value] : pod.meta.labels) {
      if (!is_read(key)) continue;
      hash.add(key);
      hash.add(value);
    }
  }
  return hash.value();
}

bool PodIdentity::same_form(const api::Pod& a, const api::Pod& b) const {
  const api::PodSpec& x = a.spec;
  const api::PodSpec& y = b.spec;
  if (topology_matters_) {
    if (a.meta.namespace_name != b.meta.namespace_name) return false;
    const auto differ = [this](const api::StringMap& of, const api::StringMap& than) {
      return std::ranges::any_of(of, [&](const auto& label) {
        if (!is_read(label.first)) return false;
        const auto other = than.find(label.first);
        return other == than.end() || other->second != label.second;
      });
    };
    if (a.meta.labels != b.meta.labels &&
        (differ(a.meta.labels, b.meta.labels) || differ(b.meta.labels, a.meta.labels))) {
      return false;
    }
  }
  return x.node_selector == y.node_selector && x.required_node_terms == y.required_node_terms &&
         x.preferred_node_terms == y.preferred_node_terms && x.tolerations == y.tolerations &&
         x.topology_spread == y.topology_spread && x.affinity == y.affinity &&
         x.anti_affinity == y.anti_affinity && x.has_resource_claims == y.has_resource_claims &&
         host_ports(x) == host_ports(y);
}

uint64_t hash_size(const api::PodSpec& spec) {
  Hash64 hash;
  for (const auto& container : spec.containers) add_requests(hash, container.requests);
  for (const auto& container : spec.init_containers) add_requests(hash, container.requests);
  add_requests(hash, spec.overhead);
  return hash.value();
}

bool same_size(const api::PodSpec& a, const api::PodSpec& b) {
  return same_requests(a.containers, b.containers) &&
         same_requests(a.init_containers, b.init_containers) && a.overhead == b.overhead;
}

}  // namespace windlass::scheduling

#include "scheduling/relaxation.h"

#include <algorithm>

namespace windlass::scheduling {
namespace {

auto heaviest_preference(auto& terms) {
  // The one api::pod_requirements counts: the first of the heaviest.
  return std::ranges::max_element(terms, {}, [](const auto& term) { return term.weight; });
}

// Each step works on the pod and says whether it found something to give up.
bool drop_required_term(api::PodSpec& pod) {
  if (pod.required_node_terms.size() < 2) return false;
  pod.required_node_terms.erase(pod.required_node_terms.begin());
  return true;
}

bool drop_heaviest(auto& terms) {
  if (terms.empty()) return false;
  terms.erase(heaviest_preference(terms));
  return true;
}

bool drop_soft_spread(api::PodSpec& pod) {
  auto& spread = pod.topology_spread;
  const auto soft = std::ranges::find_if(spread, &api::TopologySpreadConstraint::schedule_anyway);
  if (soft == spread.end()) return false;
  // The last one takes its place, as in Karpenter: it decides which soft one goes next.
  *soft = spread.back();
  spread.pop_back();
  return true;
}

bool tolerate_prefer_no_schedule(api::PodSpec& pod) {
  const api::Toleration all{"", "Exists", "", "PreferNoSchedule", std::nullopt};
  if (std::ranges::find(pod.tolerations, all) != pod.tolerations.end()) return false;
  pod.tolerations.push_back(all);
  return true;
}

// A label that must be there according to one wish and, all wishes together, may have no value.
std::string contradiction_of(const api::PodSpec& pod, const api::Requirements& together) {
  std::string found;
  const auto check = [&](const std::string& key) {
    if (found.empty() && together.get(key).empty()) found = key;
  };
  const auto check_term = [&](const api::NodeSelectorTerm& term) {
    for (const api::RequirementSpec& wish : term.match_expressions) {
      const bool may_be_absent =
          wish.op == api::Operator::kNotIn || wish.op == api::Operator::kDoesNotExist;
      if (!may_be_absent) check(wish.key);
    }
  };
  for (const auto& [key, value] : pod.node_selector) check(key);
  if (!pod.required_node_terms.empty()) check_term(pod.required_node_terms.front());
  if (!pod.preferred_node_terms.empty()) {
    check_term(heaviest_preference(pod.preferred_node_terms)->term);
  }
  return found;
}

std::vector<api::PodAffinityTerm> terms_of(const api::PodAffinity& affinity) {
  std::vector<api::PodAffinityTerm> out = affinity.required;
  for (const api::PreferredPodTerm& preferred : affinity.preferred) out.push_back(preferred.term);
  return out;
}

Wishes wishes_of(const api::PodSpec& pod) {
  Wishes wishes{api::pod_requirements(pod, true),
                api::pod_requirements(pod, false),
                pod.tolerations,
                pod.topology_spread,
                terms_of(pod.affinity),
                terms_of(pod.anti_affinity),
                {}};
  wishes.contradiction = contradiction_of(pod, wishes.requirements);
  return wishes;
}

}  // namespace

std::vector<Wishes> relaxation_steps(const api::PodSpec& spec, const RelaxationOptions& options) {
  api::PodSpec pod;
  pod.node_selector = spec.node_selector;
  pod.required_node_terms = spec.required_node_terms;
  pod.preferred_node_terms = spec.preferred_node_terms;
  pod.tolerations = spec.tolerations;
  pod.topology_spread = spec.topology_spread;
  pod.affinity = spec.affinity;
  pod.anti_affinity = spec.anti_affinity;
  const auto drop_preference = [](api::PodSpec& of) {
    return drop_heaviest(of.affinity.preferred) || drop_heaviest(of.anti_affinity.preferred) ||
           drop_heaviest(of.preferred_node_terms) || drop_soft_spread(of);
  };
  if (options.ignore_preferences) {
    while (drop_preference(pod)) {
    }
    if (options.prefer_no_schedule) tolerate_prefer_no_schedule(pod);
  }
  std::vector<Wishes> steps{wishes_of(pod)};
  while (drop_required_term(pod) || drop_preference(pod) ||
         (options.prefer_no_schedule && tolerate_prefer_no_schedule(pod))) {
    steps.push_back(wishes_of(pod));
  }
  return steps;
}

}  // namespace windlass::scheduling

#include "scheduling/slow_solve.h"

#include <algorithm>
#include <deque>
#include <set>
#include <tuple>

#include "scheduling/test_world.h"

namespace windlass::scheduling::test {
namespace {

using api::Requirements;

struct SlowNode {
  const ExistingNode* node;
  api::ResourceList free;
};
struct SlowClaim {
  const Pool* pool;
  Requirements requirements;
  std::vector<const catalog::InstanceType*> types;
  api::ResourceList requests;
  std::vector<std::string> pods;
};
struct SlowState {
  const Problem* problem;
  std::vector<const Pool*> pools;
  std::vector<api::ResourceList> remaining;  // by pool
  std::vector<SlowNode> nodes;
  std::vector<SlowClaim> claims;
  Plan plan;
};

Requirements label_requirements(const ExistingNode& node) {
  Requirements out = Requirements::from_labels(node.labels);
  if (!out.has(api::kHostnameLabel)) {
    out.add(api::kHostnameLabel, {api::Operator::kIn, {node.name}});
  }
  return out;
}

Requirements pool_requirements(const api::NodePool& pool) {
  api::StringMap labels = pool.labels;
  Requirements out = Requirements::from_specs(pool.requirements);
  out.add(Requirements::from_labels(labels));
  out.add(Requirements::from_labels({{std::string(api::kNodePoolLabel), pool.meta.name},
                                     {"karpenter.k8s.aws/ec2nodeclass", pool.node_class.name},
                                     {std::string(api::kRegisteredLabel), "true"},
                                     {std::string(api::kInitializedLabel), "true"},
                                     {std::string(api::kHostnameLabel), "(new)"}}));
  return out;
}

// A daemon's OR terms, or its bare selector.
std::vector<Requirements> alternatives(const api::PodSpec& spec) {
  std::vector<Requirements> out;
  for (const auto& term : spec.required_node_terms) {
    out.push_back(Requirements::from_labels(spec.node_selector));
    out.back().add(Requirements::from_specs(term.match_expressions));
  }
  if (out.empty()) out.push_back(Requirements::from_labels(spec.node_selector));
  return out;
}

api::ResourceList daemons_on_type(const Problem& problem, const api::NodePool& pool,
                                  const catalog::InstanceType& type) {
  api::ResourceList sum;
  for (const api::DaemonSet* daemon_set : problem.daemon_sets) {
    const api::PodSpec& spec = daemon_set->pod_template.spec;
    if (api::first_untolerated(pool.taints, spec.tolerations, false) != nullptr) continue;
    const bool runs = std::ranges::any_of(alternatives(spec), [&](const Requirements& asked) {
      return pool_requirements(pool).why_incompatible(asked, true).empty() &&
             type.requirements.intersects(asked);
    });
    if (runs) sum += api::pod_requests(spec);
  }
  return sum;
}

bool take_on_node(SlowState& state, const api::Pod& pod, const api::PodSpec& spec) {
  for (SlowNode& place : state.nodes) {
    const api::ResourceList asked = api::pod_requests(pod.spec);
    if (!asked.fits(place.free)) continue;
    if (api::first_untolerated(place.node->taints, spec.tolerations, true) != nullptr) continue;
    const Requirements wants = api::pod_requirements(spec, true);
    if (!label_requirements(*place.node).why_incompatible(wants, false).empty()) continue;
    place.free -= asked;
    state.plan.placements.push_back({pod.meta.key(), place.node->name});
    return true;
  }
  return false;
}

bool enough_values(const SlowClaim& claim) {
  return std::ranges::all_of(claim.requirements, [&](const auto& entry) {
    std::set<std::string> values;
    for (const auto* type : claim.types) {
      const auto& own = type->requirements.get(entry.first).values();
      values.insert(own.begin(), own.end());
    }
    return values.size() >= static_cast<size_t>(entry.second.min_values().value_or(0));
  });
}

bool join(const SlowState& state, SlowClaim& claim, const api::Pod& pod, const api::PodSpec& spec) {
  const api::NodePool& pool = *claim.pool->pool;
  if (api::first_untolerated(pool.taints, spec.tolerations, true) != nullptr) return false;
  Requirements wants = api::pod_requirements(spec, true);
  const auto extra = state.problem->claim_requirements.find(pod.meta.key());
  if (extra != state.problem->claim_requirements.end()) {
    if (!wants.intersects(extra->second)) return false;
    wants.add(extra->second);
  }
  if (!claim.requirements.why_incompatible(wants, true).empty()) return false;
  SlowClaim after = claim;
  after.requirements.add(wants);
  after.requests += api::pod_requests(pod.spec);
  std::erase_if(after.types, [&](const catalog::InstanceType* type) {
    const api::ResourceList needs = after.requests + daemons_on_type(*state.problem, pool, *type);
    return !type->requirements.intersects(after.requirements) || !needs.fits(type->allocatable) ||
           type->cheapest(after.requirements) == nullptr;
  });
  if (after.types.empty() || !enough_values(after)) return false;
  after.pods.push_back(pod.meta.key());
  claim = std::move(after);
  return true;
}

bool take_on_claim(SlowState& state, const api::Pod& pod, const api::PodSpec& spec) {
  std::vector<SlowClaim*> order;
  for (SlowClaim& claim : state.claims) order.push_back(&claim);
  std::ranges::stable_sort(order, {}, [](const SlowClaim* claim) { return claim->pods.size(); });
  return std::ranges::any_of(order, [&](SlowClaim* c) { return join(state, *c, pod, spec); });
}

int64_t size_of(const catalog::InstanceType& type, const std::string& name) {
  return name == "nodes" ? 1000 : type.capacity.milli(name);
}

bool take_on_new_claim(SlowState& state, const api::Pod& pod, const api::PodSpec& spec) {
  for (size_t i = 0; i < state.pools.size(); ++i) {
    SlowClaim claim{state.pools[i], pool_requirements(*state.pools[i]->pool), {}, {}, {}};
    for (const catalog::InstanceType& type : claim.pool->types->types) {
      const bool within = std::ranges::all_of(state.remaining[i], [&](const auto& limit) {
        return size_of(type, limit.first) <= limit.second;
      });
      if (within) claim.types.push_back(&type);
    }
    if (!join(state, claim, pod, spec)) continue;
    api::ResourceList charged;
    for (const auto& [name, left] : state.remaining[i]) {
      int64_t most = 0;
      for (const auto* type : claim.types) most = std::max(most, size_of(*type, name));
      charged.set(name, most);
    }
    state.remaining[i] -= charged;
    state.claims.push_back(std::move(claim));
    return true;
  }
  return false;
}

bool relax(api::PodSpec& spec, bool soft_taints) {
  auto& preferred = spec.preferred_node_terms;
  if (spec.required_node_terms.size() > 1) {
    spec.required_node_terms.erase(spec.required_node_terms.begin());
    return true;
  }
  if (!preferred.empty()) {
    size_t heaviest = 0;
    for (size_t i = 1; i < preferred.size(); ++i) {
      if (preferred[i].weight > preferred[heaviest].weight) heaviest = i;
    }
    preferred.erase(preferred.begin() + static_cast<ptrdiff_t>(heaviest));
    return true;
  }
  const api::Toleration all{"", "Exists", "", "PreferNoSchedule", std::nullopt};
  if (!soft_taints || std::ranges::count(spec.tolerations, all) > 0) return false;
  spec.tolerations.push_back(all);
  return true;
}

// Some single value, or the label's absence, must suit every wish for a key.
bool possible(const api::PodSpec& spec) {
  std::vector<api::RequirementSpec> wishes;
  const auto add = [&](const api::NodeSelectorTerm& term) {
    wishes.insert(wishes.end(), term.match_expressions.begin(), term.match_expressions.end());
  };
  for (const auto& [key, value] : spec.node_selector) {
    wishes.push_back({key, api::Operator::kIn, {value}, {}});
  }
  if (!spec.required_node_terms.empty()) add(spec.required_node_terms.front());
  const api::PreferredNodeTerm* heaviest = nullptr;
  for (const auto& term : spec.preferred_node_terms) {
    if (heaviest == nullptr || term.weight > heaviest->weight) heaviest = &term;
  }
  if (heaviest != nullptr) add(heaviest->term);
  return std::ranges::none_of(wishes, [&](const api::RequirementSpec& wish) {
    const bool positive =
        wish.op != api::Operator::kNotIn && wish.op != api::Operator::kDoesNotExist;
    return positive && api::Requirements::from_specs(wishes).get(wish.key).empty();
  });
}

bool take(SlowState& state, const api::Pod& pod, bool soft_taints) {
  api::PodSpec spec = pod.spec;
  do {
    if (!possible(spec)) continue;
    if (take_on_node(state, pod, spec) || take_on_claim(state, pod, spec) ||
        take_on_new_claim(state, pod, spec)) {
      return true;
    }
  } while (relax(spec, soft_taints));
  return false;
}

SlowState prepare(const Problem& problem) {
  SlowState state;
  state.problem = &problem;
  for (const Pool& pool : problem.pools) state.pools.push_back(&pool);
  std::ranges::sort(state.pools, [](const Pool* a, const Pool* b) {
    if (a->pool->weight != b->pool->weight) return a->pool->weight > b->pool->weight;
    return a->pool->meta.name > b->pool->meta.name;
  });
  for (const Pool* pool : state.pools) {
    api::ResourceList& left = state.remaining.emplace_back();
    for (const auto& [name, limit] : pool->pool->limits) {
      left.set(name, limit - pool->used.milli(name));
    }
  }
  for (const ExistingNode& node : problem.nodes) {
    api::ResourceList daemons;
    for (const api::DaemonSet* daemon_set : problem.daemon_sets) {
      const api::PodSpec& spec = daemon_set->pod_template.spec;
      if (api::first_untolerated(node.taints, spec.tolerations, false) != nullptr) continue;
      const bool runs = std::ranges::any_of(alternatives(spec), [&](const Requirements& asked) {
        return label_requirements(node).why_incompatible(asked, false).empty();
      });
      if (runs) daemons += api::pod_requests(spec);
    }
    api::ResourceList to_come;
    to_come.raise_to(daemons - node.daemons_running);
    state.nodes.push_back({&node, node.available - to_come});
  }
  std::ranges::sort(state.nodes, {}, [](const SlowNode& place) {
    return std::tuple(!place.node->initialized, place.node->name);
  });
  return state;
}

}  // namespace

Plan slow_solve(const Problem& problem) {
  SlowState state = prepare(problem);
  std::vector<const api::Pod*> pods = problem.pods;
  std::ranges::sort(pods, {}, [](const api::Pod* pod) {
    const api::ResourceList asked = api::pod_requests(pod->spec);
    return std::tuple(-asked.milli("cpu"), -asked.milli("memory"), pod->meta.created, pod->meta.uid,
                      pod->meta.key());
  });
  const bool soft_taints = std::ranges::any_of(problem.pools, [](const Pool& pool) {
    return std::ranges::any_of(pool.pool->taints,
                               [](const api::Taint& t) { return t.effect == "PreferNoSchedule"; });
  });
  // Rounds until one places nothing.
  for (size_t before = pods.size() + 1; pods.size() < before;) {
    before = pods.size();
    std::erase_if(pods, [&](const api::Pod* pod) { return take(state, *pod, soft_taints); });
  }
  for (const api::Pod* pod : pods) state.plan.unschedulable.push_back({pod->meta.key(), {}});
  for (SlowClaim& claim : state.claims) {
    NewClaim out;
    out.pool = claim.pool->pool->meta.name;
    out.types = claim.types;
    out.pods = std::move(claim.pods);
    state.plan.claims.push_back(std::move(out));
  }
  return std::move(state.plan);
}

}  // namespace windlass::scheduling::test

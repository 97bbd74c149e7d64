// Laws of solve() on random small worlds: it does what the slow solver does, whatever order its
// input comes in, and what it decides holds when looked at from outside.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "scheduling/slow_solve.h"
#include "scheduling/solve.h"
#include "scheduling/test_world.h"

namespace windlass::scheduling {
namespace {

using namespace test;
using Strings = std::vector<std::string>;

template <typename T>
T one_of(std::vector<T> choices) {
  return *rc::gen::elementOf(std::move(choices));
}
bool one_in(int n) { return *rc::gen::inRange(0, n) == 0; }
int up_to(int n) { return *rc::gen::inRange(0, n + 1); }

// ---- Random worlds.

const std::string kZone(api::kZoneLabel);
const std::string kCapacityType(api::kCapacityTypeLabel);

// Custom labels are asked for with In only: what else pods may say of labels that no pool defines
// depends on who is asked first.
api::RequirementSpec a_wish() {
  using api::Operator;
  return one_of<api::RequirementSpec>({
      {kZone, Operator::kIn, {"a"}, {}},
      {kZone, Operator::kIn, {"b", "c"}, {}},
      {kZone, Operator::kNotIn, {"a"}, {}},
      {kCapacityType, Operator::kIn, {"spot"}, {}},
      {kCapacityType, Operator::kNotIn, {"spot"}, {}},
      {kGpuCount, Operator::kExists, {}, {}},
      {kGpuCount, Operator::kDoesNotExist, {}, {}},
      {kGpuCount, Operator::kGt, {"1"}, {}},
      {kGpuCount, Operator::kLte, {"4"}, {}},
      {"team", Operator::kIn, {"ads"}, {}},
      {"team", Operator::kIn, {"ads", "search"}, {}},
  });
}

std::vector<api::Taint> some_taints() {
  std::vector<api::Taint> out;
  if (one_in(4)) out.push_back({"gpu", "true", "NoSchedule"});
  if (one_in(5)) out.push_back({"soft", "", "PreferNoSchedule"});
  return out;
}

std::vector<api::RequirementSpec> some_wishes(int at_most) {
  std::vector<api::RequirementSpec> out(static_cast<size_t>(up_to(at_most)));
  for (auto& wish : out) wish = a_wish();
  return out;
}

catalog::Catalog a_catalog() {
  catalog::Catalog out;
  const int count = 1 + up_to(4);
  for (int i = 0; i < count; ++i) {
    std::vector<catalog::Offering> offerings;
    for (const char* zone : {"a", "b", "c"}) {
      for (const char* capacity_type : {"on-demand", "spot"}) {
        if (one_in(3)) continue;
        offerings.push_back({zone, capacity_type, 0.1 * (1 + up_to(5)), !one_in(4)});
      }
    }
    out.types.push_back(instance_type("t" + std::to_string(i), one_of<int64_t>({1, 2, 4, 8}),
                                      one_of<int64_t>({0, 0, 1, 2, 4}), std::move(offerings)));
  }
  return out;
}

void add_pool(World& world, int number) {
  api::NodePool& pool = world.add(node_pool("pool-" + std::to_string(number)));
  pool.weight = one_of<int32_t>({0, 0, 10});
  pool.requirements = some_wishes(2);
  if (one_in(2)) pool.labels["team"] = one_of<std::string>({"ads", "search"});
  pool.taints = some_taints();
  if (one_in(2)) pool.limits.set("cpu", 1000 * up_to(20));
  if (one_in(4)) pool.limits.set(api::kNvidiaGpu, 1000 * up_to(6));
  if (one_in(4)) pool.limits.set("nodes", 1000 * up_to(3));
  if (one_in(5)) {
    pool.requirements.push_back(
        {std::string(api::kInstanceTypeLabel), api::Operator::kExists, {}, 2});
  }
  world.problem.pools.back().used = resources(up_to(4), 0);
}

void add_node(World& world, int number) {
  ExistingNode& there =
      world.add(node("node-" + std::to_string(up_to(3)) + "-" + std::to_string(number),
                     resources(up_to(6) - 1, up_to(8), up_to(2))));
  there.initialized = !one_in(3);
  if (!one_in(3)) there.labels[kZone] = one_of<std::string>({"a", "b"});
  if (one_in(2)) there.labels["team"] = one_of<std::string>({"ads", "search"});
  there.taints = some_taints();
  if (one_in(3)) there.daemons_running = resources(up_to(1), 1);
}

api::PodSpec some_constraints() {
  api::PodSpec spec;
  if (one_in(4)) spec.node_selector[kZone] = one_of<std::string>({"a", "b", "d"});
  if (one_in(6)) spec.node_selector["team"] = "search";
  if (one_in(3)) {
    spec.required_node_terms.resize(1 + static_cast<size_t>(up_to(1)));
    for (auto& term : spec.required_node_terms) term.match_expressions = some_wishes(2);
  }
  if (one_in(4)) {
    spec.preferred_node_terms.resize(1 + static_cast<size_t>(up_to(1)));
    for (auto& preferred : spec.preferred_node_terms) {
      preferred.weight = up_to(2);
      preferred.term.match_expressions = {a_wish()};
    }
  }
  if (one_in(2)) spec.tolerations.push_back(tolerate("gpu"));
  return spec;
}

void add_pods(World& world) {
  const int kinds = 1 + up_to(4);
  for (int kind = 0; kind < kinds; ++kind) {
    const api::PodSpec constraints = some_constraints();
    const api::ResourceList size = resources(up_to(4), up_to(4), one_in(4) ? up_to(4) : 0);
    const int count = 1 + up_to(5);
    for (int i = 0; i < count; ++i) {
      const std::string name = "p" + std::to_string(kind) + "-" + std::to_string(i);
      api::Pod& made = world.add(pod(name, size));
      const std::vector<api::Container> containers = made.spec.containers;
      made.spec = constraints;
      made.spec.containers = containers;
      made.meta.created = Instant{up_to(2)};
      if (one_in(10)) {
        world.problem.claim_requirements[made.meta.key()] =
            api::Requirements::from_specs({a_wish()});
      }
    }
  }
}

std::unique_ptr<World> a_world() {
  auto world = std::make_unique<World>();
  world->catalog() = a_catalog();
  const int pools = up_to(3);
  for (int i = 0; i < pools; ++i) add_pool(*world, i);
  const int nodes = up_to(4);
  for (int i = 0; i < nodes; ++i) add_node(*world, i);
  if (one_in(2)) world->add_daemon("agent", resources(up_to(1), 1));
  if (one_in(3)) {
    api::PodSpec& spec = world->add_daemon("gpu-agent", resources(1, 1));
    spec.required_node_terms = {{{a_wish()}}, {{a_wish()}}};
    spec.tolerations = {tolerate("gpu")};
  }
  add_pods(*world);
  return world;
}

// ---- Comparisons.

std::string who_goes_where(const Plan& plan) {
  Strings lines;
  for (const auto& claim : plan.claims) {
    std::string line = "claim of " + claim.pool + ":";
    for (const auto& key : claim.pods) line += " " + key;
    Strings types = names(claim);
    std::ranges::sort(types);
    for (const auto& type : types) line += " " + type;
    lines.push_back(line);
  }
  for (const auto& placement : plan.placements) {
    lines.push_back(placement.pod + " on " + placement.node);
  }
  for (const auto& left : plan.unschedulable) lines.push_back(left.pod + " nowhere");
  std::string out;
  for (const auto& line : lines) out += line + "\n";
  return out;
}

RC_GTEST_PROP(SolveLaw, AgreesWithTheSlowSolver, ()) {
  const auto world = a_world();
  const std::string fast = who_goes_where(solve(world->problem));
  const std::string slow = who_goes_where(slow_solve(world->problem));
  RC_LOG() << "fast:\n" << fast << "slow:\n" << slow;
  RC_ASSERT(fast == slow);
}

template <typename T>
void shuffle(std::vector<T>& items) {
  for (size_t i = items.size(); i > 1; --i) {
    std::swap(items[i - 1], items[*rc::gen::inRange<size_t>(0, i)]);
  }
}

RC_GTEST_PROP(SolveLaw, DoesNotDependOnTheOrderOfItsInput, ()) {
  const auto world = a_world();
  const std::string before = text(solve(world->problem));
  shuffle(world->problem.pods);
  shuffle(world->problem.nodes);
  shuffle(world->problem.pools);
  shuffle(world->problem.daemon_sets);
  RC_ASSERT(text(solve(world->problem)) == before);
}

// ---- What must hold of any plan, read off the plan and the problem alone.

const api::Pod& pod_of(const Problem& problem, const std::string& key) {
  const auto at =
      std::ranges::find_if(problem.pods, [&](const auto* pod) { return pod->meta.key() == key; });
  RC_ASSERT(at != problem.pods.end());
  return **at;
}

// Hard constraints of a pod against one label value (nullptr: no such label), as kube-scheduler
// would check them.
bool value_meets(const api::RequirementSpec& wish, const std::string* value) {
  using api::Operator;
  const bool listed =
      value != nullptr && std::ranges::find(wish.values, *value) != wish.values.end();
  switch (wish.op) {
    case Operator::kIn:
      return listed;
    case Operator::kNotIn:
      return !listed;
    case Operator::kExists:
      return value != nullptr;
    case Operator::kDoesNotExist:
      return value == nullptr;
    case Operator::kGt:
      return value != nullptr && std::stoll(*value) > std::stoll(wish.values[0]);
    case Operator::kLt:
      return value != nullptr && std::stoll(*value) < std::stoll(wish.values[0]);
    case Operator::kGte:
      return value != nullptr && std::stoll(*value) >= std::stoll(wish.values[0]);
    case Operator::kLte:
      return value != nullptr && std::stoll(*value) <= std::stoll(wish.values[0]);
  }
  return false;
}

bool kube_accepts(const api::PodSpec& spec, const api::StringMap& labels,
                  const std::vector<api::Taint>& taints) {
  if (api::first_untolerated(taints, spec.tolerations, false) != nullptr) return false;
  const auto value = [&](const std::string& key) {
    const auto at = labels.find(key);
    return at == labels.end() ? nullptr : &at->second;
  };
  for (const auto& [key, wanted] : spec.node_selector) {
    if (value(key) == nullptr || *value(key) != wanted) return false;
  }
  if (spec.required_node_terms.empty()) return true;
  return std::ranges::any_of(spec.required_node_terms, [&](const api::NodeSelectorTerm& term) {
    return std::ranges::all_of(term.match_expressions, [&](const auto& wish) {
      return value_meets(wish, value(wish.key));
    });
  });
}

// The labels a node of the claim would carry if launched as this offering of this type.
api::StringMap labels_of(const NewClaim& claim, const catalog::InstanceType& type,
                         const catalog::Offering& offering) {
  api::StringMap labels = claim.requirements.labels();
  for (const auto& [key, value] : type.requirements.labels()) labels[key] = value;
  labels[kZone] = offering.zone;
  labels[kCapacityType] = offering.capacity_type;
  // A custom label left open is given some allowed value at launch.
  const api::Requirement& team = claim.requirements.get("team");
  if (!team.complement() && !team.empty()) labels.emplace("team", *team.values().begin());
  return labels;
}

void check_claim(const Problem& problem, const NewClaim& claim) {
  const auto pool = std::ranges::find_if(
      problem.pools, [&](const Pool& p) { return p.pool->meta.name == claim.pool; });
  RC_ASSERT(pool != problem.pools.end());
  RC_ASSERT(!claim.types.empty() && !claim.pods.empty());
  api::ResourceList requests;
  for (const auto& key : claim.pods) requests += api::pod_requests(pod_of(problem, key).spec);
  double cheapest_before = 0;
  for (const catalog::InstanceType* type : claim.types) {
    RC_ASSERT(requests.fits(type->allocatable));
    RC_ASSERT(claim.requests.fits(type->allocatable));
    size_t launchable = 0;
    double cheapest = 1e9;
    for (const catalog::Offering& offering : type->offerings) {
      const bool allowed = offering.available && claim.requirements.get(kZone).has(offering.zone) &&
                           claim.requirements.get(kCapacityType).has(offering.capacity_type);
      if (!allowed) continue;
      ++launchable;
      cheapest = std::min(cheapest, offering.usd_per_hour);
      for (const auto& key : claim.pods) {
        RC_ASSERT(kube_accepts(pod_of(problem, key).spec, labels_of(claim, *type, offering),
                               pool->pool->taints));
      }
    }
    RC_ASSERT(launchable > 0U);
    RC_ASSERT(cheapest >= cheapest_before);
    cheapest_before = cheapest;
    if (type == claim.types.front()) RC_ASSERT(claim.usd_per_hour == cheapest);
  }
}

void check_limits(const Problem& problem, const Plan& plan) {
  for (const Pool& pool : problem.pools) {
    api::ResourceList used = pool.used;
    bool grew = false;
    for (const NewClaim& claim : plan.claims) {
      if (claim.pool != pool.pool->meta.name) continue;
      api::ResourceList largest{{"nodes", 1000}};
      for (const auto* type : claim.types) largest.raise_to(type->capacity);
      used += largest;
      grew = true;
    }
    for (const auto& [name, limit] : pool.pool->limits) {
      if (grew) RC_ASSERT(used.milli(name) <= limit);
    }
  }
}

RC_GTEST_PROP(SolveLaw, PlansHoldWhenLookedAtFromOutside, ()) {
  const auto world = a_world();
  const Problem& problem = world->problem;
  const Plan plan = solve(problem);

  std::map<std::string, int> seen;
  for (const auto& claim : plan.claims) {
    for (const auto& key : claim.pods) ++seen[key];
  }
  for (const auto& placement : plan.placements) ++seen[placement.pod];
  for (const auto& left : plan.unschedulable) {
    ++seen[left.pod];
    RC_ASSERT(!left.reasons.empty());
    for (const std::string& reason : left.reasons) RC_ASSERT(!reason.ends_with(": "));
  }
  RC_ASSERT(seen.size() == problem.pods.size());
  for (const auto& [key, times] : seen) RC_ASSERT(times == 1);

  for (const ExistingNode& there : problem.nodes) {
    api::ResourceList requests;
    for (const auto& placement : plan.placements) {
      if (placement.node != there.name) continue;
      const api::Pod& placed = pod_of(problem, placement.pod);
      requests += api::pod_requests(placed.spec);
      RC_ASSERT(kube_accepts(placed.spec, there.labels, there.taints));
    }
    if (!requests.empty()) RC_ASSERT(requests.fits(there.available));
  }
  for (const auto& claim : plan.claims) check_claim(problem, claim);
  check_limits(problem, plan);
}

RC_GTEST_PROP(SolveLaw, WhatIsUnschedulableIsSoAlone, ()) {
  const auto world = a_world();
  const Plan plan = solve(world->problem);
  // What the plan takes is gone: nodes are left with what remains, limits with what is left.
  Problem rest = world->problem;
  rest.pods.clear();
  for (const auto& left : plan.unschedulable) {
    rest.pods.push_back(&pod_of(world->problem, left.pod));
  }
  for (const auto& placement : plan.placements) {
    const auto at = std::ranges::find(rest.nodes, placement.node, &ExistingNode::name);
    at->available -= api::pod_requests(pod_of(world->problem, placement.pod).spec);
  }
  for (const auto& claim : plan.claims) {
    const auto at = std::ranges::find_if(
        rest.pools, [&](const Pool& p) { return p.pool->meta.name == claim.pool; });
    api::ResourceList largest{{"nodes", 1000}};
    for (const auto* type : claim.types) largest.raise_to(type->capacity);
    // At least this was charged; the first pod's types may have been larger.
    at->used += largest;
  }
  for (const Pool& pool : rest.pools) {
    if (!pool.pool->limits.empty() && !plan.claims.empty())
      return;  // the charge is not in the plan
  }
  RC_ASSERT(slow_solve(rest).unschedulable.size() == rest.pods.size());
}

}  // namespace
}  // namespace windlass::scheduling

// Laws of solve() on random small worlds: it does what the slow solver does, whatever order its
// input comes in, and what it decides holds when looked at from outside.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "scheduling/plan_checker.h"
#include "scheduling/random_world.h"
#include "scheduling/slow_solve.h"
#include "scheduling/solve.h"

namespace windlass::scheduling {
namespace {

using namespace test;
using Strings = std::vector<std::string>;

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

std::unique_ptr<World> one_of_both() {
  return *rc::gen::arbitrary<bool>() ? a_world() : a_social_world();
}

template <typename T>
void shuffle(std::vector<T>& items) {
  for (size_t i = items.size(); i > 1; --i) {
    std::swap(items[i - 1], items[*rc::gen::inRange<size_t>(0, i)]);
  }
}

RC_GTEST_PROP(SolveLaw, DoesNotDependOnTheOrderOfItsInput, ()) {
  const auto world = one_of_both();
  Problem& problem = world->problem;
  const std::string before = text(solve(problem));
  shuffle(problem.pods);
  shuffle(problem.nodes);
  for (ExistingNode& node : problem.nodes) shuffle(node.pods);
  shuffle(problem.pools);
  shuffle(problem.daemon_sets);
  shuffle(problem.surroundings.namespaces);
  shuffle(problem.surroundings.claims);
  shuffle(problem.surroundings.volumes);
  shuffle(problem.surroundings.classes);
  RC_ASSERT(text(solve(problem)) == before);
}

RC_GTEST_PROP(SolveLaw, PlansBreakNoRule, ()) {
  const auto world = one_of_both();
  const Plan plan = solve(world->problem);
  RC_LOG() << text(plan);
  for (const std::string& rule : broken_rules(world->problem, plan)) RC_FAIL(rule);
}

RC_GTEST_PROP(SolveLaw, WhatIsUnschedulableIsSoAlone, ()) {
  const auto world = a_world();
  const Plan plan = solve(world->problem);
  // What the plan takes is gone: nodes are left with what remains, limits with what is left.
  Problem rest = world->problem;
  rest.pods.clear();
  for (const auto& left : plan.unschedulable) {
    rest.pods.push_back(pod_named(world->problem, left.pod));
  }
  for (const auto& placement : plan.placements) {
    const auto at = std::ranges::find(rest.nodes, placement.node, &ExistingNode::name);
    at->available -= api::pod_requests(pod_named(world->problem, placement.pod)->spec);
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

// The cost objective on worlds small enough to be sure: examples, laws on random worlds, and the
// optimum by brute force, which tries every way to share nodes and knows nothing of markets.
#include "scheduling/cost_plan.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "scheduling/cost_price.h"
#include "scheduling/lower_bound.h"
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

// ---- Examples.

std::vector<catalog::Offering> on_demand(double usd_per_hour) {
  return {{"a", "on-demand", usd_per_hour, true}};
}

Strings bought(const Plan& plan) {
  Strings out;
  for (const NewClaim& claim : plan.claims) out.push_back(claim.types.front()->name);
  std::ranges::sort(out);
  return out;
}

// karpenter.md 2.7: "No comparison: several small against one large".
TEST(CostPlan, ComparesSeveralSmallNodesWithOneLarge) {
  World world;
  world.catalog() = {
      {instance_type("gpu-1", 8, 1, on_demand(1)), instance_type("gpu-4", 32, 4, on_demand(5))}};
  world.add(node_pool("gpu"));
  for (const char* name : {"p", "q", "r", "s"}) world.add(pod(name, resources(4, 4, 1)));
  const CostPlan planned = solve_for_cost(world.problem);
  EXPECT_EQ(bought(planned.plan), (Strings{"gpu-1", "gpu-1", "gpu-1", "gpu-1"}));
  EXPECT_DOUBLE_EQ(planned.usd_per_hour, 4);
  EXPECT_DOUBLE_EQ(planned.stock_usd_per_hour, 5);
  EXPECT_NEAR(planned.lower_bound_usd_per_hour, 4, 1e-5);
  EXPECT_NE(planned.why.find("stock 1 at 5.0000"), std::string::npos) << planned.why;
}

TEST(CostPlan, TakesOneLargeNodeWhereItIsCheaper) {
  World world;
  world.catalog() = {
      {instance_type("gpu-1", 8, 1, on_demand(1)), instance_type("gpu-4", 32, 4, on_demand(3))}};
  world.add(node_pool("gpu"));
  for (const char* name : {"p", "q", "r", "s"}) world.add(pod(name, resources(4, 4, 1)));
  EXPECT_EQ(bought(solve_for_cost(world.problem).plan), (Strings{"gpu-4"}));
}

// karpenter.md 8.6: the GPU is not in stock's sort key, so a pod with many cores spoils a GPU node.
TEST(CostPlan, KeepsPodsWithoutGpusOffGpuNodes) {
  World world;
  world.catalog() = {{instance_type("cpu-8", 8, 0, on_demand(0.4)),
                      instance_type("gpu-1", 8, 1, on_demand(1)),
                      instance_type("gpu-big", 16, 1, on_demand(3))}};
  world.add(node_pool("any"));
  world.add(pod("web", resources(8, 4)));
  world.add(pod("chat", resources(4, 4, 1)));
  const CostPlan planned = solve_for_cost(world.problem);
  EXPECT_EQ(bought(planned.plan), (Strings{"cpu-8", "gpu-1"}));
  EXPECT_DOUBLE_EQ(planned.usd_per_hour, 1.4);
  EXPECT_DOUBLE_EQ(planned.stock_usd_per_hour, 3);
}

TEST(CostPlan, ComparesPoolsByPrice) {
  World world;
  world.add(node_pool("dear")).requirements = {
      {std::string(api::kCapacityTypeLabel), api::Operator::kIn, {"on-demand"}, {}}};
  world.add(node_pool("cheap"));
  world.add(pod("p", resources(1, 1)));
  const CostPlan planned = solve_for_cost(world.problem);
  ASSERT_EQ(planned.plan.claims.size(), 1U);
  EXPECT_EQ(planned.plan.claims[0].pool, "cheap");
  EXPECT_DOUBLE_EQ(planned.usd_per_hour, 0.04);
}

TEST(CostPlan, NothingToPlaceCostsNothing) {
  World world;
  world.add(node_pool("any"));
  const CostPlan planned = solve_for_cost(world.problem);
  EXPECT_EQ(planned.usd_per_hour, 0);
  EXPECT_EQ(planned.lower_bound_usd_per_hour, 0);
}

// Zone spread is what stock settled; within a zone the nodes are chosen anew.
TEST(CostPlan, KeepsTopologySpread) {
  World world;
  world.catalog() = {
      {instance_type("gpu-1", 8, 1, everywhere(1)), instance_type("gpu-4", 32, 4, everywhere(9))}};
  world.add(node_pool("gpu"));
  for (const char* name : {"p", "q", "r", "s"}) {
    api::Pod& made = world.add(pod(name, resources(4, 4, 1)));
    made.meta.labels["app"] = "chat";
    api::TopologySpreadConstraint spread;
    spread.topology_key = api::kZoneLabel;
    spread.selector.match_labels["app"] = "chat";
    made.spec.topology_spread = {spread};
  }
  const CostPlan planned = solve_for_cost(world.problem);
  EXPECT_EQ(bought(planned.plan), (Strings{"gpu-1", "gpu-1", "gpu-1", "gpu-1"}));
  std::map<std::string, int> zones;
  for (const NewClaim& claim : planned.plan.claims) {
    zones[*claim.requirements.get(api::kZoneLabel).values().begin()] += 1;
  }
  EXPECT_EQ(zones, (std::map<std::string, int>{{"a", 2}, {"b", 2}}));
}

// The price that odds make: half of the launches fall back on demand.
TEST(CostPlan, WeighsTheOddsOfSpot) {
  World world;
  world.catalog() = {
      {instance_type("sure", 8, 1, on_demand(0.9)),
       instance_type("risky", 8, 2,
                     {{"a", "on-demand", 1.5, true}, {"a", "spot", 0.5, true, {}, {}, 0, 0.5}})}};
  world.add(node_pool("gpu"));
  world.add(pod("p", resources(4, 4, 2)));
  // 0.5 * 0.5 + 0.5 * 1.5; "sure" has one GPU only.
  EXPECT_DOUBLE_EQ(solve_for_cost(world.problem).usd_per_hour, 1.0);
}

TEST(ExpectedPrice, FollowsTheChain) {
  using Offers = std::vector<std::pair<double, double>>;
  const struct {
    Offers offers;
    double price;
  } cases[] = {
      {{{2, 1}}, 2},
      {{{2, 0.5}}, 2},                      // nothing else to fall back on
      {{{3, 1}, {2, 1}}, 2},                // the cheapest is certain
      {{{2, 0.5}, {4, 1}}, 3},              // even odds
      {{{1, 0.5}, {2, 0.5}, {4, 0.1}}, 2},  // 0.5 + 0.25 * 2 + 0.25 * 4
      {{{1, 0}, {2, 1}}, 2},
  };
  for (const auto& test : cases) EXPECT_DOUBLE_EQ(expected_price(test.offers), test.price);
}

// ---- Random worlds.

const std::string kZone(api::kZoneLabel);
const std::string kCapacityType(api::kCapacityTypeLabel);

api::RequirementSpec a_wish() {
  using api::Operator;
  return one_of<api::RequirementSpec>({
      {kZone, Operator::kIn, {"a"}, {}},
      {kZone, Operator::kNotIn, {"a"}, {}},
      {kCapacityType, Operator::kIn, {"spot"}, {}},
      {kCapacityType, Operator::kIn, {"on-demand"}, {}},
      {kGpuCount, Operator::kExists, {}, {}},
      {kGpuCount, Operator::kLte, {"2"}, {}},
  });
}

catalog::InstanceType a_type(const std::string& name, bool odds) {
  std::vector<catalog::Offering> offerings;
  for (const char* zone : {"a", "b"}) {
    for (const char* capacity_type : {"on-demand", "spot"}) {
      if (one_in(4)) continue;
      offerings.push_back({zone, capacity_type, 0.25 * (1 + up_to(11)), !one_in(6)});
      if (odds) offerings.back().odds = 0.25 * up_to(4);
    }
  }
  return instance_type(name, one_of<int64_t>({2, 4, 8, 16}), one_of<int64_t>({0, 0, 1, 2, 4}),
                       std::move(offerings));
}

catalog::Catalog a_catalog(bool odds) {
  catalog::Catalog out;
  const int count = 1 + up_to(4);
  for (int i = 0; i < count; ++i) out.types.push_back(a_type("t" + std::to_string(i), odds));
  return out;
}

api::TopologySpreadConstraint a_spread() {
  api::TopologySpreadConstraint out;
  out.max_skew = 1 + up_to(1);
  out.topology_key = one_of<std::string>({kZone, std::string(api::kHostnameLabel), kCapacityType});
  out.schedule_anyway = one_in(3);
  out.selector.match_labels["app"] = one_of<std::string>({"x", "y"});
  return out;
}

api::PodAffinityTerm a_term() {
  api::PodAffinityTerm out;
  out.topology_key = one_of<std::string>({kZone, std::string(api::kHostnameLabel)});
  out.selector.match_labels["app"] = one_of<std::string>({"x", "y"});
  return out;
}

void add_topology(api::PodSpec& spec) {
  if (one_in(3)) spec.topology_spread = {a_spread()};
  if (one_in(6)) spec.affinity.required = {a_term()};
  if (one_in(6)) spec.anti_affinity.required = {a_term()};
  if (one_in(8)) spec.anti_affinity.preferred = {{1, a_term()}};
}

// `plain`: only sizes and requirements; else whatever pods, pools and nodes can say.
void add_pods(World& world, int at_most, bool plain) {
  int left = 1 + up_to(at_most - 1);
  for (int kind = 0; left > 0; ++kind) {
    api::PodSpec spec;
    if (one_in(3)) spec.required_node_terms = {{{a_wish()}}};
    if (!plain) add_topology(spec);
    if (!plain && one_in(5)) spec.preferred_node_terms = {{1, {{a_wish()}}}};
    const api::ResourceList size = resources(1 + up_to(7), 1 + up_to(7), one_in(2) ? up_to(3) : 0);
    const std::string app = one_of<std::string>({"x", "y"});
    const int count = std::min(left, 1 + up_to(3));
    left -= count;
    for (int i = 0; i < count; ++i) {
      api::Pod& made = world.add(pod("p" + std::to_string(kind) + "-" + std::to_string(i), size));
      const std::vector<api::Container> containers = made.spec.containers;
      made.spec = spec;
      made.spec.containers = containers;
      if (!plain) made.meta.labels["app"] = app;
    }
  }
}

std::unique_ptr<World> any_world() {
  auto world = std::make_unique<World>();
  world->catalog() = a_catalog(one_in(3));
  const int pools = 1 + up_to(1);
  for (int i = 0; i < pools; ++i) {
    api::NodePool& pool = world->add(node_pool("pool-" + std::to_string(i)));
    pool.weight = one_of<int32_t>({0, 10});
    if (one_in(3)) pool.requirements = {a_wish()};
    if (one_in(3)) pool.limits.set("cpu", 1000 * up_to(40));
    if (one_in(4)) pool.limits.set("nodes", 1000 * up_to(4));
    if (one_in(5)) {
      pool.requirements.push_back(
          {std::string(api::kInstanceTypeLabel), api::Operator::kExists, {}, 2});
    }
  }
  const int nodes = up_to(3);
  for (int i = 0; i < nodes; ++i) {
    ExistingNode& there = world->add(
        node("node-" + std::to_string(i), resources(up_to(8), up_to(16), one_in(3) ? 1 : 0)));
    there.labels.own()[kZone] = one_of<std::string>({"a", "b"});
  }
  if (one_in(3)) world->add_daemon("agent", resources(1, 1));
  add_pods(*world, 14, false);
  return world;
}

std::unique_ptr<World> plain_world(int pods) {
  auto world = std::make_unique<World>();
  world->catalog() = a_catalog(false);
  world->add(node_pool("pool"));
  add_pods(*world, pods, true);
  // Pods that no type takes say nothing about prices.
  for (const auto& left : solve(world->problem).unschedulable) {
    std::erase_if(world->problem.pods,
                  [&](const api::Pod* pod) { return pod->meta.key() == left.pod; });
  }
  return world;
}

RC_GTEST_PROP(CostLaw, NeverCostsMoreThanStockNorPlacesFewerPods, ()) {
  const auto world = any_world();
  const Plan stock = solve(world->problem);
  const CostPlan planned = solve_for_cost(world->problem);
  RC_LOG() << "stock:\n" << text(stock) << "cost:\n" << text(planned.plan);
  RC_ASSERT(planned.stock_usd_per_hour == expected_price(stock));
  RC_ASSERT(planned.usd_per_hour <= planned.stock_usd_per_hour);
  RC_ASSERT(planned.usd_per_hour == expected_price(planned.plan));
  RC_ASSERT(planned.plan.unschedulable.size() <= stock.unschedulable.size());
  RC_ASSERT(planned.lower_bound_usd_per_hour <= planned.usd_per_hour);
  RC_ASSERT(lower_bound(world->problem, stock) <= expected_price(stock));
  // Every pod is in one place.
  std::multiset<std::string> placed;
  for (const auto& claim : planned.plan.claims) placed.insert(claim.pods.begin(), claim.pods.end());
  for (const auto& placement : planned.plan.placements) placed.insert(placement.pod);
  for (const auto& left : planned.plan.unschedulable) placed.insert(left.pod);
  std::multiset<std::string> all;
  for (const auto* pod : world->problem.pods) all.insert(pod->meta.key());
  RC_ASSERT(placed == all);
}

template <typename T>
void shuffle(std::vector<T>& items) {
  for (size_t i = items.size(); i > 1; --i) {
    std::swap(items[i - 1], items[*rc::gen::inRange<size_t>(0, i)]);
  }
}

RC_GTEST_PROP(CostLaw, DoesNotDependOnTheOrderOfItsInput, ()) {
  const auto world = any_world();
  CostPlan before = solve_for_cost(world->problem);
  shuffle(world->problem.pods);
  shuffle(world->problem.nodes);
  shuffle(world->problem.pools);
  CostPlan after = solve_for_cost(world->problem);
  // Reasons are solve()'s own.
  for (CostPlan* planned : {&before, &after}) {
    for (auto& left : planned->plan.unschedulable) left.reasons.clear();
  }
  RC_ASSERT(text(after.plan) == text(before.plan));
  RC_ASSERT(after.lower_bound_usd_per_hour == before.lower_bound_usd_per_hour);
}

// Where the search is exact: a dozen pods, no preferences, limits, topology or odds.
RC_GTEST_PROP(CostLaw, ATypeMoreNeverRaisesThePrice, ()) {
  const auto world = plain_world(12);
  const CostPlan before = solve_for_cost(world->problem);
  RC_LOG() << "before:\n" << text(before.plan);
  world->catalog().types.push_back(a_type("t9", false));
  const CostPlan after = solve_for_cost(world->problem);
  RC_LOG() << "after:\n" << text(after.plan);
  RC_ASSERT(after.plan.unschedulable.empty());
  RC_ASSERT(after.usd_per_hour <= before.usd_per_hour + 1e-9);
}

// ---- The optimum by brute force.

double price_of_node(const catalog::Catalog& catalog, const std::vector<const api::Pod*>& pods) {
  double least = std::numeric_limits<double>::infinity();
  for (const catalog::InstanceType& type : catalog.types) {
    api::ResourceList total;
    for (const api::Pod* pod : pods) total += api::pod_requests(pod->spec);
    if (!total.fits(type.allocatable)) continue;
    for (const catalog::Offering& offering : type.offerings) {
      api::Requirements node = type.requirements;
      node.add(kZone, {api::Operator::kIn, {offering.zone}});
      node.add(kCapacityType, {api::Operator::kIn, {offering.capacity_type}});
      const bool meets = std::ranges::all_of(pods, [&](const api::Pod* pod) {
        return node.intersects(api::pod_requirements(pod->spec, false));
      });
      if (meets && offering.available) least = std::min(least, offering.usd_per_hour);
    }
  }
  return least;
}

// Every way to share nodes: the next pod joins each node so far, or opens one.
double cheapest(const catalog::Catalog& catalog, const std::vector<const api::Pod*>& pods,
                size_t next, std::vector<std::vector<const api::Pod*>>& nodes) {
  if (next == pods.size()) {
    double sum = 0;
    for (const auto& node : nodes) sum += price_of_node(catalog, node);
    return sum;
  }
  double least = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < nodes.size(); ++i) {
    nodes[i].push_back(pods[next]);
    least = std::min(least, cheapest(catalog, pods, next + 1, nodes));
    nodes[i].pop_back();
  }
  nodes.push_back({pods[next]});
  least = std::min(least, cheapest(catalog, pods, next + 1, nodes));
  nodes.pop_back();
  return least;
}

RC_GTEST_PROP(CostLaw, FindsTheOptimumOfTinyWorlds, ()) {
  const auto world = plain_world(7);
  const CostPlan planned = solve_for_cost(world->problem);
  RC_ASSERT(planned.plan.unschedulable.empty());
  std::vector<std::vector<const api::Pod*>> nodes;
  const double optimum = cheapest(world->catalog(), world->problem.pods, 0, nodes);
  RC_LOG() << text(planned.plan);
  RC_ASSERT(planned.usd_per_hour <= optimum + 1e-9);
  RC_ASSERT(planned.usd_per_hour >= optimum - 1e-9);
  RC_ASSERT(planned.lower_bound_usd_per_hour <= optimum + 1e-9);
}

}  // namespace
}  // namespace windlass::scheduling

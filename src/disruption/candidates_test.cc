#include "disruption/candidates.h"

#include <functional>

#include <gtest/gtest.h>

#include "disruption/small_cluster.h"

namespace windlass::disruption {
namespace {

// One t-08 in pool p with one pod; each case spoils one thing.
struct Case {
  const char* what;
  std::function<void(SmallCluster&, api::NodePool&, Candidate&, api::Pod&)> spoil;
  const char* reason;
};

void expect_reasons(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    SmallCluster cluster;
    api::NodePool& pool = cluster.pool("p");
    Candidate& node = cluster.node("n", "p", "t-08");
    api::Pod& pod = cluster.pod("x", "n", 1000);
    ASSERT_EQ(reason_of(cluster.propose(), "n"), "(in a command)");
    c.spoil(cluster, pool, node, pod);
    EXPECT_EQ(reason_of(cluster.propose(), "n"), c.reason) << c.what;
  }
}

// 4.2, the node and its pods.
TEST(Candidates, WhatMayNotBeTouched) {
  const std::string mark(api::kDoNotDisrupt);
  expect_reasons({
      {"no claim", [](auto&, auto&, auto& node, auto&) { node.claim.clear(); },
       "no NodeClaim made this node"},
      {"deleting", [](auto&, auto&, auto& node, auto&) { node.deleting = true; },
       "already being deleted or disrupted"},
      {"uninitialized", [](auto&, auto&, auto& node, auto&) { node.initialized = false; },
       "not initialized yet"},
      {"nominated", [](auto&, auto&, auto& node, auto&) { node.nominated = true; },
       "nominated: a pending pod was promised to it"},
      {"annotated", [&](auto&, auto&, auto& node, auto&) { node.do_not_disrupt = true; },
       "the node has karpenter.sh/do-not-disrupt"},
      {"no pool", [](auto&, auto&, auto& node, auto&) { node.pool.clear(); }, "belongs to no pool"},
      {"pool gone", [](auto&, auto&, auto& node, auto&) { node.pool = "q"; },
       "pool q is unknown or not ready"},
      {"pod annotated",
       [&](auto&, auto&, auto&, auto& pod) { pod.meta.annotations[mark] = "true"; },
       "blocked by pod ns/x's karpenter.sh/do-not-disrupt"},
      {"PDB",
       [](auto& c, auto&, auto&, auto&) {
         c.budget("b").max_unavailable = {{0, false}};
       },
       "PDB ns/b allows 0 disruptions, and pod ns/x is behind it"},
  });
}

// 4.2, for consolidation.
TEST(Candidates, WhatIsNotConsolidated) {
  using enum api::ConsolidationPolicy;
  expect_reasons({
      {"static", [](auto&, auto& pool, auto&, auto&) { pool.replicas = 3; },
       "pool p is static (3 replicas)"},
      {"Never", [](auto&, auto& pool, auto&, auto&) { pool.consolidate_after.reset(); },
       "consolidateAfter of pool p is Never"},
      {"type", [](auto&, auto&, auto& node, auto&) { node.instance_type = "u-1"; },
       "instance type \"u-1\" is unknown to pool p"},
      {"capacity type", [](auto&, auto&, auto& node, auto&) { node.capacity_type.clear(); },
       "the node's capacity type is unknown"},
      {"zone", [](auto&, auto&, auto& node, auto&) { node.zone.clear(); },
       "the node's zone is unknown"},
      {"WhenEmpty", [](auto&, auto& pool, auto&, auto&) { pool.consolidation_policy = kWhenEmpty; },
       "policy of pool p is WhenEmpty and 1 pods run here"},
      {"too early",
       [](auto&, auto& pool, auto& node, auto&) {
         pool.consolidate_after = minutes(5);
         node.last_pod_event = kNow - minutes(2);
       },
       "not consolidatable for another 3m of consolidateAfter 5m"},
      {"budget",
       [](auto&, auto& pool, auto&, auto&) {
         pool.budgets = {{{0, true}, {}, "", {}}};
       },
       "budget of pool p allows 0 of 1 nodes for Underutilized"},
  });
}

// 4.2: max(initialized, last pod event) + consolidateAfter.
TEST(Candidates, ConsolidatableAt) {
  api::NodePool pool;
  Candidate node;
  node.initialized = true;
  node.initialized_at = kNow;
  struct Row {
    std::optional<Duration> after;
    std::optional<Duration> event;  // since kNow
    std::optional<Duration> at;
  };
  const std::vector<Row> rows = {
      {Duration{}, std::nullopt, Duration{}},   {minutes(5), std::nullopt, minutes(5)},
      {minutes(5), minutes(2), minutes(7)},     {minutes(5), minutes(-2), minutes(5)},
      {std::nullopt, minutes(2), std::nullopt},
  };
  for (const Row& row : rows) {
    pool.consolidate_after = row.after;
    node.last_pod_event.reset();
    if (row.event) node.last_pod_event = kNow + *row.event;
    const std::optional<Instant> at = consolidatable_at(node, pool);
    ASSERT_EQ(at.has_value(), row.at.has_value());
    if (!at) {
      EXPECT_FALSE(consolidatable(node, pool, kNever));
      continue;
    }
    EXPECT_EQ(*at, kNow + *row.at);
    EXPECT_TRUE(consolidatable(node, pool, *at));
    EXPECT_FALSE(consolidatable(node, pool, *at - nanoseconds(1)));
  }
  pool.consolidate_after = Duration{std::numeric_limits<int64_t>::max()};
  EXPECT_EQ(consolidatable_at(node, pool), kNever) << "no overflow";
  node.initialized = false;
  EXPECT_EQ(consolidatable_at(node, pool), std::nullopt);
}

// 4.3: dollars an hour per disruption cost, highest first.
TEST(Candidates, OrderOfGain) {
  SmallCluster cluster;
  cluster.pool("p");
  cluster.node("cheap", "p", "t-02");
  cluster.node("dear-busy", "p", "t-08");
  cluster.node("dear", "p", "t-08");
  cluster.node("alike", "p", "t-08");
  cluster.node("idle", "p", "t-16");
  for (const char* name : {"cheap", "dear", "alike"}) cluster.pod(name, name, 100);
  for (const char* name : {"v", "w", "x", "y"}) cluster.pod(name, "dear-busy", 100);
  const Cluster built = cluster.build();
  const EvictionLimits limits({}, {});
  const std::vector<NodeView> views = examine(built, limits, kNow);
  const auto names = [&](bool empty) {
    std::vector<std::string> result;
    for (const size_t i : in_order_of_gain(views, empty)) result.push_back(views[i].node->node);
    return result;
  };
  EXPECT_EQ(names(false), (std::vector<std::string>{"alike", "dear", "dear-busy", "cheap"}));
  EXPECT_EQ(names(true), std::vector<std::string>{"idle"});
}

}  // namespace
}  // namespace windlass::disruption

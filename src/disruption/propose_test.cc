// The methods end to end, on small clusters (karpenter.md 4.4); types and prices in
// small_cluster.h.
#include "disruption/propose.h"

#include <gtest/gtest.h>

#include "disruption/small_cluster.h"

namespace windlass::disruption {
namespace {

Options moving(const std::string& node, double usd, Duration payback) {
  Options options;
  options.move_cost_usd[node] = usd;
  options.payback = payback;
  return options;
}

api::Toleration everything() { return {"", "Exists", "", "", {}}; }

TEST(Propose, NothingToDo) {
  EXPECT_EQ(summary(propose({}, kNow, {})), "nothing");
  SmallCluster cluster;
  cluster.pool("p");
  EXPECT_EQ(summary(cluster.propose()), "nothing");
  cluster.node("n", "nowhere", "t-02");
  const Proposal proposal = cluster.propose();
  EXPECT_EQ(summary(proposal), "nothing");
  EXPECT_EQ(reason_of(proposal, "n"), "pool nowhere is unknown or not ready");
}

TEST(Propose, MethodNames) {
  EXPECT_EQ(to_string(Command::Method::kEmptiness), "emptiness");
  EXPECT_EQ(to_string(Command::Method::kMultiNode), "multi_node_consolidation");
  EXPECT_EQ(to_string(Command::Method::kSingleNode), "single_node_consolidation");
}

// --- Emptiness --------------------------------------------------------------------------------

TEST(Emptiness, AllEmptyNodesInOneCommand) {
  SmallCluster cluster;
  cluster.pool("p").consolidation_policy = api::ConsolidationPolicy::kWhenEmpty;
  cluster.node("a", "p", "t-02");
  cluster.node("b", "p", "t-08");
  cluster.node("busy", "p", "t-08");
  cluster.pod("x", "busy", 100);
  cluster.pod("daemon", "a", 100).meta.owners.front().kind = "DaemonSet";
  cluster.pod("done", "b", 100).phase = api::PodPhase::kSucceeded;
  const Proposal proposal = cluster.propose();
  ASSERT_EQ(summary(proposal), "emptiness c-a c-b");
  EXPECT_DOUBLE_EQ(proposal.commands[0].usd_per_hour_before, 0.5);
  EXPECT_DOUBLE_EQ(proposal.commands[0].usd_per_hour_after, 0);
  EXPECT_EQ(proposal.commands[0].why, "2 nodes are empty: saves 0.500 USD/h");
  ASSERT_EQ(proposal.left.size(), 1u);
  EXPECT_EQ(proposal.left[0].reason, "policy of pool p is WhenEmpty and 1 pods run here");
}

TEST(Emptiness, WithinTheBudgetDearestFirst) {
  SmallCluster cluster;
  cluster.pool("p").budgets = {{{1, false}, {"Empty"}, "", {}}};
  cluster.node("a", "p", "t-02");
  cluster.node("b", "p", "t-08");
  const Proposal proposal = cluster.propose();
  EXPECT_EQ(summary(proposal), "emptiness c-b");
  EXPECT_EQ(
      reason_of(proposal, "a"),
      "empty, but budget of pool p allows 1 of 2 nodes for Empty, all taken by nodes with more "
      "to save");
}

// Quirk 3, and no simulation: the pod would fit nowhere.
TEST(Emptiness, PodsThatCostNothingDoNotCount) {
  SmallCluster cluster;
  cluster.pool("p").limits = {{api::kCpu, 0}};
  cluster.node("a", "p", "t-02");
  cluster.pod("x", "a", 2000).spec.priority = -40'000'000;
  const Proposal proposal = cluster.propose();
  ASSERT_EQ(summary(proposal), "emptiness c-a");
  EXPECT_EQ(proposal.commands[0].why,
            "1 node is empty: saves 0.100 USD/h; 1 pod on it costs nothing to evict");
}

TEST(Emptiness, WaitsForConsolidateAfter) {
  SmallCluster cluster;
  cluster.pool("p").consolidate_after = minutes(5);
  cluster.node("a", "p", "t-02").last_pod_event = kNow - seconds(299);
  EXPECT_EQ(reason_of(cluster.propose(), "a"),
            "not consolidatable for another 1s of consolidateAfter 5m");
  cluster.node("b", "p", "t-02").last_pod_event = kNow - seconds(300);
  EXPECT_EQ(summary(cluster.propose()), "emptiness c-b");
}

// --- Multi-node -------------------------------------------------------------------------------

// Two of three fit on the third; for all three no cheaper single type is big enough.
TEST(MultiNode, DeletesWhatFitsOnTheRest) {
  SmallCluster cluster;
  cluster.pool("p");
  for (const char* name : {"a", "b", "c"}) {
    cluster.node(name, "p", "t-04");
    cluster.pod(name, name, 1000);
  }
  const Proposal proposal = cluster.propose();
  ASSERT_EQ(summary(proposal), "multi_node_consolidation c-a c-b");
  EXPECT_EQ(proposal.commands[0].why,
            "2 pods of 2 nodes fit on the nodes that stay: saves 0.400 USD/h");
  EXPECT_EQ(reason_of(proposal, "c"),
            "not needed for this pass's multi_node_consolidation of 2 nodes; 1 pods run here");
}

// t-04 is the only type that holds 3 pods and is cheaper than the cheapest removed t-08.
TEST(MultiNode, ReplacesManyByOneOfAnotherType) {
  SmallCluster cluster;
  cluster.pool("p");
  for (const char* name : {"a", "b", "c"}) {
    cluster.node(name, "p", "t-08");
    cluster.pod(name, name, 1000);
  }
  const Proposal proposal = cluster.propose();
  ASSERT_EQ(summary(proposal), "multi_node_consolidation c-a c-b c-c -> t-04");
  const Command& command = proposal.commands[0];
  EXPECT_DOUBLE_EQ(command.usd_per_hour_before, 1.2);
  EXPECT_DOUBLE_EQ(command.usd_per_hour_after, 0.2);
  EXPECT_EQ(command.replacements.front().pods.size(), 3u);
  EXPECT_EQ(command.why,
            "3 pods of 3 nodes fit on the nodes that stay and one t-04: 0.200 USD/h instead of "
            "1.200");
}

// The budget filter keeps the order: the two dearest go in, the third waits.
TEST(MultiNode, BudgetCutsThePrefix) {
  SmallCluster cluster;
  cluster.pool("p").budgets = {{{2, false}, {}, "", {}}};
  cluster.node("a", "p", "t-04");
  cluster.node("b", "p", "t-08");
  cluster.node("c", "p", "t-08");
  cluster.node("wide", "p", "t-16");
  for (const char* name : {"a", "b", "c"}) cluster.pod(name, name, 1000);
  for (int i = 0; i < 13; ++i) cluster.pod("w" + std::to_string(i), "wide", 1000);
  const Proposal proposal = cluster.propose();
  EXPECT_EQ(summary(proposal), "multi_node_consolidation c-b c-c");
  EXPECT_EQ(
      reason_of(proposal, "a"),
      "budget of pool p allows 2 of 4 nodes for Underutilized, all taken by nodes with more to "
      "save");
}

// 4.4: a prefix never has more than 101 nodes.
TEST(MultiNode, CapOf101Nodes) {
  SmallCluster cluster;
  cluster.pool("p");
  for (int i = 0; i < 110; ++i) {
    const std::string name = "n" + std::to_string(1000 + i);
    cluster.node(name, "p", "t-02");
    cluster.pod(name, name, 10);
  }
  const Proposal proposal = cluster.propose();
  ASSERT_EQ(proposal.commands.size(), 1u);
  EXPECT_EQ(proposal.commands[0].claims.size(), 101u);
  EXPECT_EQ(proposal.left.size(), 9u);
}

// --- Single-node ------------------------------------------------------------------------------

TEST(SingleNode, ReplacesByTheCheaperTypes) {
  SmallCluster cluster;
  cluster.pool("p");
  cluster.node("a", "p", "t-08");
  cluster.pod("x", "a", 1500);
  const Proposal proposal = cluster.propose();
  ASSERT_EQ(summary(proposal), "single_node_consolidation c-a -> t-02 t-04");
  EXPECT_DOUBLE_EQ(proposal.commands[0].usd_per_hour_after, 0.1);
}

TEST(SingleNode, NoCheaperType) {
  SmallCluster cluster;
  cluster.pool("p");
  cluster.node("a", "p", "t-02");
  cluster.pod("x", "a", 500);
  EXPECT_EQ(reason_of(cluster.propose(), "a"),
            "no cheaper type: replacing costs at least 0.100 USD/h against 0.100");
}

// 4.4: on-demand -> [on-demand, spot] judges by spot prices and is forced to spot.
TEST(SingleNode, OnDemandToSpot) {
  SmallCluster cluster;
  SmallCluster::allow_spot(cluster.pool("p"));
  cluster.node("a", "p", "t-08");
  cluster.pod("x", "a", 1500);
  const Proposal proposal = cluster.propose();
  ASSERT_EQ(summary(proposal), "single_node_consolidation c-a -> t-02 t-04 t-08 t-16");
  const auto& replacement = proposal.commands[0].replacements.front();
  EXPECT_EQ(replacement.requirements.get(api::kCapacityTypeLabel),
            api::Requirement(api::Operator::kIn, {"spot"}));
  EXPECT_DOUBLE_EQ(proposal.commands[0].usd_per_hour_after, 0.04);
}

// 4.4: the gate SpotToSpotConsolidation is off; deleting spot, or leaving spot, is allowed.
TEST(SingleNode, SpotToSpot) {
  SmallCluster cluster;
  api::NodePool& pool = cluster.pool("p");
  SmallCluster::allow_spot(pool);
  cluster.node("a", "p", "t-16", "spot");
  cluster.pod("x", "a", 1500);
  EXPECT_EQ(reason_of(cluster.propose(), "a"),
            "a spot node is not replaced by a spot node (SpotToSpotConsolidation is off)");
  pool.requirements.front().values = {"on-demand"};
  EXPECT_EQ(summary(cluster.propose()), "single_node_consolidation c-a -> t-02 t-04");
}

TEST(SingleNode, AtMostOneNewNode) {
  SmallCluster cluster;
  cluster.pool("p");
  cluster.node("a", "p", "t-16");
  cluster.pod("x", "a", 500).spec.node_selector = {{std::string(api::kZoneLabel), "a"}};
  cluster.pod("y", "a", 500).spec.node_selector = {{std::string(api::kZoneLabel), "b"}};
  EXPECT_EQ(reason_of(cluster.propose(), "a"), "would need 2 new nodes, and at most 1 is allowed");
}

TEST(SingleNode, PodsThatFitNowhere) {
  SmallCluster cluster;
  cluster.pool("p");
  cluster.node("a", "p", "t-16");
  cluster.pod("x", "a", 500).spec.node_selector = {{"disk", "ssd"}};
  const std::string reason = reason_of(cluster.propose(), "a");
  EXPECT_TRUE(reason.starts_with("1 pods would not fit elsewhere: ns/x: ")) << reason;
}

// 4.4: pools take turns, the gain decides within a pool.
TEST(SingleNode, PoolsTakeTurns) {
  SmallCluster cluster;
  for (const char* pool : {"p", "q"}) {
    cluster.pool(pool).taints.push_back({"only", pool, "NoSchedule"});
  }
  // p's dearest cannot move; q's only one comes next, before p's second.
  cluster.node("p1", "p", "t-16");
  cluster.node("p2", "p", "t-08");
  cluster.node("q1", "q", "t-04");
  const auto pod = [&](const char* name, const char* pool, int64_t cpu) {
    cluster.pod(name, name, cpu)
        .spec.tolerations.push_back({"only", "Equal", pool, "NoSchedule", {}});
  };
  pod("p1", "p", 15000);
  pod("p2", "p", 7000);
  pod("q1", "q", 1500);
  EXPECT_EQ(summary(cluster.propose()), "single_node_consolidation c-q1 -> t-02");
}

// --- Where pods may land in a simulation ------------------------------------------------------

// 2.3: a node inside its consolidateAfter takes no pods of candidates, not even of a pod that
// tolerates every taint; a node of a pool with Never does.
TEST(Simulation, NodesInsideConsolidateAfter) {
  SmallCluster cluster;
  api::NodePool& pool = cluster.pool("p");
  pool.consolidate_after = minutes(10);
  cluster.node("a", "p", "t-02");
  api::Pod& pod = cluster.pod("x", "a", 500);
  Candidate& busy = cluster.node("b", "p", "t-04");
  cluster.pod("y", "b", 3000);
  busy.last_pod_event = kNow - minutes(2);
  const char* kKept = "no cheaper type: replacing costs at least 0.100 USD/h against 0.100";
  EXPECT_EQ(reason_of(cluster.propose(), "a"), kKept);
  pod.spec.tolerations.push_back(everything());
  EXPECT_EQ(reason_of(cluster.propose(), "a"), kKept);
  busy.last_pod_event = kNow - minutes(10);
  EXPECT_EQ(summary(cluster.propose()), "single_node_consolidation c-a");

  cluster.pool("q").consolidate_after.reset();
  busy.pool = "q";
  busy.last_pod_event = kNow - minutes(2);
  EXPECT_EQ(summary(cluster.propose()), "single_node_consolidation c-a");
}

// 2.3: pending pods and pods of deleting nodes may go there; else they would need a second node.
TEST(Simulation, OthersMayUseNodesInsideConsolidateAfter) {
  for (const bool deleting : {false, true}) {
    SmallCluster cluster;
    cluster.pool("p").consolidate_after = minutes(10);
    cluster.node("a", "p", "t-08");
    cluster.pod("x", "a", 1500).spec.node_selector = {{std::string(api::kZoneLabel), "a"}};
    cluster.node("b", "p", "t-04").last_pod_event = kNow - minutes(2);
    cluster.pod("y", "b", 100);
    Candidate& going = cluster.node("c", "p", "t-02");
    going.deleting = true;
    going.initialized_at = kNow - minutes(1);
    api::Pod& other = cluster.pod("z", deleting ? "c" : "", 1500);
    EXPECT_EQ(summary(cluster.propose()), "single_node_consolidation c-a -> t-02 t-04");
    other.spec.containers.front().requests = {{api::kCpu, 15500}};
    EXPECT_EQ(reason_of(cluster.propose(), "a"),
              "would need 2 new nodes, and at most 1 is allowed");
  }
}

// 4.4: none on an uninitialized node, but it may be where pods of deleting nodes go.
TEST(Simulation, UninitializedNodes) {
  SmallCluster cluster;
  cluster.pool("p");
  cluster.node("a", "p", "t-08");
  cluster.pod("x", "a", 7000);
  cluster.node("new", "p", "t-16").initialized = false;
  EXPECT_EQ(reason_of(cluster.propose(), "a"),
            "pod ns/x would need node new, which is not initialized yet");
  EXPECT_EQ(reason_of(cluster.propose(), "new"), "not initialized yet");

  cluster.node("old", "p", "t-16").deleting = true;
  cluster.pod("y", "old", 15000);
  cluster.node("roomy", "p", "t-16");
  cluster.pod("z", "roomy", 8500);
  EXPECT_EQ(summary(cluster.propose()), "single_node_consolidation c-a");
}

// 4.4: pending pods need not land, pods of deleting nodes must.
TEST(Simulation, WhatMustLand) {
  SmallCluster cluster;
  cluster.pool("p");
  cluster.node("a", "p", "t-08");
  cluster.pod("x", "a", 1500);
  cluster.pod("lost", "", 500).spec.node_selector = {{"disk", "ssd"}};
  EXPECT_EQ(summary(cluster.propose()), "single_node_consolidation c-a -> t-02 t-04");
  cluster.node("c", "p", "t-02").deleting = true;
  api::Pod& stuck = cluster.pod("stuck", "c", 500);
  stuck.spec.node_selector = {{"disk", "ssd"}};
  EXPECT_TRUE(reason_of(cluster.propose(), "a").starts_with("1 pods would not fit elsewhere: "));
  stuck.meta.annotations[std::string(api::kDoNotDisrupt)] = "true";
  EXPECT_EQ(summary(cluster.propose()), "single_node_consolidation c-a -> t-02 t-04")
      << "it stays where it is for now";
}

// 2.7: what the removed node uses of the pool's limits is free for its replacement.
TEST(Simulation, LimitsWithoutTheRemovedNode) {
  SmallCluster cluster;
  api::NodePool& pool = cluster.pool("p");
  pool.limits = {{api::kCpu, 8000}, {"nodes", 1000}};
  cluster.node("a", "p", "t-08");
  cluster.pod("x", "a", 1500);
  EXPECT_EQ(summary(cluster.propose()), "single_node_consolidation c-a -> t-02 t-04");
  pool.limits = {{api::kCpu, 2000}};
  EXPECT_EQ(summary(cluster.propose()), "single_node_consolidation c-a -> t-02");
}

// --- Joint policy, Balanced -------------------------------------------------------------------

TEST(MoveCost, SavingsMustExceedIt) {
  SmallCluster cluster;
  cluster.pool("p");
  cluster.node("a", "p", "t-08");  // saves 0.3 USD/h as a t-02
  cluster.pod("x", "a", 1500);
  cluster.node("idle", "p", "t-02").nominated = true;
  cluster.pod("y", "idle", 1900);
  struct Case {
    double cost;
    Duration payback;
    const char* reason;
  };
  const std::vector<Case> cases = {
      {0.29, hours(1), "(in a command)"},
      {0.31, hours(1), "moving its pods costs 0.310 USD and saves 0.300 USD in 1h"},
      {0.31, hours(2), "(in a command)"},
      {0.50, hours(1), "moving its pods costs 0.500 USD, and the node costs 0.400 USD in 1h"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(reason_of(cluster.propose(moving("a", c.cost, c.payback)), "a"), c.reason) << c.cost;
  }
}

TEST(MoveCost, EmptyNodesAreNotWeighed) {
  SmallCluster cluster;
  cluster.pool("p");
  cluster.node("a", "p", "t-02");
  EXPECT_EQ(summary(cluster.propose(moving("a", 99.0, hours(1)))), "emptiness c-a");
}

// One dear node does not keep the others from going together.
TEST(MoveCost, SparesTheDearMove) {
  SmallCluster cluster;
  cluster.pool("p");
  for (const char* name : {"a", "b", "c"}) {
    cluster.node(name, "p", "t-08");
    cluster.pod(name, name, 1000);
  }
  const Proposal proposal = cluster.propose(moving("a", 5.0, hours(1)));
  EXPECT_EQ(summary(proposal), "multi_node_consolidation c-b c-c");
  EXPECT_EQ(reason_of(proposal, "a"),
            "moving its pods costs 5.000 USD, and the node costs 0.400 USD in 1h");
}

// 4.4: share of the pool's cost against share of its disruption, at least 1 to 2.
TEST(Balanced, WeighsSavingsAgainstDisruption) {
  SmallCluster cluster;
  api::NodePool& pool = cluster.pool("p");
  cluster.node("a", "p", "t-04");
  for (const char* name : {"q", "r", "s", "t", "u", "v", "w"}) cluster.pod(name, "a", 250);
  // 0.1 of 1.0 USD/h saved for 8 of 10 of the disruption.
  cluster.node("b", "p", "t-16");
  cluster.pod("x", "b", 15900);
  EXPECT_EQ(summary(cluster.propose()), "single_node_consolidation c-a -> t-02");
  pool.consolidation_policy = api::ConsolidationPolicy::kBalanced;
  EXPECT_EQ(reason_of(cluster.propose(), "a"),
            "policy of pool p is Balanced: saves 10.0% of its cost for 80.0% of its disruption, "
            "less than 1 to 2");
  // 0.3 of 1.2 for 2 of 5.
  SmallCluster worth;
  worth.pool("p").consolidation_policy = api::ConsolidationPolicy::kBalanced;
  worth.node("a", "p", "t-08");
  worth.pod("x", "a", 1500);
  worth.node("b", "p", "t-16");
  worth.pod("y", "b", 7950);
  worth.pod("z", "b", 7950);
  EXPECT_EQ(summary(worth.propose()), "single_node_consolidation c-a -> t-02 t-04");
}

// --- Bounded passes ---------------------------------------------------------------------------

// Every pod may be on its own node alone, which only a simulation finds out.
TEST(BoundedPass, GoesOnWhereTheOneBeforeStopped) {
  SmallCluster cluster;
  cluster.pool("p");
  for (int i = 0; i < 6; ++i) {
    const std::string name = "n" + std::to_string(i);
    cluster.node(name, "p", "t-04");
    cluster.pod("pod-" + name, name, 100).spec.node_selector[std::string(api::kHostnameLabel)] =
        name;
  }
  Options options;
  options.most_simulations = 2;
  std::map<std::string, int> tried;
  for (int pass = 0; pass < 6; ++pass) {
    const Proposal proposal = cluster.propose(options);
    ASSERT_EQ(summary(proposal), "nothing");
    int at_once = 0;
    for (const Left& left : proposal.left) {
      if (left.reason == "its turn comes in a later pass") continue;
      ++tried[left.node];
      ++at_once;
    }
    EXPECT_EQ(at_once, 2) << "pass " << pass;
    EXPECT_FALSE(proposal.next_turn.empty());
    options.first_turn = proposal.next_turn;
  }
  ASSERT_EQ(tried.size(), 6u);
  for (const auto& [node, times] : tried) EXPECT_EQ(times, 2) << node;
  options.first_turn = "c-gone";  // from the beginning
  EXPECT_EQ(cluster.propose(options).next_turn, "c-n2");
  options.most_simulations = 6;
  EXPECT_EQ(cluster.propose(options).next_turn, "") << "all had their turn";
}

}  // namespace
}  // namespace windlass::disruption

// The methods Drift and StaticDrift (karpenter.md 4.1, 4.2, 4.7), through propose().
#include "disruption/drifted_nodes.h"

#include <gtest/gtest.h>

#include "disruption/small_cluster.h"

namespace windlass::disruption {
namespace {

Candidate& drifted(SmallCluster& cluster, const std::string& name, const std::string& type,
                   Duration ago) {
  Candidate& node = cluster.node(name, "p", type);
  node.drifted = "AMIDrift: old";
  node.drifted_since = kNow - ago;
  return node;
}

// One pool that consolidates nothing, so that drift alone is seen.
struct Quiet : SmallCluster {
  api::NodePool& p = pool("p");
  Quiet() { p.consolidate_after.reset(); }
};

TEST(Drift, AllEmptyOnesFirstAndTogether) {
  Quiet cluster;
  drifted(cluster, "a", "t-04", hours(3));
  cluster.pod("x", "a", 3500);
  drifted(cluster, "b", "t-04", hours(1));
  drifted(cluster, "c", "t-04", hours(2));
  const Proposal proposal = cluster.propose();
  EXPECT_EQ(summary(proposal), "drift c-b c-c");
  EXPECT_EQ(reason_of(proposal, "a"),
            "drifted (AMIDrift: old), but its turn has not come; consolidateAfter of pool p is "
            "Never");
}

TEST(Drift, TheOldestAloneWithAReplacementOfAnyPrice) {
  Quiet cluster;
  for (const auto& [name, ago] : {std::pair{"a", 1}, {"b", 2}}) {
    drifted(cluster, name, "t-02", hours(ago));
    cluster.pod(std::string("x-") + name, name, 1900);
  }
  const Proposal proposal = cluster.propose();
  ASSERT_EQ(summary(proposal), "drift c-b -> t-02 t-04 t-08 t-16");
  EXPECT_EQ(proposal.commands[0].why, "AMIDrift: old; 1 pods move, 1 new nodes");
}

TEST(Drift, AsManyReplacementsAsThePodsNeed) {
  Quiet cluster;
  drifted(cluster, "a", "t-16", hours(1));
  cluster.types.types.pop_back();  // nothing larger than t-08 is left
  cluster.pod("x", "a", 7000);
  cluster.pod("y", "a", 7000);
  EXPECT_EQ(cluster.propose().commands.at(0).replacements.size(), 2u);
}

// 4.6: budgets by the word Drifted; 4.2: what holds a drifted node back.
TEST(Drift, WhatHoldsItBack) {
  struct Case {
    const char* what;
    void (*change)(Quiet&, Candidate&, api::Pod&);
    const char* reason;  // of the node; "(in a command)" if it goes
  };
  const std::vector<Case> cases{
      {"nothing", [](Quiet&, Candidate&, api::Pod&) {}, "(in a command)"},
      {"budget",
       [](Quiet& c, Candidate&, api::Pod&) {
         c.p.budgets = {{{0, false}, {"Drifted"}, "", {}}};
       },
       "drifted (AMIDrift: old), but budget of pool p allows 0 of 1 nodes for Drifted; "
       "consolidateAfter of pool p is Never"},
      {"budget for others",
       [](Quiet& c, Candidate&, api::Pod&) {
         c.p.budgets = {{{0, false}, {"Empty", "Underutilized"}, "", {}}};
       },
       "(in a command)"},
      {"pod do-not-disrupt",
       [](Quiet&, Candidate&, api::Pod& pod) {
         pod.meta.annotations[std::string(api::kDoNotDisrupt)] = "true";
       },
       "drifted (AMIDrift: old), but blocked by pod ns/x's karpenter.sh/do-not-disrupt"},
      {"the same with a termination grace period",
       [](Quiet&, Candidate& node, api::Pod& pod) {
         pod.meta.annotations[std::string(api::kDoNotDisrupt)] = "true";
         node.termination_grace = hours(1);
       },
       "(in a command)"},
      {"PDB with a termination grace period",
       [](Quiet& c, Candidate& node, api::Pod&) {
         c.budget("b").max_unavailable = {{0, false}};
         node.termination_grace = hours(1);
       },
       "(in a command)"},
      {"node do-not-disrupt, grace period or not",
       [](Quiet&, Candidate& node, api::Pod&) {
         node.do_not_disrupt = true;
         node.termination_grace = hours(1);
       },
       "drifted (AMIDrift: old), but the node has karpenter.sh/do-not-disrupt"},
      {"no place",
       [](Quiet& c, Candidate&, api::Pod&) {
         c.p.limits = {{api::kCpu, 0}};
       },
       nullptr},
  };
  for (const Case& c : cases) {
    Quiet cluster;
    Candidate& node = drifted(cluster, "a", "t-04", hours(1));
    api::Pod& pod = cluster.pod("x", "a", 1000);
    c.change(cluster, node, pod);
    const std::string reason = reason_of(cluster.propose(), "a");
    if (c.reason == nullptr) {
      EXPECT_TRUE(reason.starts_with("drifted (AMIDrift: old), but 1 pods would not fit"))
          << reason;
    } else {
      EXPECT_EQ(reason, c.reason) << c.what;
    }
  }
}

// Emptiness comes before drift, drift before consolidation (4.1).
TEST(Drift, ComesAfterEmptinessAndBeforeConsolidation) {
  SmallCluster cluster;
  cluster.pool("p");
  drifted(cluster, "a", "t-08", hours(1));
  cluster.pod("x", "a", 1000);
  cluster.node("b", "p", "t-08");
  cluster.pod("y", "b", 1000);
  EXPECT_EQ(summary(cluster.propose()), "drift c-a");
  cluster.node("c", "p", "t-02");
  EXPECT_EQ(summary(cluster.propose()), "emptiness c-c");
}

TEST(StaticDrift, OneForOneWithinTheNodeLimit) {
  Quiet cluster;
  cluster.p.replicas = 2;
  drifted(cluster, "a", "t-04", hours(1));
  drifted(cluster, "b", "t-04", hours(2));
  cluster.pod("x", "b", 1000);
  EXPECT_EQ(summary(cluster.propose()), "static_drift c-b -> t-02 t-04 t-08 t-16");
  cluster.p.limits = {{"nodes", 2000}};
  const Proposal held = cluster.propose();
  EXPECT_EQ(summary(held), "nothing");
  EXPECT_EQ(reason_of(held, "a"),
            "drifted (AMIDrift: old), but pool p is at its limit of 2 nodes; pool p is static (2 "
            "replicas)");
}

}  // namespace
}  // namespace windlass::disruption

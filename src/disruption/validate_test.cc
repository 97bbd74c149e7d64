// Validation (karpenter.md 4.5): what may change in 15 s, and what becomes of the command.
#include "disruption/validate.h"

#include <gtest/gtest.h>

#include "disruption/small_cluster.h"

namespace windlass::disruption {
namespace {

// A t-16 with one small pod: replaced by a t-02, t-04 or t-08.
struct World : SmallCluster {
  api::NodePool& p = pool("p");
  Candidate& n = node("n", "p", "t-16");
  api::Pod& x = pod("x", "n", 1000);
};

Validation second_look(World& world, void (*change)(World&), const Options& options = {}) {
  Waiting waiting = hold(world.propose(options).commands.at(0));
  change(world);
  return validate(world.build(), waiting, kNow + seconds(15), options);
}

TEST(Validate, WhatMayChangeMeanwhile) {
  struct Case {
    const char* what;
    void (*change)(World&);
    const char* failure;
  };
  const std::vector<Case> cases{
      {"nothing", [](World&) {}, ""},
      {"another pod", [](World& w) { w.pod("y", "n", 500); }, ""},
      {"pods that need a larger type", [](World& w) { w.pod("y", "n", 5000); },
       "a chosen type does not do any more"},
      {"nominated", [](World& w) { w.n.nominated = true; },
       "node n: nominated: a pending pod was promised to it"},
      {"an event on it",
       [](World& w) {
         w.p.consolidate_after = minutes(1);
         w.n.last_pod_event = kNow;
       },
       "node n: not consolidatable for another 45s of consolidateAfter 1m"},
      {"PDB",
       [](World& w) {
         w.budget("b").max_unavailable = {{0, false}};
       },
       "node n: PDB ns/b allows 0 disruptions, and pod ns/x is behind it"},
      {"budget",
       [](World& w) {
         w.p.budgets = {{{0, false}, {}, "", {}}};
       },
       "budget of pool p allows 0 of 1 nodes for Underutilized"},
      {"its pods went", [](World& w) { w.x.phase = api::PodPhase::kSucceeded; },
       "node n: is empty now"},
      {"room elsewhere", [](World& w) { w.node("m", "p", "t-02").nominated = true; },
       "0 new nodes are needed now, not 1"},
      {"gone", [](World& w) { w.n.claim = "other"; }, "node of c-n is gone"},
      {"types out of capacity",
       [](World& w) {
         for (auto& offering : w.types.types[0].offerings) offering.available = false;
       },
       "a chosen type does not do any more"},
  };
  for (const Case& c : cases) {
    World world;
    const Validation second = second_look(world, c.change);
    EXPECT_EQ(second.failure, c.failure) << c.what;
    EXPECT_EQ(second.command.has_value(), std::string(c.failure).empty()) << c.what;
  }
}

// The first choice stands, in today's catalogue: types that came up since are not added.
TEST(Validate, KeepsTheFirstChoice) {
  World world;
  world.pod("big", "n", 3000);
  const Validation second =
      second_look(world, [](World& w) { w.pod("late", "n", 100).meta.deleted = kNow; });
  ASSERT_TRUE(second.command);
  std::vector<std::string> names;
  for (const auto* type : second.command->replacements.at(0).types) names.push_back(type->name);
  EXPECT_EQ(names, (std::vector<std::string>{"t-04", "t-08"}));
}

TEST(Validate, EmptyNodes) {
  World world;
  world.x.phase = api::PodPhase::kSucceeded;
  EXPECT_TRUE(second_look(world, [](World&) {}).command);
  EXPECT_EQ(second_look(world, [](World& w) { w.pod("new", "n", 10); }).failure,
            "node n: is not empty any more");
}

TEST(Validate, DriftedNodes) {
  World world;
  world.p.consolidate_after.reset();
  world.n.drifted = "AMIDrift: old";
  EXPECT_TRUE(second_look(world, [](World&) {}).command);
  EXPECT_EQ(second_look(world, [](World& w) { w.n.drifted.clear(); }).failure,
            "node n: has not drifted any more");
}

}  // namespace
}  // namespace windlass::disruption

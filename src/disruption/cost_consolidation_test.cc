// Objective::kCost, where stock finds nothing or less; and spot to spot (karpenter.md 4.4).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "disruption/candidates.h"
#include "disruption/price_filter.h"
#include "disruption/small_cluster.h"

namespace windlass::disruption {
namespace {

Options at_least_cost() {
  Options options;
  options.objective = Objective::kCost;
  return options;
}

// Two pods that cannot share a node: stock may make one new node only.
struct TwoZones : SmallCluster {
  TwoZones() {
    pool("p");
    node("n", "p", "t-16");
    for (const char* zone : {"a", "b"}) {
      api::Pod& made = pod(std::string("x-") + zone, "n", 1500);
      made.spec.node_selector[std::string(api::kZoneLabel)] = zone;
    }
  }
};

TEST(CostConsolidation, OneNodeForSeveralCheaperOnes) {
  TwoZones cluster;
  EXPECT_EQ(reason_of(cluster.propose(), "n"), "would need 2 new nodes, and at most 1 is allowed");
  const Proposal proposal = cluster.propose(at_least_cost());
  ASSERT_EQ(proposal.commands.size(), 1u);
  const Command& command = proposal.commands[0];
  ASSERT_EQ(command.replacements.size(), 2u);
  EXPECT_DOUBLE_EQ(command.usd_per_hour_before, 0.8);
  EXPECT_DOUBLE_EQ(command.usd_per_hour_after, 0.2);
  for (const scheduling::NewClaim& claim : command.replacements) {
    EXPECT_EQ(claim.types.front()->name, "t-02");
    // 0.8 - 0.2 is shared by two: up to 0.1 + 0.3, and t-08 is at 0.4 exactly.
    EXPECT_EQ(claim.types.back()->name, "t-04");
  }
}

TEST(CostConsolidation, MovesMustPayForThemselves) {
  TwoZones cluster;
  Options options = at_least_cost();
  options.move_cost_usd["n"] = 0.7;  // the node costs 0.8 in an hour, the two that replace it 0.2
  EXPECT_EQ(reason_of(cluster.propose(options), "n"),
            "moving its pods costs 0.700 USD and saves 0.600 USD in 1h");
  options.payback = hours(2);
  const Proposal proposal = cluster.propose(options);
  ASSERT_EQ(proposal.commands.size(), 1u);
  EXPECT_DOUBLE_EQ(proposal.commands[0].move_cost_usd, 0.7);
}

// A pool of one spot node and twenty spot types, `cheaper` of them cheaper than the node's.
std::string spot_to_spot(int cheaper, bool allowed, size_t* types = nullptr) {
  SmallCluster cluster;
  cluster.types.types.clear();
  for (int i = 1; i <= 20; ++i) {
    cluster.types.types.push_back(small_type(fmt::format("t-{:02}", i), i));
  }
  SmallCluster::allow_spot(cluster.pool("p"));
  cluster.node("n", "p", fmt::format("t-{:02}", cheaper + 1), "spot");
  cluster.pod("x", "n", 500);
  Options options;
  options.spot_to_spot = allowed;
  const Proposal proposal = cluster.propose(options);
  if (types != nullptr && !proposal.commands.empty()) {
    *types = proposal.commands[0].replacements.at(0).types.size();
  }
  return reason_of(proposal, "n");
}

TEST(SpotToSpot, NeedsFifteenCheaperTypesAndIsCutToThem) {
  EXPECT_EQ(spot_to_spot(16, false), kNoSpotToSpot);
  EXPECT_EQ(spot_to_spot(14, true), "spot to spot needs 15 cheaper types, and there are 14");
  size_t types = 0;
  EXPECT_EQ(spot_to_spot(15, true, &types), "(in a command)");
  EXPECT_EQ(types, 15u);
  EXPECT_EQ(spot_to_spot(18, true, &types), "(in a command)");
  EXPECT_EQ(types, 15u);
}

// Or as many more as minValues needs.
TEST(SpotToSpot, MinValuesKeepMore) {
  catalog::Catalog types;
  scheduling::NewClaim claim;
  for (int i = 1; i <= 20; ++i) types.types.push_back(small_type(fmt::format("t-{:02}", i), i));
  for (const catalog::InstanceType& type : types.types) claim.types.push_back(&type);
  claim.requirements.add(api::kInstanceTypeLabel, api::Requirement(api::Operator::kExists, {}, 17));
  EXPECT_TRUE(cut_for_spot_to_spot(claim));
  EXPECT_EQ(claim.types.size(), 17u);
}

// Multi-node has no such minimum.
TEST(SpotToSpot, SeveralNodesNeedNoMinimum) {
  SmallCluster cluster;
  SmallCluster::allow_spot(cluster.pool("p"));
  for (const char* name : {"a", "b"}) {
    cluster.node(name, "p", "t-08", "spot");
    cluster.pod(std::string("x-") + name, name, 1500);
  }
  Options options;
  options.spot_to_spot = true;
  EXPECT_EQ(summary(cluster.propose(options)), "multi_node_consolidation c-a c-b -> t-04");
}

}  // namespace
}  // namespace windlass::disruption

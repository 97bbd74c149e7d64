// Static pools and what the schedulers see of volumes, limits and overlays: reference karpenter.md
// 1.5, 2.1, 2.10.
#include "controllers/static_pools.h"

#include <gtest/gtest.h>

#include "controllers/small_state.h"

namespace windlass::controllers {
namespace {

constexpr Instant kStart{1'772'409'600'000'000'000};

api::NodePool fixed(int32_t replicas) {
  api::NodePool made = pool("fixed");
  made.replicas = replicas;
  return made;
}

TEST(StaticPools, MakesAndRemovesClaimsToItsReplicas) {
  cluster::State state(one_type());
  StaticPoolsController controller;
  state.put(fixed(2));
  Outcome out = controller.reconcile("fixed", state, kStart);
  ASSERT_EQ(all_of<PutObject>(out).size(), 2U);
  EXPECT_EQ(out.requeue_at, kStart + minutes(1));
  for (const PutObject& put : all_of<PutObject>(out)) state.put(put.object);
  EXPECT_EQ(state.node_claims().begin()->second.pool(), "fixed");
  EXPECT_TRUE(controller.reconcile("fixed", state, kStart).actions.empty());

  state.put(fixed(1));
  out = controller.reconcile("fixed", state, kStart);
  ASSERT_EQ(all_of<DeleteObject>(out).size(), 1U);
  EXPECT_EQ(all_of<DeleteObject>(out)[0].key, state.node_claims().begin()->first);
}

TEST(StaticPools, LimitsHoldItBackAndItLooksAgainSooner) {
  cluster::State state(one_type());
  StaticPoolsController controller;
  api::NodePool held = fixed(5);
  held.limits.set("nodes", 3000);
  state.put(held);
  const Outcome out = controller.reconcile("fixed", state, kStart);
  EXPECT_EQ(all_of<PutObject>(out).size(), 3U);
  EXPECT_EQ(out.requeue_at, kStart + seconds(30));
}

TEST(StaticPools, OthersAreLeftAlone) {
  cluster::State state(one_type());
  StaticPoolsController controller;
  state.put(pool("gpu"));
  EXPECT_TRUE(controller.reconcile("gpu", state, kStart).actions.empty());
  EXPECT_TRUE(controller.reconcile("gone", state, kStart).actions.empty());
}

TEST(ClusterView, HandsOnStorageNamespacesAndAttachLimits) {
  cluster::State state(one_type());
  api::Node node;
  node.meta.name = "n";
  state.put(node);
  api::CsiNode drivers;
  drivers.meta.name = "n";
  drivers.attach_limits = {{"ebs.csi.aws.com", 3}};
  state.put(drivers);
  api::PersistentVolumeClaim claim;
  claim.meta.name = "c";
  state.put(claim);
  OfferingView offerings;
  const scheduling::Problem problem = cluster_problem(state, offerings, kStart);
  ASSERT_EQ(problem.nodes.size(), 1U);
  EXPECT_EQ(problem.nodes[0].attach_limits.at("ebs.csi.aws.com"), 3);
  EXPECT_EQ(problem.surroundings.claims.size(), 1U);
}

TEST(ClusterView, OverlaysChangeWhatPoolsSee) {
  cluster::State state(one_type());
  OfferingView offerings;
  const api::NodePool gpu = pool("gpu");
  EXPECT_EQ(offerings.types(state, gpu, kStart).types.at(0).offerings.at(0).usd_per_hour, 1.0);
  api::NodeOverlay overlay;
  overlay.meta.name = "contract";
  overlay.price_usd_per_hour = 0.25;
  state.put(overlay);
  EXPECT_EQ(offerings.types(state, gpu, kStart).types.at(0).offerings.at(0).usd_per_hour, 0.25);
}

}  // namespace
}  // namespace windlass::controllers

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "scheduling/solve.h"
#include "scheduling/test_world.h"

namespace windlass::scheduling {
namespace {

using namespace test;

const api::RequirementSpec* find(const api::NodeClaim& claim, std::string_view key) {
  const auto at = std::ranges::find(claim.requirements, key, &api::RequirementSpec::key);
  return at == claim.requirements.end() ? nullptr : &*at;
}

TEST(ToNodeClaim, CarriesThePoolsTemplateAndWhatWasAsked) {
  World world;
  api::NodePool& pool = world.add(node_pool("gpu"));
  pool.meta.uid = "pool-uid";
  pool.meta.annotations = {{"karpenter.sh/nodepool-hash", "42"}, {"note", "stays here"}};
  pool.labels = {{"team", "search"}};
  pool.annotations = {{"owner", "ml"}};
  pool.taints = {{"nvidia.com/gpu", "true", "NoSchedule"}};
  pool.startup_taints = {{"agent", "", "NoExecute"}};
  pool.termination_grace = minutes(5);
  pool.expire_after = std::nullopt;
  world.add(pod("p", resources(1, 1, 1))).spec.tolerations = {tolerate("nvidia.com/gpu")};
  const Plan plan = solve(world.problem);
  ASSERT_EQ(plan.claims.size(), 1U) << text(plan);
  const api::NodeClaim claim = to_node_claim(plan.claims[0], pool);

  EXPECT_EQ(claim.meta.name, "");
  EXPECT_EQ(claim.meta.labels, (api::StringMap{{"team", "search"},
                                               {"karpenter.sh/nodepool", "gpu"},
                                               {"karpenter.k8s.aws/ec2nodeclass", "default"}}));
  EXPECT_EQ(claim.meta.annotations,
            (api::StringMap{{"owner", "ml"}, {"karpenter.sh/nodepool-hash", "42"}}));
  EXPECT_EQ(claim.meta.owners, (std::vector<api::OwnerReference>{
                                   {"karpenter.sh/v1", "NodePool", "gpu", "pool-uid", false}}));
  EXPECT_EQ(claim.meta.finalizers, std::vector<std::string>{"karpenter.sh/termination"});
  EXPECT_EQ(claim.taints, pool.taints);
  EXPECT_EQ(claim.startup_taints, pool.startup_taints);
  EXPECT_EQ(claim.node_class, pool.node_class);
  EXPECT_EQ(claim.termination_grace, pool.termination_grace);
  EXPECT_EQ(claim.expire_after, std::nullopt);
  EXPECT_EQ(claim.requests, plan.claims[0].requests);
  ASSERT_NE(find(claim, api::kInstanceTypeLabel), nullptr);
  EXPECT_EQ(find(claim, api::kInstanceTypeLabel)->values,
            (std::vector<std::string>{"gpu-1", "gpu-4", "gpu-8"}));
  ASSERT_NE(find(claim, "team"), nullptr);
  EXPECT_EQ(find(claim, api::kHostnameLabel), nullptr);
}

TEST(ToNodeClaim, NamesTheSixHundredCheapestTypesAndKeepsMinValues) {
  World world;
  world.catalog().types.clear();
  for (int i = 0; i < 700; ++i) {
    // The later the name, the cheaper.
    world.catalog().types.push_back(
        instance_type("t-" + std::to_string(1000 + i), 4, 0, everywhere(1000.0 - i)));
  }
  api::NodePool& pool = world.add(node_pool("general"));
  pool.requirements = {{std::string(api::kInstanceTypeLabel), api::Operator::kExists, {}, 3}};
  world.add(pod("p", resources(1, 1)));
  const Plan plan = solve(world.problem);
  ASSERT_EQ(plan.claims.size(), 1U);
  EXPECT_EQ(plan.claims[0].types.size(), 700U);
  const api::NodeClaim claim = to_node_claim(plan.claims[0], pool);
  const api::RequirementSpec* types = find(claim, api::kInstanceTypeLabel);
  ASSERT_NE(types, nullptr);
  EXPECT_EQ(types->values.size(), 600U);
  EXPECT_EQ(types->values.front(), "t-1100");
  EXPECT_EQ(types->min_values, 3);
}

}  // namespace
}  // namespace windlass::scheduling

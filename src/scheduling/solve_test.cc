#include "scheduling/solve.h"

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "scheduling/test_world.h"

namespace windlass::scheduling {
namespace {

using namespace test;
using Names = std::vector<std::string>;

TEST(Solve, AnEmptyProblemHasAnEmptyPlan) { EXPECT_EQ(text(solve({})), ""); }

TEST(Solve, OpensOneClaimWithEveryTypeThatFits) {
  World world;
  world.add(node_pool("general"));
  world.add(pod("p", resources(3, 4)));
  const Plan plan = solve(world.problem);
  ASSERT_EQ(plan.claims.size(), 1U) << text(plan);
  const NewClaim& claim = plan.claims[0];
  EXPECT_EQ(claim.pool, "general");
  EXPECT_EQ(claim.pods, Names{"default/p"});
  EXPECT_EQ(names(claim), (Names{"cpu-8", "gpu-1", "gpu-4", "gpu-8"}));  // cheapest first
  EXPECT_DOUBLE_EQ(claim.usd_per_hour, 0.16);                            // spot
  EXPECT_EQ(claim.requests, resources(3, 4) + (api::ResourceList{{"pods", 1000}}));
  EXPECT_FALSE(claim.requirements.has(api::kHostnameLabel));
  EXPECT_FALSE(claim.requirements.has(api::kRegisteredLabel));
  EXPECT_EQ(claim.requirements.get(api::kNodePoolLabel).to_string(), "In [general]");
  EXPECT_EQ(claim.requirements.get("karpenter.k8s.aws/ec2nodeclass").to_string(), "In [default]");
}

TEST(Solve, LargerPodsGoFirstAndTypesShrinkAsPodsJoin) {
  World world;
  world.add(node_pool("general"));
  world.add(pod("small", resources(1, 1)));
  world.add(pod("large", resources(6, 2)));
  const Plan plan = solve(world.problem);
  ASSERT_EQ(plan.claims.size(), 1U) << text(plan);
  EXPECT_EQ(plan.claims[0].pods, (Names{"default/large", "default/small"}));
  EXPECT_EQ(names(plan.claims[0]), (Names{"cpu-8", "gpu-1", "gpu-4", "gpu-8"}));
}

TEST(Solve, QueueIsByCpuThenMemoryThenAgeThenUid) {
  World world;
  world.add(node("n", resources(100, 100)));
  world.add(pod("young", resources(1, 1))).meta.created = Instant{2};
  world.add(pod("b", resources(1, 1))).meta.created = Instant{1};
  world.add(pod("a", resources(1, 1))).meta.created = Instant{1};
  world.add(pod("memory", resources(1, 2)));
  world.add(pod("cpu", resources(2, 1)));
  Names order;
  for (const Placement& placement : solve(world.problem).placements) order.push_back(placement.pod);
  EXPECT_EQ(order,
            (Names{"default/cpu", "default/memory", "default/a", "default/b", "default/young"}));
}

TEST(Solve, ExistingNodesComeBeforeNewClaimsInitializedFirst) {
  World world;
  world.add(node_pool("general"));
  world.add(node("a-starting", resources(4, 4))).initialized = false;
  world.add(node("z-ready", resources(1, 1)));
  world.add(pod("p1", resources(1, 1)));
  world.add(pod("p2", resources(1, 1)));
  const Plan plan = solve(world.problem);
  EXPECT_EQ(text(plan), "default/p1 on z-ready\ndefault/p2 on a-starting\n");
}

TEST(Solve, OpenClaimsAreTriedFewestPodsFirst) {
  World world;
  world.catalog().types = {instance_type("cpu-8", 8, 0, everywhere(0.4))};
  world.add(node_pool("general"));
  for (const char* name : {"l1", "l2"}) world.add(pod(name, resources(5, 1)));
  // The first goes to the first claim (a tie), the next to the second, which has fewer pods then.
  for (const char* name : {"s1", "s2"}) world.add(pod(name, resources(1, 1)));
  const Plan plan = solve(world.problem);
  ASSERT_EQ(plan.claims.size(), 2U) << text(plan);
  EXPECT_EQ(plan.claims[0].pods, (Names{"default/l1", "default/s1"}));
  EXPECT_EQ(plan.claims[1].pods, (Names{"default/l2", "default/s2"}));
}

TEST(Solve, PoolsByWeightThenByNameDescending) {
  const auto chosen = [](std::vector<std::pair<std::string, int>> pools) {
    World world;
    for (auto& [name, weight] : pools) world.add(node_pool(name)).weight = weight;
    world.add(pod("p", resources(1, 1)));
    return solve(world.problem).claims.at(0).pool;
  };
  EXPECT_EQ(chosen({{"a", 0}, {"b", 0}}), "b");
  EXPECT_EQ(chosen({{"b", 0}, {"a", 0}}), "b");
  EXPECT_EQ(chosen({{"a", 10}, {"b", 0}}), "a");
}

TEST(Solve, StaticDeletedAndUnreadyPoolsTakeNoClaims) {
  World world;
  world.add(node_pool("fixed")).replicas = 3;
  world.add(node_pool("gone")).meta.deleted = Instant{1};
  world.add(node_pool("broken")).conditions = {{"Ready", "False", "NoSubnets", "no subnet", {}}};
  world.add(pod("p", resources(1, 1)));
  EXPECT_EQ(text(solve(world.problem)),
            "default/p nowhere\n  pool gone: is being deleted\n"
            "  pool fixed: static (3 replicas)\n  pool broken: not ready: no subnet\n");
}

TEST(Solve, ExistingNodesAreStrictOnUndefinedLabelsNewClaimsAreNot) {
  World world;
  world.add(node_pool("general"));
  world.add(node("n", resources(4, 4)));
  world.add(pod("p", resources(1, 1))).spec.node_selector = {{std::string(api::kZoneLabel), "b"}};
  const Plan plan = solve(world.problem);
  ASSERT_EQ(plan.claims.size(), 1U) << text(plan);
  EXPECT_EQ(plan.claims[0].requirements.get(api::kZoneLabel).to_string(), "In [b]");
}

TEST(Solve, ANodeWithoutAHostnameLabelIsFoundByItsName) {
  World world;
  world.add(node("n1", resources(4, 4))).labels.own().clear();
  world.add(node("n2", resources(4, 4))).labels.own().clear();
  world.add(pod("p", resources(1, 1))).spec.node_selector = {
      {std::string(api::kHostnameLabel), "n2"}};
  EXPECT_EQ(text(solve(world.problem)), "default/p on n2\n");
}

TEST(Solve, OfferingsMustBeAvailableTogetherInZoneAndCapacityType) {
  World world;
  world.catalog().types = {instance_type(
      "cpu-8", 8, 0,
      {{"a", "spot", 0.1, true}, {"b", "on-demand", 0.4, true}, {"b", "spot", 0.1, false}})};
  api::NodePool& pool = world.add(node_pool("general"));
  pool.requirements = {{std::string(api::kCapacityTypeLabel), api::Operator::kIn, {"spot"}, {}}};
  api::Pod& asking = world.add(pod("p", resources(1, 1)));
  asking.spec.node_selector = {{std::string(api::kZoneLabel), "b"}};
  Plan plan = solve(world.problem);
  ASSERT_EQ(plan.unschedulable.size(), 1U) << text(plan);
  EXPECT_EQ(plan.unschedulable[0].reasons[0],
            "pool general: no available offering of cpu-8, topology.kubernetes.io/zone In [b], "
            "karpenter.sh/capacity-type In [spot]");
  asking.spec.node_selector = {{std::string(api::kZoneLabel), "a"}};
  plan = solve(world.problem);
  ASSERT_EQ(plan.claims.size(), 1U) << text(plan);
  EXPECT_DOUBLE_EQ(plan.claims[0].usd_per_hour, 0.1);
}

TEST(Solve, TwoPodsMayNarrowAClaimToWhatBothAccept) {
  World world;
  world.add(node_pool("general"));
  const auto zones = [](Names values) {
    return api::NodeSelectorTerm{{{std::string(api::kZoneLabel), api::Operator::kIn, values, {}}}};
  };
  world.add(pod("p1", resources(2, 1))).spec.required_node_terms = {zones({"a", "b"})};
  world.add(pod("p2", resources(1, 1))).spec.required_node_terms = {zones({"b", "c"})};
  world.add(pod("p3", resources(0, 1))).spec.required_node_terms = {zones({"a"})};
  const Plan plan = solve(world.problem);
  ASSERT_EQ(plan.claims.size(), 2U) << text(plan);
  EXPECT_EQ(plan.claims[0].pods, (Names{"default/p1", "default/p2"}));
  EXPECT_EQ(plan.claims[0].requirements.get(api::kZoneLabel).to_string(), "In [b]");
  EXPECT_EQ(plan.claims[1].pods, (Names{"default/p3"}));
}

TEST(Solve, TheJointPolicyNarrowsNewClaimsOnly) {
  World world;
  world.add(node_pool("gpu"));
  world.add(node("n", resources(8, 8, 1)));
  world.add(pod("on-node", resources(2, 1, 1)));
  world.add(pod("on-claim", resources(1, 1, 1)));
  for (const char* key : {"default/on-node", "default/on-claim"}) {
    world.problem.claim_requirements[key].add(api::kInstanceTypeLabel,
                                              {api::Operator::kIn, {"gpu-4"}});
  }
  const Plan plan = solve(world.problem);
  ASSERT_EQ(plan.claims.size(), 1U) << text(plan);
  EXPECT_EQ(plan.placements.at(0).pod, "default/on-node");
  EXPECT_EQ(names(plan.claims[0]), Names{"gpu-4"});
}

TEST(Solve, AJointPolicyThatContradictsThePodOpensNoClaim) {
  World world;
  world.add(node_pool("gpu"));
  world.add(pod("p", resources(1, 1))).spec.required_node_terms = {
      {{{kGpuCount, api::Operator::kExists, {}, {}}}}};
  world.problem.claim_requirements["default/p"].add(kGpuCount, {api::Operator::kDoesNotExist, {}});
  // DoesNotExist alone would not contradict, but take CPU types for a pod that wants GPUs.
  const Plan plan = solve(world.problem);
  EXPECT_TRUE(plan.claims.empty()) << text(plan);
}

TEST(Solve, CustomLabelsAreThosePoolsDefine) {
  World world;
  world.add(node_pool("plain"));
  api::NodePool& teams = world.add(node_pool("a-teams"));
  teams.requirements = {{"team", api::Operator::kExists, {}, {}}};
  world.add(pod("p", resources(1, 1))).spec.node_selector = {{"team", "search"}};
  const Plan plan = solve(world.problem);
  ASSERT_EQ(plan.claims.size(), 1U) << text(plan);
  EXPECT_EQ(plan.claims[0].pool, "a-teams");
  EXPECT_EQ(plan.claims[0].requirements.get("team").to_string(), "In [search]");
}

TEST(Solve, StartupTaintsDoNotKeepPodsAway) {
  World world;
  api::NodePool& pool = world.add(node_pool("general"));
  pool.startup_taints = {{"agent-not-ready", "", "NoExecute"}};
  world.add(pod("p", resources(1, 1)));
  EXPECT_EQ(solve(world.problem).claims.size(), 1U);
}

// ---- Daemons.

TEST(SolveDaemons, TakeRoomOnTypesTheyRunOn) {
  World world;
  world.add(node_pool("general"));
  world.add_daemon("agent", resources(1, 1));
  // Runs on GPU types only, so it does not count for the others.
  world.add_daemon("gpu-agent", resources(5, 1)).node_selector = {{kGpuCount, "1"}};
  world.add_daemon("elsewhere", resources(50, 1)).node_selector = {{"team", "none"}};
  world.add(pod("p", resources(7, 1)));
  const Plan plan = solve(world.problem);
  ASSERT_EQ(plan.claims.size(), 1U) << text(plan);
  EXPECT_EQ(names(plan.claims[0]), (Names{"cpu-8", "gpu-4", "gpu-8"}));
  EXPECT_EQ(plan.claims[0].requests.milli("cpu"), 8000);  // the least over the types
}

TEST(SolveDaemons, ThatAreStillToComeKeepTheirRoomOnANode) {
  World world;
  ExistingNode& there = world.add(node("n", resources(4, 8)));
  world.add_daemon("agent", resources(2, 1));
  world.add(pod("p", resources(3, 1)));
  EXPECT_EQ(solve(world.problem).placements.size(), 0U);
  there.daemons_running = resources(2, 1);
  EXPECT_EQ(solve(world.problem).placements.size(), 1U);
  // More running than expected gives nothing back.
  there.daemons_running = resources(50, 1);
  world.add(pod("q", resources(2, 1)));
  EXPECT_EQ(solve(world.problem).placements.size(), 1U);
}

TEST(SolveDaemons, StayOffTaintedPools) {
  World world;
  world.add(node_pool("gpu")).taints = {{"gpu", "", "NoSchedule"},
                                        {"soft", "", "PreferNoSchedule"}};
  api::PodSpec& daemon = world.add_daemon("agent", resources(2, 1));
  world.add(pod("p", resources(7, 1))).spec.tolerations = {tolerate("gpu"), tolerate("soft")};
  EXPECT_EQ(names(solve(world.problem).claims.at(0)).front(), "cpu-8");
  daemon.tolerations = {tolerate("gpu")};
  EXPECT_EQ(names(solve(world.problem).claims.at(0)).front(), "gpu-4");
}

// ---- Limits and minValues.

TEST(SolveLimits, TheLargestPossibleTypeIsCharged) {
  World world;
  api::NodePool& pool = world.add(node_pool("gpu"));
  pool.requirements = {{kGpuCount, api::Operator::kIn, {"1", "4"}, {}}};
  pool.limits = {{"nvidia.com/gpu", 6000}};
  for (const char* name : {"p1", "p2", "p3"}) world.add(pod(name, resources(1, 1, 1)));
  const Plan plan = solve(world.problem);
  // The first claim may become a gpu-4 and takes 4 of 6; all three fit it.
  ASSERT_EQ(plan.claims.size(), 1U) << text(plan);
  EXPECT_EQ(names(plan.claims[0]), Names{"gpu-4"});
}

TEST(SolveLimits, RuleOutTypesAndThenThePool) {
  World world;
  api::NodePool& pool = world.add(node_pool("gpu"));
  pool.limits = {{"nvidia.com/gpu", 32000}};
  world.problem.pools[0].used = {{"nvidia.com/gpu", 29000}};
  world.add(pod("p", resources(1, 1, 1)));
  Plan plan = solve(world.problem);
  ASSERT_EQ(plan.claims.size(), 1U) << text(plan);
  EXPECT_EQ(names(plan.claims[0]), Names{"gpu-1"});
  world.problem.pools[0].used = {{"nvidia.com/gpu", 32000}};
  plan = solve(world.problem);
  ASSERT_EQ(plan.unschedulable.size(), 1U) << text(plan);
  EXPECT_EQ(plan.unschedulable[0].reasons[0],
            "pool gpu: limits nvidia.com/gpu 32 would be exceeded (used 32)");
}

TEST(SolveLimits, CountNodes) {
  World world;
  world.add(node_pool("general")).limits = {{"nodes", 2000}};
  world.problem.pools[0].used = {{"nodes", 1000}};
  for (const char* name : {"p1", "p2"}) world.add(pod(name, resources(90, 1)));
  const Plan plan = solve(world.problem);
  EXPECT_EQ(plan.claims.size(), 1U) << text(plan);
  ASSERT_EQ(plan.unschedulable.size(), 1U);
  EXPECT_EQ(plan.unschedulable[0].reasons[0],
            "pool general: limits nodes 2 would be exceeded (used 2)");
}

TEST(SolveMinValues, AreKeptWhilePodsJoin) {
  World world;
  world.add(node_pool("general")).requirements = {
      {std::string(api::kInstanceTypeLabel), api::Operator::kExists, {}, 4}};
  for (const char* name : {"p1", "p2"}) world.add(pod(name, resources(5, 1)));
  Plan plan = solve(world.problem);
  // Both on one claim would leave gpu-4 and gpu-8 only.
  ASSERT_EQ(plan.claims.size(), 2U) << text(plan);
  EXPECT_EQ(plan.claims[0].requirements.get(api::kInstanceTypeLabel).min_values(), 4);
  world.add(pod("p3", resources(20, 1)));
  plan = solve(world.problem);
  ASSERT_EQ(plan.unschedulable.size(), 1U) << text(plan);
  EXPECT_EQ(plan.unschedulable[0].reasons[0],
            "pool general: minValues 4 of node.kubernetes.io/instance-type cannot be met (2 left)");
}

TEST(SolveMinValues, BrokenByTheCutToSixHundredTypesDropTheClaim) {
  World world;
  world.catalog().types.clear();
  for (int i = 0; i < 700; ++i) {
    const std::string name = "t-" + std::to_string(1000 + i);
    world.catalog().types.push_back(instance_type(name, 4, 0, everywhere(0.1 + i)));
  }
  world.add(node_pool("general")).requirements = {
      {std::string(api::kInstanceTypeLabel), api::Operator::kExists, {}, 650}};
  world.add(pod("p", resources(1, 1)));
  const Plan plan = solve(world.problem);
  EXPECT_TRUE(plan.claims.empty());
  ASSERT_EQ(plan.unschedulable.size(), 1U);
  EXPECT_EQ(plan.unschedulable[0].reasons[0],
            "pool general: minValues 650 of node.kubernetes.io/instance-type cannot be met (600 "
            "left) among the 600 cheapest types");
}

// ---- Relaxation.

TEST(SolveRelaxation, GivesUpWhatCannotBeHad) {
  const auto zone = [](const std::string& value) {
    return api::NodeSelectorTerm{{{std::string(api::kZoneLabel), api::Operator::kIn, {value}, {}}}};
  };
  World world;
  world.add(node_pool("general")).taints = {{"soft", "", "PreferNoSchedule"}};
  api::PodSpec& spec = world.add(pod("p", resources(1, 1))).spec;
  spec.required_node_terms = {zone("nowhere"), zone("b")};
  spec.preferred_node_terms = {{1, zone("b")}, {10, zone("a")}};
  const Plan plan = solve(world.problem);
  ASSERT_EQ(plan.claims.size(), 1U) << text(plan);
  EXPECT_EQ(plan.claims[0].requirements.get(api::kZoneLabel).to_string(), "In [b]");
}

TEST(SolveRelaxation, APreferenceIsHardWhileItCanBeHad) {
  World world;
  world.add(node_pool("general"));
  world.add(node("n", resources(4, 4))).labels.own()[std::string(api::kZoneLabel)] = "a";
  api::PodSpec& spec = world.add(pod("p", resources(1, 1))).spec;
  spec.preferred_node_terms = {
      {1, {{{std::string(api::kZoneLabel), api::Operator::kIn, {"b"}, {}}}}}};
  const Plan plan = solve(world.problem);
  // A new node in b is preferred to the free one in a, as in Karpenter.
  EXPECT_EQ(plan.claims.size(), 1U) << text(plan);
}

TEST(SolveRelaxation, APreferenceThatContradictsARequirementIsGivenUp) {
  World world;
  // Together they would be DoesNotExist, which a node without the label meets.
  world.add(node("n", resources(4, 4)));
  api::PodSpec& spec = world.add(pod("p", resources(1, 1))).spec;
  spec.preferred_node_terms = {{1, {{{"rack", api::Operator::kDoesNotExist, {}, {}}}}}};
  spec.required_node_terms = {{{{"rack", api::Operator::kExists, {}, {}}}}};
  const Plan plan = solve(world.problem);
  EXPECT_TRUE(plan.placements.empty()) << text(plan);
  spec.required_node_terms[0].match_expressions.push_back(
      {"rack", api::Operator::kDoesNotExist, {}, {}});
  EXPECT_EQ(text(solve(world.problem)),
            "default/p nowhere\n  label rack: what is asked of it excludes itself\n");
}

// ---- Reasons.

struct ReasonCase {
  std::string what;
  std::function<void(World&, api::NodePool&, api::Pod&)> arrange;
  std::vector<std::string> reasons;
};

TEST(SolveReasons, NameThePoolTheConstraintAndTheNumbers) {
  const std::vector<ReasonCase> cases{
      {"no pool",
       [](World& w, api::NodePool&, api::Pod&) { w.problem.pools.clear(); },
       {"there is no node pool"}},
      {"too many GPUs",
       [](World&, api::NodePool&, api::Pod& p) {
         p.spec.containers[0].requests = resources(1, 1, 16);
       },
       {"pool gpu: no instance type fits nvidia.com/gpu 16 (largest has 8)"}},
      {"too much of two",
       [](World&, api::NodePool&, api::Pod& p) {
         p.spec.containers[0].requests = resources(97, 1, 9);
       },
       {"pool gpu: no instance type fits cpu 97 (largest has 96), nvidia.com/gpu 9 (largest has "
        "8)"}},
      {"never both at once",
       [](World& w, api::NodePool& pool, api::Pod& p) {
         w.catalog().types.push_back(instance_type("wide", 200, 0, everywhere(9)));
         pool.limits = {{"cpu", 100}};
         p.spec.containers[0].requests = resources(150, 1, 1);
       },
       {"pool gpu: no instance type fits all of cpu 150, memory 1Gi, nvidia.com/gpu 1, pods 1 at "
        "once"}},
      {"taint",
       [](World&, api::NodePool& pool, api::Pod&) {
         pool.taints = {{"nvidia.com/gpu", "true", "NoSchedule"}};
       },
       {"pool gpu: taint nvidia.com/gpu=true:NoSchedule is not tolerated"}},
      {"pool label",
       [](World&, api::NodePool& pool, api::Pod& p) {
         pool.labels = {{"team", "ads"}};
         p.spec.node_selector = {{"team", "search"}};
       },
       {"pool gpu: label team: asked In [search], allowed In [ads]"}},
      {"no such type",
       [](World&, api::NodePool&, api::Pod& p) {
         p.spec.node_selector = {{std::string(api::kArchLabel), "arm64"}};
       },
       {"pool gpu: no instance type with kubernetes.io/arch In [arm64]"}},
      {"no such type among the rest",
       [](World&, api::NodePool&, api::Pod& p) {
         p.spec.node_selector = {{std::string(api::kInstanceTypeLabel), "gpu-4"}, {kGpuCount, "8"}};
       },
       {"pool gpu: no instance type with node.kubernetes.io/instance-type In [gpu-4] meets the "
        "other requirements"}},
      {"a node of another name",
       [](World&, api::NodePool&, api::Pod& p) {
         p.spec.node_selector = {{std::string(api::kHostnameLabel), "n1"}};
       },
       {"pool gpu: label kubernetes.io/hostname: asked In [n1], allowed In [(new)]"}},
      {"nodes too",
       [](World& w, api::NodePool&, api::Pod& p) {
         p.spec.containers[0].requests = resources(100, 1, 1);
         w.add(node("full", resources(1, 4)));
         w.add(node("fuller", resources(2, 4)));
         w.add(node("tainted", resources(200, 4, 8))).taints = {{"k", "", "NoExecute"}};
         p.spec.node_selector = {{std::string(api::kArchLabel), "amd64"}};
         w.add(node("arm", resources(1, 1))).labels.own()[std::string(api::kArchLabel)] = "arm64";
       },
       {"pool gpu: no instance type fits cpu 100 (largest has 96)",
        "existing nodes: none of 4 (1: label kubernetes.io/arch is not In [amd64]; 1: taint "
        "k:NoExecute is not tolerated; 2: too little cpu, nvidia.com/gpu)"}},
  };
  for (const ReasonCase& c : cases) {
    World world;
    api::NodePool& pool = world.add(node_pool("gpu"));
    api::Pod& asking = world.add(pod("p", resources(1, 1)));
    c.arrange(world, pool, asking);
    const Plan plan = solve(world.problem);
    ASSERT_EQ(plan.unschedulable.size(), 1U) << c.what << "\n" << text(plan);
    EXPECT_EQ(plan.unschedulable[0].reasons, c.reasons) << c.what;
  }
}

TEST(Solve, UnschedulablePodsComeInQueueOrder) {
  World world;
  for (const char* name : {"c", "b", "a"}) world.add(pod(name, resources(1, 1)));
  world.add(pod("large", resources(2, 1)));
  Names order;
  for (const auto& left : solve(world.problem).unschedulable) order.push_back(left.pod);
  EXPECT_EQ(order, (Names{"default/large", "default/a", "default/b", "default/c"}));
}

// Cost objective: who may share a new claim is given; existing nodes are open to all.
TEST(Solve, NewClaimsAreSharedWithinAClaimGroupOnly) {
  World world;
  world.add(node_pool("any"));
  for (const char* name : {"a", "b", "c", "d", "e"}) world.add(pod(name, resources(1, 1)));
  world.problem.claim_groups = {{"default/a", 7}, {"default/c", 7}, {"default/d", 0}};
  std::vector<Names> shared;
  for (const NewClaim& claim : solve(world.problem).claims) shared.push_back(claim.pods);
  EXPECT_EQ(shared, (std::vector<Names>{
                        {"default/a", "default/c"}, {"default/b", "default/e"}, {"default/d"}}));

  world.add(node("there", resources(2, 2)));
  const Plan plan = solve(world.problem);
  ASSERT_EQ(plan.placements.size(), 2U) << text(plan);
  EXPECT_EQ(plan.placements[1].pod, "default/b");
}

// 2.7: Strict fails where too few values are left; BestEffort asks for what there is and says so.
TEST(Solve, MinValuesBestEffortIsGivenUpAndMarked) {
  World world;
  api::NodePool& pool = world.add(node_pool("any"));
  pool.requirements = {{std::string(api::kInstanceTypeLabel), api::Operator::kExists, {}, 4}};
  world.add(pod("gpu", resources(1, 1, 1)));
  EXPECT_EQ(solve(world.problem).unschedulable.at(0).reasons[0],
            "pool any: minValues 4 of node.kubernetes.io/instance-type cannot be met (3 left)");
  world.problem.settings.best_effort_min_values = true;
  const Plan plan = solve(world.problem);
  ASSERT_EQ(plan.claims.size(), 1U);
  EXPECT_EQ(plan.claims[0].requirements.get(api::kInstanceTypeLabel).min_values(), 3);
  EXPECT_EQ(to_node_claim(plan.claims[0], pool)
                .meta.annotations.at("karpenter.sh/nodeclaim-min-values-relaxed"),
            "true");
}

// 2.1: rejected before anything is tried.
TEST(Solve, SomePodsAreNeverProvisionedFor) {
  World world;
  world.add(node_pool("any"));
  world.add(node("n", resources(9, 9)));
  world.add(pod("a", resources(1, 1))).spec.has_resource_claims = true;
  world.add(pod("b", resources(1, 1))).spec.required_node_terms = {
      {{{std::string(api::kNodePoolLabel), api::Operator::kDoesNotExist, {}, {}}}}};
  const Plan plan = solve(world.problem);
  ASSERT_EQ(plan.unschedulable.size(), 2U) << text(plan);
  EXPECT_EQ(plan.unschedulable[0].reasons,
            Names{"resource claims (dynamic resource allocation): such pods are not provisioned "
                  "for"});
  EXPECT_EQ(plan.unschedulable[1].reasons,
            Names{"label karpenter.sh/nodepool: asked DoesNotExist, so no pool may make its node"});
}

// One reason a pool and constraint family.
TEST(Solve, EveryFamilyThatRefusesSaysSo) {
  World world;
  world.add(node_pool("any")).taints = {{"gpu", "", "NoSchedule"}};
  world.add(pod("p", resources(100, 1)));
  EXPECT_EQ(solve(world.problem).unschedulable.at(0).reasons,
            (Names{"pool any: taint gpu:NoSchedule is not tolerated",
                   "pool any: no instance type fits cpu 100 (largest has 96)"}));
}

}  // namespace
}  // namespace windlass::scheduling

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "scheduling/solve.h"
#include "scheduling/test_world.h"

namespace windlass::scheduling {
namespace {

using namespace test;

const std::string kZone(api::kZoneLabel);

api::TopologySpreadConstraint over(std::string_view key, int max_skew = 1, bool soft = false) {
  api::TopologySpreadConstraint out;
  out.max_skew = max_skew;
  out.topology_key = std::string(key);
  out.schedule_anyway = soft;
  out.selector.match_labels = {{"app", "web"}};
  return out;
}

api::Pod web(const std::string& name, std::vector<api::TopologySpreadConstraint> spread,
             int64_t cpu = 1) {
  api::Pod out = pod(name, resources(cpu, 1));
  out.meta.labels = {{"app", "web"}};
  out.spec.topology_spread = std::move(spread);
  return out;
}

void add_webs(World& world, int count, const std::vector<api::TopologySpreadConstraint>& spread,
              int64_t cpu = 1) {
  for (int i = 0; i < count; ++i) world.add(web("web-" + std::to_string(i), spread, cpu));
}

// Pods by the value the claims of the plan pin a key to.
std::map<std::string, size_t> pods_by(const Plan& plan, std::string_view key) {
  std::map<std::string, size_t> out;
  for (const NewClaim& claim : plan.claims) {
    out[claim.requirements.get(key).to_string()] += claim.pods.size();
  }
  return out;
}

using Counts = std::map<std::string, size_t>;

TEST(TopologySpread, EvensOutOverZonesOfNewClaims) {
  World world;
  world.add(node_pool("general"));
  add_webs(world, 5, {over(kZone)});
  const Plan plan = solve(world.problem);
  EXPECT_TRUE(plan.unschedulable.empty()) << text(plan);
  // Ties by name: a first.
  EXPECT_EQ(pods_by(plan, kZone), (Counts{{"In [a]", 3}, {"In [b]", 2}})) << text(plan);
  EXPECT_EQ(plan.claims.size(), 2U);  // one a zone is enough
}

TEST(TopologySpread, WorksOverCapacityTypes) {
  World world;
  world.add(node_pool("general"));
  add_webs(world, 4, {over(api::kCapacityTypeLabel)});
  const Plan plan = solve(world.problem);
  EXPECT_EQ(pods_by(plan, api::kCapacityTypeLabel),
            (Counts{{"In [on-demand]", 2}, {"In [spot]", 2}}))
      << text(plan);
}

TEST(TopologySpread, OverHostsOpensAClaimAPod) {
  World world;
  world.add(node_pool("general"));
  world.add(node("n", resources(50, 50)));
  add_webs(world, 4, {over(api::kHostnameLabel)});
  Plan plan = solve(world.problem);
  EXPECT_EQ(plan.placements.size(), 1U) << text(plan);
  EXPECT_EQ(plan.claims.size(), 3U) << text(plan);
  // A pod that nobody counts may still join.
  world.add(pod("other", resources(1, 1)));
  plan = solve(world.problem);
  EXPECT_EQ(plan.claims.size(), 3U) << text(plan);
}

TEST(TopologySpread, CountsPodsThatAreThere) {
  World world;
  ExistingNode& in_a = world.add(node("n-a", resources(50, 50)));
  in_a.labels.own()[kZone] = "a";
  const api::Pod there = web("there", {});
  api::Pod stranger = web("stranger", {});
  stranger.meta.namespace_name = "other";
  api::Pod gone = web("gone", {});
  gone.phase = api::PodPhase::kSucceeded;
  in_a.pods = {&there, &stranger, &gone};
  world.add(node("n-b", resources(50, 50))).labels.own()[kZone] = "b";
  add_webs(world, 2, {over(kZone)});
  const Plan plan = solve(world.problem);
  // a 1, b 0: a is full at skew 1 only after b has caught up.
  EXPECT_EQ(text(plan), "default/web-0 on n-b\ndefault/web-1 on n-a\n");
}

TEST(TopologySpread, APodThatIsToBePlacedIsNotCountedWhereItWas) {
  World world;
  ExistingNode& in_a = world.add(node("n-a", resources(50, 50)));
  in_a.labels.own()[kZone] = "a";
  world.add(node("n-b", resources(50, 50))).labels.own()[kZone] = "b";
  const api::Pod& moving = world.add(web("moving", {over(kZone)}));
  world.problem.nodes[0].pods = {&moving};
  EXPECT_EQ(text(solve(world.problem)), "default/moving on n-a\n");
}

TEST(TopologySpread, NodesWithoutTheLabelAreNoDomain) {
  World world;
  world.add(node("bare", resources(50, 50)));
  add_webs(world, 1, {over("rack")});
  const Plan plan = solve(world.problem);
  ASSERT_EQ(plan.unschedulable.size(), 1U);
  EXPECT_EQ(plan.unschedulable[0].reasons.back(),
            "existing nodes: none of 1 (1: topology spread over rack)");
}

TEST(TopologySpread, ADomainThatCannotBeHadHoldsTheOthersBack) {
  World world;
  world.catalog().types = {
      instance_type("only-a", 8, 0, {{"a", "on-demand", 1, true}, {"b", "on-demand", 1, false}})};
  world.add(node_pool("general"));
  add_webs(world, 3, {over(kZone)});
  const Plan plan = solve(world.problem);
  EXPECT_EQ(pods_by(plan, kZone), (Counts{{"In [a]", 1}})) << text(plan);
  ASSERT_EQ(plan.unschedulable.size(), 2U);
  EXPECT_EQ(plan.unschedulable[0].reasons[0],
            "pool general: topology spread over topology.kubernetes.io/zone (maxSkew 1) admits no "
            "domain: a 1, b 0");
}

TEST(TopologySpread, ZonesThePodMayNotUseDoNotCount) {
  World world;
  world.add(node_pool("general"));
  for (const char* name : {"p", "q", "r"}) {
    world.add(web(name, {over(kZone)})).spec.node_selector = {{kZone, "a"}};
  }
  const Plan plan = solve(world.problem);
  EXPECT_EQ(pods_by(plan, kZone), (Counts{{"In [a]", 3}})) << text(plan);
}

TEST(TopologySpread, ScheduleAnywayIsGivenUp) {
  World world;
  world.catalog().types = {
      instance_type("only-a", 8, 0, {{"a", "on-demand", 1, true}, {"b", "on-demand", 1, false}})};
  world.add(node_pool("general"));
  add_webs(world, 3, {over(kZone, 1, true)});
  EXPECT_TRUE(solve(world.problem).unschedulable.empty());
}

TEST(TopologySpread, ZonesAndHostsTogether) {
  World world;
  world.add(node_pool("general"));
  add_webs(world, 4, {over(kZone), over(api::kHostnameLabel, 2)});
  const Plan plan = solve(world.problem);
  EXPECT_EQ(pods_by(plan, kZone), (Counts{{"In [a]", 2}, {"In [b]", 2}})) << text(plan);
  for (const NewClaim& claim : plan.claims) EXPECT_LE(claim.pods.size(), 2U);
}

// 2.6: fewer domains than minDomains, and the least count is 0.
TEST(TopologySpread, MinDomainsKeepsTheLeastAtZero) {
  for (const auto& [min_domains, placed] :
       std::vector<std::pair<std::optional<int>, size_t>>{{std::nullopt, 4}, {2, 4}, {3, 2}}) {
    World world;
    world.add(node_pool("general"));
    api::TopologySpreadConstraint constraint = over(kZone);
    constraint.min_domains = min_domains;
    add_webs(world, 4, {constraint});
    const Plan plan = solve(world.problem);
    EXPECT_EQ(4 - plan.unschedulable.size(), placed) << text(plan);
  }
}

struct PolicyCase {
  const char* what;
  bool honor_affinity;
  bool honor_taints;
  const char* goes_to;
};

// 2.6: which nodes' pods count. One web is on a node of pool y in zone a, one on a tainted node in
// zone b, two on a plain one in zone c; the pod to place may use pool x only.
TEST(TopologySpread, NodePoliciesSayWhoseCountsMatter) {
  const std::vector<PolicyCase> cases{
      {"defaults: affinity honoured, taints ignored", true, false, "x-a"},
      {"affinity ignored", false, false, "x-b"},
      {"taints honoured", true, true, "x-a"},
      {"both the other way", false, true, "x-b"},
  };
  for (const PolicyCase& c : cases) {
    World world;
    api::Pod there = web("there", {});
    const auto add_node = [&](const std::string& name, const std::string& pool,
                              const std::string& zone, int pods) -> ExistingNode& {
      ExistingNode& made = world.add(node(name, resources(9, 9)));
      made.labels.own()["pool"] = pool;
      made.labels.own()[kZone] = zone;
      made.pods.assign(static_cast<size_t>(pods), &there);
      return made;
    };
    add_node("x-a", "x", "a", 0);
    add_node("x-b", "x", "b", 0);
    add_node("y-a", "y", "a", 2);
    api::TopologySpreadConstraint constraint = over(kZone);
    constraint.honor_node_affinity = c.honor_affinity;
    constraint.honor_node_taints = c.honor_taints;
    world.add(web("p", {constraint})).spec.node_selector = {{"pool", "x"}};
    EXPECT_EQ(text(solve(world.problem)), std::string("default/p on ") + c.goes_to + "\n")
        << c.what;
  }
}

TEST(TopologySpread, TaintsPolicyLeavesOutNodesThatAreNotTolerated) {
  for (const bool honor : {false, true}) {
    World world;
    const api::Pod there = web("there", {});
    ExistingNode& open = world.add(node("open", resources(9, 9)));
    open.labels.own()[kZone] = "a";
    open.pods = {&there};
    ExistingNode& closed = world.add(node("closed", resources(9, 9)));
    closed.labels.own()[kZone] = "b";
    closed.taints = {{"k", "", "NoSchedule"}};
    api::TopologySpreadConstraint constraint = over(kZone);
    constraint.honor_node_taints = honor;
    world.add(web("p", {constraint}));
    // Zone b counts for nothing only when its one node is left out; else a is one ahead already.
    EXPECT_EQ(solve(world.problem).placements.size(), honor ? 1U : 0U);
  }
}

TEST(TopologySpread, MatchLabelKeysCountOneRevisionOnly) {
  for (const bool by_revision : {false, true}) {
    World world;
    api::Pod old = web("old", {});
    old.meta.labels["rev"] = "1";
    ExistingNode& in_a = world.add(node("n-a", resources(9, 9)));
    in_a.labels.own()[kZone] = "a";
    in_a.pods = {&old};
    world.add(node("n-b", resources(9, 9))).labels.own()[kZone] = "b";
    api::TopologySpreadConstraint constraint = over(kZone);
    if (by_revision) constraint.match_label_keys = {"rev", "absent"};
    world.add(web("new", {constraint})).meta.labels["rev"] = "2";
    EXPECT_EQ(text(solve(world.problem)),
              by_revision ? "default/new on n-a\n" : "default/new on n-b\n");
  }
}

// Wherever a pod was put, the skew was within bounds then; as the least count only grows, it is so
// at the end in every domain that got a pod.
RC_GTEST_PROP(TopologySpreadLaw, EveryDomainThatGotAPodIsWithinTheSkew, ()) {
  World world;
  const int max_skew = *rc::gen::inRange(1, 4);
  const bool with_pool = *rc::gen::arbitrary<bool>();
  if (with_pool) world.add(node_pool("general"));
  std::deque<api::Pod> running;
  std::map<std::string, int64_t> counts;
  if (with_pool) counts = {{"a", 0}, {"b", 0}};
  const int nodes = *rc::gen::inRange(0, 6);
  for (int i = 0; i < nodes; ++i) {
    const std::string zone(1, static_cast<char>('a' + *rc::gen::inRange(0, 3)));
    ExistingNode& there =
        world.add(node("n" + std::to_string(i), resources(*rc::gen::inRange(0, 6), 9)));
    there.labels.own()[kZone] = zone;
    const int pods = *rc::gen::inRange(0, 3);
    for (int p = 0; p < pods; ++p) {
      running.push_back(web("r" + std::to_string(running.size()), {}));
      there.pods.push_back(&running.back());
    }
    counts[zone] += pods;
  }
  const int count = *rc::gen::inRange(1, 12);
  add_webs(world, count, {over(kZone, max_skew)});
  const Plan plan = solve(world.problem);

  std::set<std::string> touched;
  for (const Placement& placement : plan.placements) {
    const auto at = std::ranges::find(world.problem.nodes, placement.node, &ExistingNode::name);
    ++counts[at->labels.at(kZone)];
    touched.insert(at->labels.at(kZone));
  }
  for (const NewClaim& claim : plan.claims) {
    const auto pinned = claim.requirements.labels();
    RC_ASSERT(pinned.contains(kZone));
    counts[pinned.at(kZone)] += static_cast<int64_t>(claim.pods.size());
    touched.insert(pinned.at(kZone));
  }
  const auto least =
      std::ranges::min_element(counts, {}, [](const auto& entry) { return entry.second; });
  for (const std::string& zone : touched) RC_ASSERT(counts.at(zone) - least->second <= max_skew);
  // A pool without limits can always add to the zone with the fewest, unless that one is c.
  if (with_pool && !counts.contains("c")) RC_ASSERT(plan.unschedulable.empty());

  const std::string before = text(plan);
  std::ranges::reverse(world.problem.nodes);
  std::ranges::reverse(world.problem.pods);
  RC_ASSERT(text(solve(world.problem)) == before);
}

}  // namespace
}  // namespace windlass::scheduling

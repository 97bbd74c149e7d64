// Pod affinity and anti-affinity (reference karpenter.md 2.5, 2.6, 9.9).
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "scheduling/solve.h"
#include "scheduling/test_world.h"

namespace windlass::scheduling {
namespace {

using namespace test;

const std::string kZone(api::kZoneLabel);
const std::string kHost(api::kHostnameLabel);

api::PodAffinityTerm near(const std::string& app, const std::string& key) {
  api::PodAffinityTerm term;
  term.topology_key = key;
  term.selector.match_labels = {{"app", app}};
  return term;
}

api::Pod of(const std::string& app, const std::string& name, int64_t cpu = 1) {
  api::Pod out = pod(name, resources(cpu, 1));
  out.meta.labels = {{"app", app}};
  return out;
}

ExistingNode& node_in(World& world, const std::string& name, const std::string& zone) {
  ExistingNode& made = world.add(node(name, resources(50, 50)));
  made.labels.own()[kZone] = zone;
  return made;
}

std::vector<std::string> reasons_of(const Plan& plan) {
  return plan.unschedulable.empty() ? std::vector<std::string>{} : plan.unschedulable[0].reasons;
}

TEST(PodAffinity, GoesWhereThePodsItSeeksAre) {
  World world;
  node_in(world, "n-a", "a");
  const api::Pod db = of("db", "db");
  node_in(world, "n-b", "b").pods = {&db};
  world.add(of("web", "same-zone")).spec.affinity.required = {near("db", kZone)};
  EXPECT_EQ(text(solve(world.problem)), "default/same-zone on n-b\n");

  // A new claim is pinned to that zone, too.
  world.problem.nodes[1].available = {};
  world.problem.nodes[1].available.set("cpu", 0);
  world.add(node_pool("general"));
  const Plan plan = solve(world.problem);
  ASSERT_EQ(plan.claims.size(), 1U) << text(plan);
  EXPECT_EQ(plan.claims[0].requirements.get(kZone).to_string(), "In [b]");
}

TEST(PodAffinity, NobodyToSeekIsAReason) {
  World world;
  world.add(node_pool("general"));
  world.add(of("web", "p")).spec.affinity.required = {near("db", kZone)};
  EXPECT_EQ(reasons_of(solve(world.problem)),
            (std::vector<std::string>{"pool general: pod affinity over topology.kubernetes.io/zone "
                                      "finds no domain with such pods: a 0, b 0"}));
}

// The first of a kind that seeks itself chooses a domain, by name; the rest follow.
TEST(PodAffinity, SelfAffinityBootstraps) {
  for (const std::string& key : {kZone, kHost}) {
    World world;
    world.add(node_pool("general"));
    for (const char* name : {"p", "q", "r"}) {
      world.add(of("web", name)).spec.affinity.required = {near("web", key)};
    }
    const Plan plan = solve(world.problem);
    ASSERT_EQ(plan.claims.size(), 1U) << text(plan);
    EXPECT_EQ(plan.claims[0].pods.size(), 3U);
    const std::string zone = plan.claims[0].requirements.get(kZone).to_string();
    EXPECT_EQ(zone, key == kZone ? "In [a]" : "Exists");
  }
}

TEST(PodAffinity, SelfAffinityStartsWhereTheTypesItNeedsAre) {
  World world;
  world.catalog().types = {instance_type("cpu", 8, 0, everywhere(0.4)),
                           instance_type("gpu", 8, 1, {{"b", "on-demand", 1, true}})};
  world.add(node_pool("general"));
  api::Pod& gpu = world.add(pod("gpu", resources(1, 1, 1)));
  gpu.meta.labels = {{"app", "web"}};
  gpu.spec.affinity.required = {near("web", kZone)};
  const Plan plan = solve(world.problem);
  ASSERT_EQ(plan.claims.size(), 1U) << text(plan);
  EXPECT_EQ(plan.claims[0].requirements.get(kZone).to_string(), "In [b]");
}

TEST(PodAffinity, AHostThatIsFullLeavesTheRestWaiting) {
  World world;
  world.catalog().types = {instance_type("two", 2, 0, everywhere(0.1))};
  world.add(node_pool("general"));
  for (const char* name : {"p", "q", "r"}) {
    world.add(of("web", name)).spec.affinity.required = {near("web", kHost)};
  }
  const Plan plan = solve(world.problem);
  EXPECT_EQ(plan.claims.size(), 1U);
  EXPECT_EQ(plan.unschedulable.size(), 1U) << text(plan);
}

struct NamespaceCase {
  const char* what;
  std::vector<std::string> namespaces;
  std::optional<api::LabelSelector> selector;
  bool finds;
};

// Whom a term of a pod in "default" sees of a pod in "other" (labelled env=test).
TEST(PodAffinity, NamespacesSayWhoIsSeen) {
  api::LabelSelector test_ones;
  test_ones.match_labels = {{"env", "test"}};
  api::LabelSelector named;
  named.match_labels = {{"kubernetes.io/metadata.name", "other"}};
  api::LabelSelector nobody;
  nobody.match_labels = {{"env", "none"}};
  const std::vector<NamespaceCase> cases{
      {"neither: the pod's own", {}, std::nullopt, false},
      {"by name", {"third", "other"}, std::nullopt, true},
      {"empty selector: all", {}, api::LabelSelector{}, true},
      {"by label", {}, test_ones, true},
      {"by the label every namespace has", {}, named, true},
      {"no match", {}, nobody, false},
      {"names and selector add up", {"other"}, nobody, true},
  };
  for (const NamespaceCase& c : cases) {
    World world;
    world.add_namespace("default", {});
    world.add_namespace("other", {{"env", "test"}});
    api::Pod db = of("db", "db");
    db.meta.namespace_name = "other";
    node_in(world, "n", "a").pods = {&db};
    api::PodAffinityTerm term = near("db", kZone);
    term.namespaces = c.namespaces;
    term.namespace_selector = c.selector;
    world.add(of("web", "p")).spec.affinity.required = {term};
    EXPECT_EQ(solve(world.problem).placements.size(), c.finds ? 1U : 0U) << c.what;
  }
}

TEST(PodAntiAffinity, OverHostsOpensAClaimAPod) {
  World world;
  world.add(node_pool("general"));
  for (const char* name : {"p", "q", "r"}) {
    world.add(of("web", name)).spec.anti_affinity.required = {near("web", kHost)};
  }
  world.add(of("other", "x"));
  EXPECT_EQ(solve(world.problem).claims.size(), 3U);
}

// 2.6, 9.9: a claim whose zone is open may come up in any, so one pod a round; pinned zones do not
// wait for one another.
TEST(PodAntiAffinity, AnUnpinnedClaimTakesEveryZone) {
  for (const bool pinned : {false, true}) {
    World world;
    world.add(node_pool("general"));
    for (const char* zone : {"a", "b"}) {
      api::Pod& made = world.add(of("web", std::string("web-") + zone));
      made.spec.anti_affinity.required = {near("web", kZone)};
      if (pinned) made.spec.node_selector = {{kZone, zone}};
    }
    const Plan plan = solve(world.problem);
    EXPECT_EQ(plan.claims.size(), pinned ? 2U : 1U) << text(plan);
    if (pinned) continue;
    EXPECT_EQ(reasons_of(plan)[0],
              "pool general: pods with anti-affinity over topology.kubernetes.io/zone keep it out "
              "of: a 1, b 1");
  }
}

// A pod that others avoid has no term of its own, yet stays away from them.
TEST(PodAntiAffinity, WorksTheOtherWayRound) {
  World world;
  api::Pod lonely = of("lonely", "lonely");
  lonely.spec.anti_affinity.required = {near("web", kZone)};
  node_in(world, "n-a", "a").pods = {&lonely};
  node_in(world, "n-b", "b");
  world.add(of("web", "p"));
  EXPECT_EQ(text(solve(world.problem)), "default/p on n-b\n");
  // Preferred terms of pods that are there count for nothing.
  lonely.spec.anti_affinity = {{}, {{1, near("web", kZone)}}};
  EXPECT_EQ(text(solve(world.problem)), "default/p on n-a\n");
}

TEST(PodAntiAffinity, BothWaysAmongPodsToPlace) {
  World world;
  world.add(node_pool("general"));
  world.add(of("web", "first", 2));
  world.add(of("lonely", "second")).spec.anti_affinity.required = {near("web", kHost)};
  world.add(of("web", "third"));
  const Plan plan = solve(world.problem);
  ASSERT_EQ(plan.claims.size(), 2U) << text(plan);
  EXPECT_EQ(plan.claims[1].pods, std::vector<std::string>{"default/second"});
}

TEST(PodAntiAffinity, TheOrderOfPodsOnANodeIsNotInTheReasons) {
  World world;
  ExistingNode& there = node_in(world, "n-a", "a");
  api::Pod of_zone = of("lonely", "a");
  of_zone.spec.anti_affinity.required = {near("web", kZone)};
  api::Pod of_host = of("lonely", "b");
  of_host.spec.anti_affinity.required = {near("web", kHost)};
  world.add(of("web", "p"));
  api::NodePool pool = node_pool("general");
  pool.requirements.push_back({kZone, api::Operator::kIn, {"a"}, {}});
  world.add(pool);
  there.pods = {&of_zone, &of_host};
  const Plan one = solve(world.problem);
  there.pods = {&of_host, &of_zone};
  EXPECT_EQ(text(solve(world.problem)), text(one));
  EXPECT_FALSE(reasons_of(one).empty());
}

TEST(PodAffinity, PreferencesCountAsHardAndAreGivenUp) {
  World world;
  world.add(node_pool("general"));
  for (const char* name : {"p", "q"}) {
    world.add(of("web", name)).spec.anti_affinity.preferred = {{1, near("web", kHost)}};
  }
  EXPECT_EQ(solve(world.problem).claims.size(), 2U) << "a new claim before a preference goes";
  world.problem.settings.ignore_preferences = true;
  EXPECT_EQ(solve(world.problem).claims.size(), 1U) << "PREFERENCE_POLICY=Ignore";
  world.problem.settings.ignore_preferences = false;
  world.problem.pools.clear();
  node_in(world, "n", "a");
  EXPECT_EQ(solve(world.problem).placements.size(), 2U) << "no other place: it is given up";
}

TEST(PodAffinity, MatchAndMismatchLabelKeys) {
  for (const bool mismatch : {false, true}) {
    World world;
    api::Pod old = of("db", "db");
    old.meta.labels["rev"] = "1";
    node_in(world, "n-a", "a").pods = {&old};
    api::Pod& seeker = world.add(of("web", "p"));
    seeker.meta.labels["rev"] = "2";
    api::PodAffinityTerm term = near("db", kZone);
    (mismatch ? term.mismatch_label_keys : term.match_label_keys) = {"rev"};
    seeker.spec.affinity.required = {term};
    EXPECT_EQ(solve(world.problem).placements.size(), mismatch ? 1U : 0U);
  }
}

}  // namespace
}  // namespace windlass::scheduling

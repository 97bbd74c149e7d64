#include "scheduling/volumes.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "scheduling/solve.h"
#include "scheduling/test_world.h"

namespace windlass::scheduling {
namespace {

using namespace test;

const std::string kZone(api::kZoneLabel);

api::NodeSelectorTerm in_zone(const std::string& zone, const std::string& key = kZone) {
  return {{{key, api::Operator::kIn, {zone}, {}}}};
}

api::Pod with_claims(const std::string& name, const std::vector<std::string>& claims) {
  api::Pod out = pod(name, resources(1, 1));
  for (const std::string& claim : claims) out.spec.volumes.push_back({claim, claim, false, ""});
  return out;
}

void add_storage(World& world) {
  world.add_volume("pv-a", {in_zone("a")});
  world.add_volume("pv-b", {in_zone("b", "topology.ebs.csi.aws.com/zone")});
  world
      .add_volume("pv-host",
                  {{{{std::string(api::kHostnameLabel), api::Operator::kIn, {"gone"}, {}},
                     {kZone, api::Operator::kIn, {"b"}, {}}}}})
      .local = true;
  world.add_class("zonal", {in_zone("d"), in_zone("b"), in_zone("a")});
  world.add_class("anywhere", {});
  world.add_claim("default", "in-a", "zonal", "pv-a");
  world.add_claim("default", "in-b", "", "pv-b");
  world.add_claim("default", "on-host", "", "pv-host");
  world.add_claim("default", "waits", "zonal", "");
  world.add_claim("default", "free", "anywhere", "");
  world.add_claim("default", "plain", "", "");
  world.add_claim("default", "typo", "zonall", "");
  world.add_claim("default", "lost", "", "pv-gone");
}

struct ZoneCase {
  const char* what;
  std::vector<std::string> claims;
  std::string zone;  // of the new claim; or the reason
};

// 2.6: bound claims follow the volume, unbound ones the class; alternatives in order.
TEST(Volumes, SayWhereAClaimMayBe) {
  const std::vector<ZoneCase> cases{
      {"bound, in a zone", {"in-a"}, "In [a]"},
      {"bound, by the driver's own zone label", {"in-b"}, "In [b]"},
      {"a local volume's host does not bind", {"on-host"}, "In [b]"},
      {"unbound: the first alternative some type can be had in", {"waits"}, "In [b]"},
      {"two volumes: what suits both", {"waits", "in-a"}, "In [a]"},
      {"anywhere", {"free"}, "Exists"},
      {"none", {}, "Exists"},
      {"apart", {"in-a", "in-b"}, "volume in-b: no node can reach it and the volumes before it"},
      {"not there", {"none"}, "volume none: claim default/none does not exist"},
      {"no class",
       {"plain"},
       "volume plain: claim default/plain is not bound and names no storage class, and no class is "
       "the default"},
      {"unknown class",
       {"typo"},
       "volume typo: storage class zonall of claim default/typo does not "
       "exist"},
      {"unknown volume",
       {"lost"},
       "volume lost: claim default/lost is bound to volume pv-gone, which does not exist"},
  };
  for (const ZoneCase& c : cases) {
    World world;
    add_storage(world);
    world.add(node_pool("general"));
    world.add(with_claims("p", c.claims));
    const Plan plan = solve(world.problem);
    if (plan.claims.empty()) {
      ASSERT_EQ(plan.unschedulable.size(), 1U) << c.what;
      EXPECT_EQ(plan.unschedulable[0].reasons, std::vector<std::string>{c.zone}) << c.what;
    } else {
      EXPECT_EQ(plan.claims[0].requirements.get(kZone).to_string(), c.zone) << c.what;
    }
  }
}

TEST(Volumes, EphemeralOnesGoByTheirClassAndTheDefault) {
  World world;
  add_storage(world);
  world.add_class("default", {in_zone("b")}).is_default = true;
  world.add(node_pool("general"));
  api::Pod& asking = world.add(pod("p", resources(1, 1)));
  asking.spec.volumes = {{"scratch", "", true, ""}};
  EXPECT_EQ(solve(world.problem).claims.at(0).requirements.get(kZone).to_string(), "In [b]");
  // Once its claim is there, that one counts.
  world.add_claim("default", "p-scratch", "", "pv-a");
  EXPECT_EQ(solve(world.problem).claims.at(0).requirements.get(kZone).to_string(), "In [a]");
}

TEST(Volumes, ExistingNodesMustBeReached) {
  World world;
  add_storage(world);
  world.add(node("n-a", resources(9, 9))).labels.own()[kZone] = "a";
  world.add(node("n-b", resources(9, 9))).labels.own()[kZone] = "b";
  world.add(with_claims("p", {"in-b"}));
  EXPECT_EQ(text(solve(world.problem)), "default/p on n-b\n");
  world.add(with_claims("q", {"waits", "in-a"}));
  EXPECT_EQ(solve(world.problem).placements.size(), 2U);
}

// 2.6: limits per CSI driver, on existing nodes only; a volume that is there already is no second.
TEST(Volumes, AttachLimitsCountVolumesOnce) {
  struct Case {
    const char* what;
    int32_t limit;
    std::vector<std::vector<std::string>> pods;
    size_t placed;
  };
  const std::vector<Case> cases{
      {"room for both", 3, {{"in-a"}, {"waits"}}, 2},
      {"room for one", 2, {{"in-a"}, {"waits"}}, 1},
      {"none", 1, {{"in-a"}, {"waits"}}, 0},
      {"one volume twice", 2, {{"in-a"}, {"in-a"}}, 2},
      {"the one that is attached", 1, {{"free"}}, 1},
      {"without volumes", 0, {{}}, 1},
  };
  for (const Case& c : cases) {
    World world;
    add_storage(world);
    const api::Pod running = with_claims("running", {"free"});
    ExistingNode& there = world.add(node("n", resources(9, 9)));
    there.labels.own()[kZone] = "a";
    there.pods = {&running};
    there.attach_limits = {{"ebs.csi.aws.com", c.limit}, {"other", 0}};
    for (size_t i = 0; i < c.pods.size(); ++i) {
      world.add(with_claims("p" + std::to_string(i), c.pods[i]));
    }
    EXPECT_EQ(solve(world.problem).placements.size(), c.placed) << c.what;
  }
}

}  // namespace
}  // namespace windlass::scheduling

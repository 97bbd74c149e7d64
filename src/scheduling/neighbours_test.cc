#include "scheduling/neighbours.h"

#include <gtest/gtest.h>

#include "scheduling/test_world.h"

namespace windlass::scheduling {
namespace {

using test::node;
using test::pod;

api::Pod labelled(const std::string& name, const std::string& app) {
  api::Pod out = pod(name, {});
  out.meta.labels = {{"app", app}};
  return out;
}
api::PodAffinityTerm term(const std::string& app, std::string_view key) {
  api::PodAffinityTerm out;
  out.selector.match_labels = {{"app", app}};
  out.topology_key = key;
  return out;
}
api::Pod on_port(api::Pod out, int32_t port) {
  api::HostPort host;
  host.port = port;
  out.spec.containers.front().host_ports = {host};
  return out;
}
api::Pod spread(api::Pod out, std::string_view key, const std::string& app) {
  api::TopologySpreadConstraint constraint;
  constraint.topology_key = key;
  constraint.max_skew = 1;
  constraint.selector.match_labels = {{"app", app}};
  out.spec.topology_spread = {constraint};
  return out;
}

// Three nodes: n1 and n2 in zone a, n3 in zone b. What is there is told by node.
struct Place {
  explicit Place(const std::map<std::string, std::vector<const api::Pod*>>& there = {}) {
    for (const auto& [name, zone] :
         {std::pair("n1", "a"), std::pair("n2", "a"), std::pair("n3", "b")}) {
      ExistingNode& one = nodes.emplace_back(node(name, {}));
      one.labels.own()[std::string(api::kZoneLabel)] = zone;
      const auto at = there.find(name);
      if (at != there.end()) one.pods = at->second;
    }
  }
  std::vector<ExistingNode> nodes;
};
using Refusals = std::vector<Refusal>;
constexpr Refusal kYes = Refusal::kNone;

Refusals on_each(const Neighbours& neighbours, const api::Pod& pod) {
  return {neighbours.why_not(pod, "n1"), neighbours.why_not(pod, "n2"),
          neighbours.why_not(pod, "n3")};
}
Refusals alone(const Place& place, const api::Pod& pod) {
  return on_each(Neighbours({&pod}, place.nodes, {}), pod);
}

TEST(Neighbours, PortsOfOneProtocolAreTakenOncePerNode) {
  const api::Pod there = on_port(pod("there", {}), 80);
  const Place place({{"n2", {&there}}});
  EXPECT_EQ(alone(place, on_port(pod("p", {}), 80)), (Refusals{kYes, Refusal::kPorts, kYes}));
  EXPECT_EQ(alone(place, on_port(pod("p", {}), 81)), (Refusals{kYes, kYes, kYes}));
  EXPECT_EQ(alone(place, pod("p", {})), (Refusals{kYes, kYes, kYes}));
  const api::Pod first = on_port(pod("first", {}), 90);
  const api::Pod second = on_port(pod("second", {}), 90);
  Neighbours neighbours({&first, &second}, place.nodes, {});
  neighbours.bound(first, "n3");
  EXPECT_EQ(on_each(neighbours, second), (Refusals{kYes, kYes, Refusal::kPorts}));
}

TEST(Neighbours, AntiAffinityHoldsForWhoeverHasItAndWhoeverComesLater) {
  const api::Pod web = labelled("web", "web");
  api::Pod shy = labelled("shy", "shy");
  shy.spec.anti_affinity.required = {term("web", api::kZoneLabel)};
  const Place with_web({{"n1", {&web}}});
  const Refusal avoids = Refusal::kAntiAffinity;
  EXPECT_EQ(alone(with_web, shy), (Refusals{avoids, avoids, kYes}));
  const Place with_shy({{"n3", {&shy}}});
  EXPECT_EQ(alone(with_shy, web), (Refusals{kYes, kYes, Refusal::kAvoided}));
  // Both wait: what one does binds the other.
  Neighbours neighbours({&web, &shy}, Place().nodes, {});
  EXPECT_EQ(on_each(neighbours, web), (Refusals{kYes, kYes, kYes}));
  neighbours.bound(shy, "n1");
  EXPECT_EQ(on_each(neighbours, web), (Refusals{Refusal::kAvoided, Refusal::kAvoided, kYes}));
  api::Pod prefers = labelled("prefers", "shy");
  prefers.spec.anti_affinity.preferred = {{1, term("web", api::kZoneLabel)}};
  EXPECT_EQ(alone(with_web, prefers), (Refusals{kYes, kYes, kYes}));
}

TEST(Neighbours, AffinityWantsCompanyButForTheFirstOfItsKind) {
  const api::Pod web = labelled("web", "web");
  api::Pod fan = labelled("fan", "fan");
  fan.spec.affinity.required = {term("web", api::kHostnameLabel)};
  const Refusal lonely = Refusal::kAffinity;
  EXPECT_EQ(alone(Place({{"n2", {&web}}}), fan), (Refusals{lonely, kYes, lonely}));
  EXPECT_EQ(alone(Place(), fan), (Refusals{lonely, lonely, lonely}));
  api::Pod flock = labelled("flock", "flock");
  flock.spec.affinity.required = {term("flock", api::kZoneLabel)};
  EXPECT_EQ(alone(Place(), flock), (Refusals{kYes, kYes, kYes}));
}

TEST(Neighbours, SpreadCountsAmongTheNodesThereAre) {
  const api::Pod a = labelled("a", "web");
  const api::Pod b = labelled("b", "web");
  const api::Pod c = labelled("c", "web");
  const Refusal no = Refusal::kSpread;
  const api::Pod by_zone = spread(labelled("p", "web"), api::kZoneLabel, "web");
  EXPECT_EQ(alone(Place({{"n1", {&a}}}), by_zone), (Refusals{no, no, kYes}));
  EXPECT_EQ(alone(Place({{"n1", {&a}}, {"n3", {&b}}}), by_zone), (Refusals{kYes, kYes, kYes}));
  const api::Pod by_host = spread(labelled("p", "web"), api::kHostnameLabel, "web");
  EXPECT_EQ(alone(Place({{"n1", {&a}}}), by_host), (Refusals{no, kYes, kYes}));
  // One on each: no empty node will come, so the next may double.
  EXPECT_EQ(alone(Place({{"n1", {&a}}, {"n2", {&b}}, {"n3", {&c}}}), by_host),
            (Refusals{kYes, kYes, kYes}));
  api::Pod soft = by_zone;
  soft.spec.topology_spread[0].schedule_anyway = true;
  EXPECT_EQ(alone(Place({{"n1", {&a}}}), soft), (Refusals{kYes, kYes, kYes}));
  // A pod that leaves does not count.
  api::Pod leaving = a;
  leaving.meta.deleted = Instant{1};
  EXPECT_EQ(alone(Place({{"n1", {&leaving}}}), by_zone), (Refusals{kYes, kYes, kYes}));
  EXPECT_EQ(alone(Place(), spread(labelled("p", "web"), "rack", "web")), (Refusals{no, no, no}));
}

TEST(Neighbours, WhoMindsThem) {
  EXPECT_FALSE(minds_neighbours(pod("p", {}).spec));
  EXPECT_TRUE(minds_neighbours(on_port(pod("p", {}), 80).spec));
  api::Pod shy = pod("p", {});
  shy.spec.anti_affinity.required = {term("x", api::kZoneLabel)};
  EXPECT_TRUE(minds_neighbours(shy.spec));
  api::Pod soft = spread(pod("p", {}), api::kZoneLabel, "x");
  EXPECT_TRUE(minds_neighbours(soft.spec));
  soft.spec.topology_spread[0].schedule_anyway = true;
  EXPECT_FALSE(minds_neighbours(soft.spec));
}

}  // namespace
}  // namespace windlass::scheduling

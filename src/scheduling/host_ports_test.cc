#include "scheduling/host_ports.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "scheduling/solve.h"
#include "scheduling/test_world.h"

namespace windlass::scheduling {
namespace {

using namespace test;

api::Pod with_port(const std::string& name, const api::HostPort& port) {
  api::Pod out = pod(name, resources(1, 1));
  out.spec.containers[0].host_ports = {port};
  return out;
}

// 2.6: (ip, port, protocol), 0.0.0.0 stands for every address.
TEST(HostPorts, ClashByAddressPortAndProtocol) {
  struct Case {
    api::HostPort a;
    api::HostPort b;
    bool clash;
  };
  const std::vector<Case> cases{
      {{"0.0.0.0", 80, "TCP"}, {"0.0.0.0", 80, "TCP"}, true},
      {{"0.0.0.0", 80, "TCP"}, {"10.0.0.1", 80, "TCP"}, true},
      {{"10.0.0.1", 80, "TCP"}, {"::", 80, "TCP"}, true},
      {{"10.0.0.1", 80, "TCP"}, {"10.0.0.1", 80, "TCP"}, true},
      {{"10.0.0.1", 80, "TCP"}, {"10.0.0.2", 80, "TCP"}, false},
      {{"0.0.0.0", 80, "TCP"}, {"0.0.0.0", 80, "UDP"}, false},
      {{"0.0.0.0", 80, "TCP"}, {"0.0.0.0", 81, "TCP"}, false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(first_taken({c.a}, {c.b}) != nullptr, c.clash) << to_string(c.a) << to_string(c.b);
    EXPECT_EQ(first_taken({c.b}, {c.a}) != nullptr, c.clash) << to_string(c.b) << to_string(c.a);
    World world;
    world.add(node_pool("general"));
    world.add(with_port("p", c.a));
    world.add(with_port("q", c.b));
    EXPECT_EQ(solve(world.problem).claims.size(), c.clash ? 2U : 1U);
  }
}

TEST(HostPorts, PodsThereAndDaemonsToComeTakePorts) {
  World world;
  const api::Pod running = with_port("running", {"0.0.0.0", 80, "TCP"});
  world.add(node("n", resources(9, 9))).pods = {&running};
  world.add(with_port("p", {"0.0.0.0", 80, "TCP"}));
  EXPECT_EQ(solve(world.problem).unschedulable.at(0).reasons.back(),
            "existing nodes: none of 1 (1: host port 0.0.0.0:80/TCP is taken)");
  world.problem.nodes[0].pods.clear();
  EXPECT_EQ(solve(world.problem).placements.size(), 1U);
  world.add_daemon("agent", {}).containers[0].host_ports = {{"0.0.0.0", 80, "TCP"}};
  EXPECT_EQ(solve(world.problem).placements.size(), 0U);
}

// 2.3: types on which a daemon takes the port are no choice; those on which it does not run are.
TEST(HostPorts, DaemonsRuleOutTypes) {
  World world;
  world.add(node_pool("general"));
  world.add(with_port("p", {"0.0.0.0", 9100, "TCP"}));
  api::PodSpec& daemon = world.add_daemon("exporter", resources(0, 0));
  daemon.containers[0].host_ports = {{"0.0.0.0", 9100, "TCP"}};
  EXPECT_EQ(solve(world.problem).unschedulable.at(0).reasons[0],
            "pool general: daemons take host port 0.0.0.0:9100/TCP");
  daemon.required_node_terms = {{{{kGpuCount, api::Operator::kExists, {}, {}}}}};
  const Plan plan = solve(world.problem);
  ASSERT_EQ(plan.claims.size(), 1U) << text(plan);
  EXPECT_EQ(names(plan.claims[0]), (std::vector<std::string>{"cpu-2", "cpu-8"}));
}

}  // namespace
}  // namespace windlass::scheduling

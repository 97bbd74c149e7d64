#include "report/palette.h"

#include <set>

#include <gtest/gtest.h>

namespace windlass::report {
namespace {

sim::ScenarioResult named(const std::vector<std::string>& names) {
  sim::ScenarioResult result;
  for (const std::string& name : names) result.policies.emplace_back().policy = name;
  return result;
}

using Classes = std::vector<std::string>;

TEST(Palette, StandingPoliciesOwnTheirColours) {
  EXPECT_EQ(policy_classes(named({"static", "stock", "windlass"})), (Classes{"p0", "p1", "p2"}));
  EXPECT_EQ(policy_classes(named({"windlass", "mine", "stock"})), (Classes{"p2", "p3", "p1"}));
}

TEST(Palette, NoTwoPoliciesLookTheSame) {
  std::vector<std::string> names = {"static", "stock", "windlass", "static"};
  for (int i = 0; i < 5; ++i) names.push_back("x" + std::to_string(i));
  const Classes classes = policy_classes(named(names));
  EXPECT_EQ(std::set<std::string>(classes.begin(), classes.end()).size(), names.size());
}

TEST(Palette, SpotSharesTheHueOfItsType) {
  sim::ScenarioResult result = named({"a", "b"});
  result.policies[0].chart.emplace_back().nodes_by_type = {{"g5.xlarge spot", 2},
                                                           {"p4d.24xlarge on-demand", 0}};
  result.policies[1].chart.emplace_back().nodes_by_type = {{"g5.xlarge on-demand", 1},
                                                           {"g4dn.xlarge on-demand", 1}};
  const std::vector<NodeLayer> layers = node_layers(result);
  ASSERT_EQ(layers.size(), 3U);  // what never had a node has no layer
  EXPECT_EQ(layers[0].css, "n0");
  EXPECT_EQ(layers[1].css, "n1");
  EXPECT_EQ(layers[2].label, "g5.xlarge spot");
  EXPECT_EQ(layers[2].css, "n1 spot");
}

TEST(Palette, RareTypesShareOneLayer) {
  sim::ScenarioResult result = named({"a"});
  auto& nodes = result.policies[0].chart.emplace_back().nodes_by_type;
  for (int i = 0; i < 9; ++i) nodes["t" + std::to_string(i) + " spot"] = 10 + i;
  const std::vector<NodeLayer> layers = node_layers(result);
  ASSERT_EQ(layers.size(), 7U);
  EXPECT_EQ(layers.front().label, "t3 spot");
  EXPECT_EQ(layers.back().label, "other types");
  EXPECT_EQ(layers.back().keys, (std::vector<std::string>{"t0 spot", "t1 spot", "t2 spot"}));
}

}  // namespace
}  // namespace windlass::report

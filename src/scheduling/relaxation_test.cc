#include "scheduling/relaxation.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace windlass::scheduling {
namespace {

api::NodeSelectorTerm zone_in(const std::string& zone) {
  return {{{"zone", api::Operator::kIn, {zone}, {}}}};
}

std::vector<std::string> requirements_of(const std::vector<Wishes>& steps) {
  std::vector<std::string> out;
  for (const Wishes& step : steps) out.push_back(step.requirements.to_string());
  return out;
}

TEST(Relaxation, APodWithoutPreferencesHasOneStep) {
  EXPECT_EQ(relaxation_steps({}, {}).size(), 1U);
  api::PodSpec pinned;
  pinned.required_node_terms = {zone_in("a")};
  EXPECT_EQ(relaxation_steps(pinned, {}).size(), 1U);  // the last OR term stays
}

TEST(Relaxation, OrTermsGoFirstThenPreferencesFromTheHeaviest) {
  api::PodSpec pod;
  pod.node_selector = {{"team", "ads"}};
  pod.required_node_terms = {zone_in("a"), zone_in("b")};
  pod.preferred_node_terms = {{1, {{{"disk", api::Operator::kExists, {}, {}}}}},
                              {9, {{{"gpu", api::Operator::kExists, {}, {}}}}},
                              {9, {{{"net", api::Operator::kExists, {}, {}}}}}};
  EXPECT_EQ(requirements_of(relaxation_steps(pod, {})),
            (std::vector<std::string>{
                "gpu Exists, team In [ads], zone In [a]", "gpu Exists, team In [ads], zone In [b]",
                "net Exists, team In [ads], zone In [b]", "disk Exists, team In [ads], zone In [b]",
                "team In [ads], zone In [b]"}));
}

TEST(Relaxation, SoftSpreadIsSwappedWithTheLast) {
  const auto constraint = [](const std::string& key, bool soft) {
    api::TopologySpreadConstraint out;
    out.topology_key = key;
    out.schedule_anyway = soft;
    return out;
  };
  api::PodSpec pod;
  pod.topology_spread = {constraint("soft-1", true), constraint("hard", false),
                         constraint("soft-2", true), constraint("soft-3", true)};
  std::vector<std::string> keys;
  for (const Wishes& step : relaxation_steps(pod, {})) {
    std::string line;
    for (const auto& spread : step.spread) line += spread.topology_key + " ";
    keys.push_back(line);
  }
  EXPECT_EQ(keys, (std::vector<std::string>{"soft-1 hard soft-2 soft-3 ", "soft-3 hard soft-2 ",
                                            "soft-2 hard ", "hard "}));
}

TEST(Relaxation, SoftTaintsAreToleratedLastAndOnlyIfThereAreAny) {
  api::PodSpec pod;
  pod.preferred_node_terms = {{1, zone_in("a")}};
  EXPECT_EQ(relaxation_steps(pod, {}).size(), 2U);
  const std::vector<Wishes> steps = relaxation_steps(pod, {.prefer_no_schedule = true});
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_TRUE(steps[1].tolerations.empty());
  ASSERT_EQ(steps[2].tolerations.size(), 1U);
  EXPECT_TRUE(steps[2].tolerations[0].tolerates({"any", "", "PreferNoSchedule"}));
  EXPECT_FALSE(steps[2].tolerations[0].tolerates({"any", "", "NoSchedule"}));
  pod.tolerations = steps[2].tolerations;
  EXPECT_EQ(relaxation_steps(pod, {.prefer_no_schedule = true}).size(), 2U);  // nothing to add
}

std::string numbers(const Wishes& step) {
  std::string out;
  for (const auto& term : step.affinity) out += "+" + term.topology_key;
  for (const auto& term : step.anti_affinity) out += "-" + term.topology_key;
  for (const auto& spread : step.spread) out += "~" + spread.topology_key;
  if (step.requirements.size() > 0) out += "!";
  for (const auto& toleration : step.tolerations) out += "t" + toleration.effect;
  return out;
}

api::PreferredPodTerm preferred(int weight, const std::string& key) {
  api::PreferredPodTerm out;
  out.weight = weight;
  out.term.topology_key = key;
  return out;
}

// 2.5, whole: pod affinity, pod anti-affinity (each from the heaviest), node preference,
// ScheduleAnyway, PreferNoSchedule; required terms stay.
TEST(Relaxation, WholeOrder) {
  api::PodSpec pod;
  pod.affinity.required.emplace_back().topology_key = "req";
  pod.affinity.preferred = {preferred(1, "light"), preferred(7, "heavy")};
  pod.anti_affinity.preferred = {preferred(1, "anti")};
  pod.preferred_node_terms = {{1, zone_in("a")}};
  pod.topology_spread.emplace_back().topology_key = "soft";
  pod.topology_spread.back().schedule_anyway = true;
  std::vector<std::string> steps;
  for (const Wishes& step : relaxation_steps(pod, {.prefer_no_schedule = true})) {
    steps.push_back(numbers(step));
  }
  EXPECT_EQ(steps, (std::vector<std::string>{"+req+light+heavy-anti~soft!", "+req+light-anti~soft!",
                                             "+req-anti~soft!", "+req~soft!", "+req~soft", "+req",
                                             "+reqtPreferNoSchedule"}));
  const auto ignoring =
      relaxation_steps(pod, {.prefer_no_schedule = true, .ignore_preferences = true});
  ASSERT_EQ(ignoring.size(), 1U);
  EXPECT_EQ(numbers(ignoring[0]), "+reqtPreferNoSchedule");
}

}  // namespace
}  // namespace windlass::scheduling

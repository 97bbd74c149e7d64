#include "cli/replay_history.h"

#include <gtest/gtest.h>

namespace windlass::cli {
namespace {

using Topic = ReplayTopic;
using Points = std::map<int64_t, double>;

// Two hours from an hour on, a minute a step.
constexpr RangeWindow kSpan{3600, 3 * 3600, 60};

HistoryBuilder builder(int64_t rate_window = 60, std::set<std::string> own = {}) {
  return {kSpan, rate_window, std::move(own), {}, {}};
}
ReplayQuery query(Topic topic, std::string model = "") {
  return {topic, "", "", 60, std::move(model)};
}

Points every_minute(double value, int64_t from = kSpan.from, int64_t to = kSpan.to + 600) {
  Points points;
  for (int64_t at = from; at < to; at += 60) points[at] = value;
  return points;
}

TEST(ReplayHistory, RatesBelongToTheStepBeforeThem) {
  // What a rate over a minute says at t was before t.
  HistoryBuilder one = builder();
  Points points = every_minute(0);
  points[3600 + 60] = 5;
  one.add(query(Topic::kRate), {{{{"model_name", "m"}}, points}});
  EXPECT_EQ(one.finish().models.at("m").rates[0], 5);
  // Over five minutes the middle lies two steps further back.
  HistoryBuilder five = builder(300);
  points = every_minute(0);
  points[3600 + 180] = 5;
  five.add(query(Topic::kRate), {{{{"model_name", "m"}}, points}});
  EXPECT_EQ(five.finish().models.at("m").rates[0], 5);
}

TEST(ReplayHistory, SumsAndPeaks) {
  HistoryBuilder build = builder();
  build.add(query(Topic::kRate), {{{{"model_name", "m"}}, every_minute(2)}});
  build.add(query(Topic::kRate), {{{{"model", "m"}}, every_minute(1)}});
  build.add(query(Topic::kWaiting), {{{{"model_name", "m"}}, {{4000, 3}, {5000, 9}}}});
  const auto history = build.finish();
  const ModelHistory& model = history.models.at("m");
  EXPECT_EQ(model.rates.size(), 120u);
  EXPECT_EQ(model.requests, 3 * 7200);
  EXPECT_EQ(model.peak, 3);
  EXPECT_EQ(model.covered_s, 7200);
  EXPECT_EQ(model.waiting_peak, 9);
  EXPECT_TRUE(model.gaps.empty());
}

TEST(ReplayHistory, ShortGapsAreBridgedLongOnesAreNot) {
  Points points = every_minute(4);
  // Minutes 10..13 and 60..89 lack; a rate at t is the step's before.
  for (int64_t i = 10; i < 14; ++i) points.erase(3600 + (i + 1) * 60);
  for (int64_t i = 60; i < 90; ++i) points.erase(3600 + (i + 1) * 60);
  points[3600 + 15 * 60] = 9;  // minute 14
  HistoryBuilder build = builder();
  build.add(query(Topic::kRate), {{{{"model_name", "m"}}, points}});
  const auto history = build.finish();
  const ModelHistory& model = history.models.at("m");
  EXPECT_EQ(model.rates[9], 4);
  EXPECT_EQ(model.rates[10], 5);
  EXPECT_EQ(model.rates[13], 8);
  EXPECT_EQ(model.rates[14], 9);
  EXPECT_EQ(model.rates[75], 0);
  ASSERT_EQ(model.gaps.size(), 1u);
  EXPECT_EQ(model.gaps[0].from, 3600 + 60 * 60);
  EXPECT_EQ(model.gaps[0].to, 3600 + 90 * 60);
  EXPECT_EQ(model.covered_s, (120 - 34) * 60);
}

TEST(ReplayHistory, TheEndsAreHeld) {
  HistoryBuilder build = builder();
  build.add(query(Topic::kRate), {{{{"model_name", "m"}}, every_minute(4, 3600 + 300, 3 * 3600)}});
  const auto history = build.finish();
  EXPECT_EQ(history.models.at("m").rates.front(), 4);
  EXPECT_EQ(history.models.at("m").rates.back(), 4);
}

TEST(ReplayHistory, OwnQueriesTakeThePlaceOfDefaults) {
  HistoryBuilder build = builder(60, {"m"});
  build.add(query(Topic::kRate), {{{{"model_name", "m"}}, every_minute(100)}});
  build.add(query(Topic::kRate, "m"), {{{{"pod", "a"}}, every_minute(1)}, {{}, every_minute(2)}});
  EXPECT_EQ(build.finish().models.at("m").peak, 3);
}

TEST(ReplayHistory, StartsOfNodes) {
  HistoryBuilder build = builder();
  const auto node = [](std::string name, Points points) {
    return RangeSeries{{{"node", std::move(name)}}, std::move(points)};
  };
  // An old node says nothing; two new ones: Ready between 40 and 100 s, 60 s later with GPUs.
  build.add(query(Topic::kNodeCreated),
            {node("old", {{3600, 100}}), node("a", {{4200, 4000}}), node("b", {{6000, 5800}})});
  build.add(query(Topic::kNodeReady),
            {node("old", {{3600, 1}}), node("a", {{4080, 1}, {4140, 1}}), node("b", {{5880, 1}})});
  build.add(query(Topic::kNodeGpus),
            {node("old", {{3600, 1}}), node("a", {{4140, 1}}), node("b", {{5880, 1}})});
  const auto history = build.finish();
  ASSERT_TRUE(history.node_ready.has_value());
  EXPECT_EQ(history.node_ready->times, 2u);
  EXPECT_EQ(history.node_ready->median, 50);  // half a step before they were seen
  EXPECT_EQ(history.node_gpus, 30);
}

RangeSeries pod(std::string name, double value) {
  return {{{"namespace", "ns"}, {"pod", std::move(name)}}, {{6000, value}}};
}

TEST(ReplayHistory, StartsOfPods) {
  HistoryBuilder build = builder();
  build.add(query(Topic::kPodCreated), {pod("a", 5000), pod("b", 5000), pod("old", 100)});
  build.add(query(Topic::kPodScheduled), {pod("a", 5010), pod("b", 5010), pod("old", 110)});
  build.add(query(Topic::kPodStarted), {pod("a", 5070), pod("b", 5012), pod("old", 111)});
  build.add(query(Topic::kPodReady), {pod("a", 5170), pod("b", 5112), pod("old", 112)});
  const auto history = build.finish();
  ASSERT_TRUE(history.pod_start && history.image_pull);
  EXPECT_EQ(history.pod_start->median, 100);
  EXPECT_EQ(history.pod_start->times, 2u);
  EXPECT_EQ(history.image_pull->median, 60);
  EXPECT_EQ(history.image_pull->times, 1u);  // b's image was there
  EXPECT_FALSE(history.pull_within_start);
}

TEST(ReplayHistory, StartsOfPodsWithoutTheContainers) {
  HistoryBuilder build = builder();
  build.add(query(Topic::kPodCreated), {pod("a", 5000)});
  build.add(query(Topic::kPodReady), {pod("a", 5170), pod("stranger", 5000)});
  const auto history = build.finish();
  ASSERT_TRUE(history.pod_start.has_value());
  EXPECT_EQ(history.pod_start->median, 170);
  EXPECT_TRUE(history.pull_within_start);
}

TEST(ReplayHistory, Beginnings) {
  HistoryBuilder build = builder();
  const auto group = [](std::string type, Points points) {
    return RangeSeries{
        {{"instance_type", std::move(type)}, {"capacity_type", "spot"}, {"nodepool", "gpu"}},
        std::move(points)};
  };
  build.add(query(Topic::kNodeTypes),
            {group("a", {{3600, 2}, {7200, 1}}), group("b", {{7200, 4}})});
  build.add(query(Topic::kReplicas),
            {{{{"namespace", "ns"}, {"deployment", "d"}}, {{3600, 3}, {4000, 8}, {5000, 1}}},
             {{{"namespace", "ns"}, {"deployment", "late"}}, {{7200, 1}}}});
  const auto history = build.finish();
  EXPECT_EQ(history.first_nodes, (std::vector<NodeCount>{{"a", "spot", "gpu", 2}}));
  EXPECT_EQ(history.most_nodes,
            (std::vector<NodeCount>{{"a", "spot", "gpu", 1}, {"b", "spot", "gpu", 4}}));
  EXPECT_EQ(history.first_replicas, (std::map<std::string, int>{{"ns/d", 3}}));
  EXPECT_EQ(history.most_replicas, (std::map<std::string, int>{{"ns/d", 8}, {"ns/late", 1}}));
}

TEST(ReplayHistory, Percentiles) {
  EXPECT_FALSE(took({}).has_value());
  EXPECT_EQ(took({5})->p95, 5);
  std::vector<double> values;
  for (int i = 100; i >= 0; --i) values.push_back(i);
  EXPECT_EQ(took(values)->median, 50);
  EXPECT_EQ(took(values)->p95, 95);
}

}  // namespace
}  // namespace windlass::cli

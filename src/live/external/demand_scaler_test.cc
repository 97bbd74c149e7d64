#include "live/external/demand_scaler.h"

#include <map>

#include <gtest/gtest.h>

#include "net/virtual_clock.h"

namespace windlass::live::external {
namespace {

// A Prometheus that answers when the clock is moved, so never inside the question.
struct World {
  net::VirtualClock clock{Instant{}};
  std::map<std::string, double> values;
  std::string down;
  int asked = 0;
  DemandScaler demand{
      [this](const scaling::TriggerPlan& plan, std::function<void(cluster::QueryAnswer)> done) {
        ++asked;
        clock.after(milliseconds(10), [this, query = plan.query, done] {
          cluster::QueryAnswer answer;
          answer.error = down;
          const auto found = values.find(query);
          if (found != values.end()) answer.values = {found->second};
          done(answer);
        });
      },
      clock};
  Scaler scaler = demand.scaler();

  static ScaledRef who(const std::string& name = "vllm") {
    return {"inference",
            name,
            {{"model", "x"},
             {"replicaRequestsPerSecond", "2"},
             {"serverAddress", "http://p"},
             {"arrivalsQuery", "rate"},
             {"waitingQuery", "queue"}}};
  }
  // The answer now, or -1 for an error.
  double wanted(const ScaledRef& ref = who()) {
    double out = -2;
    scaler.wanted(ref, [&](const Result<double>& said) { out = said.ok() ? *said : -1; });
    if (out == -2) clock.advance(milliseconds(10));
    return out;
  }
  // As KEDA does: every 15 s.
  double wanted_after(Duration length) {
    double out = 0;
    for (Duration t{}; t < length; t = t + seconds(15)) {
      clock.advance(seconds(15));
      out = wanted();
    }
    return out;
  }
};

TEST(DemandScaler, AnswersFromItsFirstSample) {
  World world;
  world.values = {{"rate", 20}, {"queue", 0}};
  EXPECT_GE(world.wanted(), 10);  // 20 requests/s, 2 a replica
  EXPECT_LE(world.wanted(), 20);
  EXPECT_EQ(world.asked, 2);  // one sample, however often it is asked for
}

TEST(DemandScaler, NothingAtAllIsZero) {
  World world;
  EXPECT_EQ(world.wanted(), 0);
  EXPECT_EQ(world.wanted_after(minutes(5)), 0);
}

TEST(DemandScaler, FollowsTheTrafficUpAndDown) {
  World world;
  world.values = {{"rate", 2}};
  const double before = world.wanted_after(minutes(2));
  EXPECT_GE(before, 1);
  EXPECT_LE(before, 3);
  world.values["rate"] = 40;
  EXPECT_GE(world.wanted_after(seconds(30)), 15);
  EXPECT_GE(world.wanted_after(minutes(3)), 20);
  world.values["rate"] = 0;
  EXPECT_EQ(world.wanted_after(minutes(40)), 0);
}

TEST(DemandScaler, AQueueAloneWantsReplicas) {
  World world;
  world.values = {{"rate", 0}, {"queue", 300}};
  EXPECT_GE(world.wanted(), 5);  // 300 requests in 30 s are 10/s
}

TEST(DemandScaler, AnOutageIsAnErrorAndForgetsNothing) {
  World world;
  world.values = {{"rate", 40}};
  EXPECT_GE(world.wanted_after(minutes(5)), 20);
  world.down = "connection refused";
  EXPECT_EQ(world.wanted_after(minutes(1)), -1);
  world.down.clear();
  world.values["rate"] = 1;
  // The peak before the outage still counts: 40 requests/s, 2 a replica.
  EXPECT_GE(world.wanted_after(seconds(30)), 20);
}

TEST(DemandScaler, OtherMetadataIsAnotherBeginning) {
  World world;
  world.values = {{"rate", 40}, {"other", 2}};
  EXPECT_GE(world.wanted_after(minutes(5)), 20);
  auto other = World::who();
  other.metadata["arrivalsQuery"] = "other";
  EXPECT_LE(world.wanted(other), 3);
  EXPECT_EQ(world.demand.objects(), 1U);
}

TEST(DemandScaler, WhoIsNotAskedForIsForgotten) {
  World world;
  EXPECT_EQ(world.wanted(World::who("a")), 0);
  EXPECT_EQ(world.wanted(World::who("b")), 0);
  EXPECT_EQ(world.demand.objects(), 2U);
  world.clock.advance(minutes(11));
  EXPECT_EQ(world.demand.objects(), 0U);
  const int asked = world.asked;
  world.clock.advance(hours(1));
  EXPECT_EQ(world.asked, asked);
}

// Lengths come with the first finished requests; until then there is one replica to finish them.
TEST(DemandScaler, TheFirstRequestsGetAReplica) {
  World world;
  ScaledRef who{"inference",
                "llm",
                {{"model", "llama-2-7b"},
                 {"gpu", "a10g"},
                 {"slo", "10s"},
                 {"serverAddress", "http://p"},
                 {"arrivalsQuery", "rate"},
                 {"inputTokensQuery", "in"},
                 {"outputTokensQuery", "out"}}};
  EXPECT_EQ(world.wanted(who), 0);
  world.values = {{"rate", 30}};
  world.clock.advance(seconds(16));
  EXPECT_EQ(world.wanted(who), 1);
  world.values = {{"rate", 30}, {"in", 500}, {"out", 100}};
  world.clock.advance(seconds(16));
  EXPECT_GT(world.wanted(who), 5);
}

TEST(DemandScaler, BadMetadataIsRefusedAtOnce) {
  World world;
  EXPECT_FALSE(world.scaler.metric({"n", "a", {}}).ok());
  EXPECT_EQ(world.wanted({"n", "a", {}}), -1);
  EXPECT_EQ(world.demand.objects(), 0U);
}

}  // namespace
}  // namespace windlass::live::external

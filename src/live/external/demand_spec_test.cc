#include "live/external/demand_spec.h"

#include <gtest/gtest.h>

namespace windlass::live::external {
namespace {

api::StringMap good() {
  return {{"model", "meta-llama/Llama-2-7b-chat-hf"},
          {"gpu", "a10g"},
          {"slo", "10s"},
          {"serverAddress", "http://prometheus:9090"},
          {"arrivalsQuery", "sum(rate(a[1m]))"},
          {"inputTokensQuery", "in"},
          {"outputTokensQuery", "out"}};
}

TEST(DemandSpec, ReadsAllItNeeds) {
  const auto spec = read_demand_spec(good());
  ASSERT_TRUE(spec.ok()) << spec.error().message();
  EXPECT_EQ(spec->metric, "windlass-meta-llama-llama-2-7b-chat-hf");
  EXPECT_GT(spec->profile.iteration_base_ms, 0);
  EXPECT_EQ(spec->slo, seconds(10));
  EXPECT_EQ(spec->lead, minutes(5));
  EXPECT_TRUE(spec->queries[kArrivals] && spec->queries[kInputMean] && spec->queries[kOutputMean]);
  EXPECT_FALSE(spec->queries[kWaiting] || spec->queries[kInputP95] || spec->queries[kOutputP95]);
  EXPECT_EQ(spec->queries[kArrivals]->query, "sum(rate(a[1m]))");
  EXPECT_EQ(spec->queries[kArrivals]->server_address, "http://prometheus:9090");
}

TEST(DemandSpec, NamesWhatIsWrong) {
  struct Case {
    const char* key;
    const char* value;  // nullptr: left out
    const char* said;
  };
  const Case cases[] = {
      {"model", nullptr, "model: required"},
      {"model", "my-own", "model: \"my-own\" is no published model"},
      {"gpu", nullptr, "gpu: one of t4"},
      {"gpu", "A10G-24", "gpu: one of t4"},
      {"slo", nullptr, "slo: required"},
      {"slo", "-1s", "slo: not a duration"},
      {"slo", "25h", "slo: not a duration"},
      {"leadTime", "soon", "leadTime: not a duration"},
      {"maxReplicas", "0", "maxReplicas: not a number from 1"},
      {"maxReplicas", "1e9", "maxReplicas: not a number from 1"},
      {"arrivalsQuery", " ", "arrivalsQuery: required"},
      {"inputTokensQuery", nullptr, "inputTokensQuery: required without"},
      {"serverAddress", nullptr, "serverAddress"},
      {"replicaRequestsPerSecond", "nan", "replicaRequestsPerSecond: not a number"},
      {"tensorParallel", "65", "tensorParallel: not a number"},
      {"timeout", "never", "timeout"},
  };
  for (const Case& c : cases) {
    auto metadata = good();
    metadata.erase(c.key);
    if (c.value != nullptr) metadata[c.key] = c.value;
    const auto spec = read_demand_spec(metadata);
    ASSERT_FALSE(spec.ok()) << c.key;
    EXPECT_NE(spec.error().message().find(c.said), std::string::npos) << spec.error().message();
  }
}

TEST(DemandSpec, AModelOfItsOwnHasItsFiguresGiven) {
  auto metadata = good();
  metadata["model"] = "My Own";
  metadata["parameters"] = "7e9";
  metadata["kvBytesPerToken"] = "131072";
  const auto spec = read_demand_spec(metadata);
  ASSERT_TRUE(spec.ok()) << spec.error().message();
  EXPECT_EQ(spec->metric, "windlass-my-own");
  metadata["parameters"] = "7e10";  // 140 GB don't fit an A10G
  EXPECT_FALSE(read_demand_spec(metadata).ok());
}

TEST(DemandSpec, AMeasuredReplicaNeedsNoModelOfIt) {
  const auto spec = read_demand_spec({{"model", "x"},
                                      {"replicaRequestsPerSecond", "2.5"},
                                      {"serverAddress", "http://p"},
                                      {"arrivalsQuery", "a"}});
  ASSERT_TRUE(spec.ok()) << spec.error().message();
  EXPECT_EQ(spec->replica_requests_per_s, 2.5);
}

}  // namespace
}  // namespace windlass::live::external

#include "server/observe/history.h"

#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "server/observe/model_rates.h"

namespace windlass::server::observe {
namespace {

constexpr Instant kStart{1'700'000'000'000'000'000};

const catalog::Catalog& types() {
  static const catalog::Catalog catalog = catalog::built_in({});
  return catalog;
}

// A world of one model and one node, moved on by hand.
struct SmallWorld {
  SmallWorld() : state(types()) {
    cluster::InferenceModel model;
    model.name = "m";
    model.deployment = "ns/d";
    state.set_models({model});
    api::Deployment deployment;
    deployment.meta.name = "d";
    deployment.meta.namespace_name = "ns";
    deployment.replicas = 3;
    state.put(deployment);
    sim::Instance& instance = instances["i-1"];
    instance.type = types().find("g6.xlarge");
    instance.capacity_type = "spot";
    instance.usd_per_hour = 0.5;
    sources.started = kStart;
    sources.now = [this] { return now; };
    sources.state = &state;
    sources.instances = &instances;
    sources.cost_usd = [this] { return (now - kStart).hours() * 0.5; };
    sources.gpu_seconds_paid = [this] { return (now - kStart).seconds(); };
    sources.gpu_seconds_busy = [this] { return busy_s; };
    sources.models = [this] {
      ModelReading copy = reading;
      copy.latencies_ms = &latencies;
      return std::vector<ModelReading>{copy};
    };
  }
  // One minute in which so many requests come and are answered in as many milliseconds each.
  void minute(std::initializer_list<float> answered_ms) {
    now = now + minutes(1);
    busy_s += 15;
    reading.offered += answered_ms.size();
    reading.completed += answered_ms.size();
    reading.generated_tokens += 60;
    latencies.insert(latencies.end(), answered_ms);
  }

  cluster::State state;
  std::map<std::string, sim::Instance> instances;
  Instant now = kStart;
  double busy_s = 0;
  ModelReading reading;
  std::vector<float> latencies;
  Sources sources;
};

Json read(const std::string& text) {
  auto json = parse_json(text);
  return json.ok() ? *json : Json(json.error().message());
}

TEST(History, APointIsWhatTheMinuteCameTo) {
  SmallWorld world;
  History history(100);
  EXPECT_FALSE(history.sample(world.sources));
  world.minute({10, 20, 30, 40, 1000, 50});
  world.reading.waiting = 4;
  world.reading.servers_ready = 2;
  EXPECT_TRUE(history.sample(world.sources));
  world.minute({});
  EXPECT_TRUE(history.sample(world.sources));
  const Json json = read(history.json(-1, 1e9, 10));
  EXPECT_EQ(json["t"], Json({60, 120}));
  EXPECT_EQ(json["requests_per_s"], Json({0.1, 0}));
  EXPECT_EQ(json["tokens_per_s"], Json({1, 1}));
  EXPECT_EQ(json["p50_ms"], Json({30, nullptr}));
  EXPECT_EQ(json["p95_ms"], Json({1000, nullptr}));
  EXPECT_EQ(json["usd_per_hour"], Json({0.5, 0.5}));
  EXPECT_EQ(json["usd"], Json({0.0083, 0.0167}));
  EXPECT_EQ(json["queue"], Json({4, 4}));
  EXPECT_EQ(json["replicas_wanted"], Json({3, 3}));
  EXPECT_EQ(json["replicas_ready"], Json({2, 2}));
  EXPECT_EQ(json["gpus_paid"], Json({1, 1}));
  EXPECT_EQ(json["gpu_busy"], Json({0.25, 0.25}));
  EXPECT_EQ(json["nodes_by_type"], (Json{{"g6.xlarge spot", {1, 1}}}));
}

TEST(History, OtherPoliciesCostWhatTheyDidThen) {
  SmallWorld world;
  std::vector<PolicyCost> costs{{"static", 7, 1.5}};
  world.sources.other_policies = [&] { return costs; };
  History history(100);
  world.minute({});
  history.sample(world.sources);
  costs = {{"static", 7, 2.5}, {"stock", 3, 0.25}};
  world.minute({});
  history.sample(world.sources);
  world.minute({});
  costs[1].usd = 0.5;
  history.sample(world.sources);
  EXPECT_EQ(read(history.json(-1, 1e9, 10))["policies_usd"],
            (Json{{"static", {1.5, 2.5, 2.5}}, {"stock", {nullptr, 0.25, 0.5}}}));
  // Merged: as at the end.
  EXPECT_EQ(read(history.json(-1, 1e9, 1))["policies_usd"],
            (Json{{"static", Json::array({2.5})}, {"stock", Json::array({0.5})}}));
}

// A cluster that goes on from an earlier run: its first point is of its own first minute.
TEST(History, BeginsWhereItIsTold) {
  SmallWorld world;
  for (int i = 0; i < 60; ++i) world.minute({10, 10});
  History history(100);
  history.begin(world.sources);
  world.minute({20, 20, 20, 20, 20, 20});
  EXPECT_TRUE(history.sample(world.sources));
  const Json json = read(history.json(-1, 1e9, 10));
  EXPECT_EQ(json["t"], Json::array({3660}));
  EXPECT_EQ(json["requests_per_s"], Json::array({0.1}));
  EXPECT_EQ(json["p50_ms"], Json::array({20}));
  EXPECT_EQ(json["gpu_busy"], Json::array({0.25}));
}

TEST(History, WideStretchesAreMergedNotDropped) {
  SmallWorld world;
  History history(1000);
  for (int i = 0; i < 100; ++i) {
    if (i == 37) {
      world.minute({9000});
    } else {
      world.minute({10, 10});
    }
    history.sample(world.sources);
  }
  const Json json = read(history.json(-1, 1e9, 10));
  ASSERT_EQ(json["t"].size(), 10U);
  EXPECT_EQ(json["t"][0], 600);
  EXPECT_EQ(json["t"][9], 6000);
  // The one slow minute shows at any width.
  EXPECT_EQ(json["p95_ms"][3], 9000);
  EXPECT_EQ(json["p95_ms"][4], 10);
  // 19 of 20 requests: means keep the sum.
  EXPECT_NEAR(json["requests_per_s"][3].get<double>(), 19.0 / 600, 0.0006);
  for (const auto& [name, series] : json.items()) {
    if (name == "nodes_by_type" || name == "policies_usd") continue;
    EXPECT_EQ(series.size(), 10U) << name;
  }
  EXPECT_EQ(read(history.json(600, 1200, 100))["t"].size(), 10U);
  EXPECT_EQ(read(history.json(6000, 7000, 100))["t"].size(), 0U);
  EXPECT_EQ(read(history.json(1200, 600, 100))["t"].size(), 0U);
}

TEST(History, StaysWithinItsPoints) {
  SmallWorld world;
  History history(64);
  for (int i = 0; i < 1000; ++i) {
    world.minute({10, 10, 10});
    history.sample(world.sources);
    ASSERT_LE(history.size(), 64U);
  }
  const Json json = read(history.json(-1, 1e9, 5000));
  EXPECT_EQ(json["t"].back(), 60'000);
  for (const Json& rate : json["requests_per_s"]) EXPECT_EQ(rate, 0.05);
}

TEST(ModelRates, AreOfTheLastMinute) {
  SmallWorld world;
  ModelRates rates;
  const auto now = [&] { return rates.since_a_minute(world.now, world.sources.models())[0]; };
  rates.mark(world.now, world.sources.models());
  EXPECT_TRUE(std::isnan(now().requests_per_s));
  world.minute({100, 200, 300});
  EXPECT_DOUBLE_EQ(now().requests_per_s, 3.0 / 60);
  EXPECT_EQ(now().p50_ms, 200);
  rates.mark(world.now, world.sources.models());
  world.minute({1, 1, 1, 1, 1, 1});
  EXPECT_DOUBLE_EQ(now().requests_per_s, 0.1);
  EXPECT_DOUBLE_EQ(now().tokens_per_s, 1);
  EXPECT_EQ(now().p95_ms, 1);
}

// Exporters may keep the newest latencies only.
TEST(ModelRates, TakeWhatLatenciesThereAre) {
  const std::vector<float> kept{1, 2, 3};
  ModelReading reading;
  reading.completed = 100;
  reading.latencies_ms = &kept;
  EXPECT_EQ(newest_latencies(reading, 2).size(), 2U);
  EXPECT_EQ(newest_latencies(reading, 2)[0], 2);
  EXPECT_EQ(newest_latencies(reading, 50).size(), 3U);
}

}  // namespace
}  // namespace windlass::server::observe

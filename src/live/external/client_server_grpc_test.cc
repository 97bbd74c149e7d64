#include <optional>

#include <gtest/gtest.h>

#include "live/external/client.h"
#include "live/external/server.h"

namespace windlass::live::external {
namespace {

// Client and server on one loop, over a socket.
struct Pair {
  net::EventLoop loop;
  std::unique_ptr<net::Clock> clock = net::system_clock_on(loop);
  double replicas = 3;
  std::string bad, unknown;
  bool answers = true;
  std::vector<std::function<void(Result<double>)>> held;
  std::vector<ScaledRef> seen;
  std::unique_ptr<ScalerServer> server;
  scaling::TriggerPlan plan;
  ScaledRef who{"ns", "name", {{"key", "value"}}};

  explicit Pair(size_t most_open = 1000) {
    Scaler scaler;
    scaler.metric = [this](const ScaledRef& ref) -> Result<std::string> {
      seen.push_back(ref);
      if (!bad.empty()) return Error(bad);
      return std::string("metric");
    };
    scaler.wanted = [this](const ScaledRef&, std::function<void(Result<double>)> done) {
      if (!answers) {
        held.push_back(std::move(done));
      } else if (unknown.empty()) {
        done(replicas);
      } else {
        done(Error(unknown));
      }
    };
    ServerOptions options;
    options.listen = "127.0.0.1:0";
    options.push_period = milliseconds(10);
    options.most_open = most_open;
    auto started = ScalerServer::start(loop, *clock, options, scaler);
    EXPECT_TRUE(started.ok());
    server = *std::move(started);
    plan.kind = scaling::TriggerPlan::Kind::kExternal;
    plan.server_address = "127.0.0.1:" + std::to_string(server->port());
    plan.timeout = seconds(20);
  }

  cluster::QueryAnswer ask(ExternalScalers& client) {
    std::optional<cluster::QueryAnswer> out;
    client.ask(plan, who, [&](cluster::QueryAnswer answer) { out = std::move(answer); });
    while (!out) loop.turn();
    return *out;
  }
};

TEST(ExternalScalers, AskAndAnswer) {
  Pair pair;
  ExternalScalers client(pair.loop, *pair.clock);
  auto answer = pair.ask(client);
  EXPECT_EQ(answer.error, "");
  EXPECT_EQ(answer.values, std::vector<double>{3});
  EXPECT_EQ(answer.active, true);
  EXPECT_EQ(answer.target_milli, 1000);
  EXPECT_EQ(pair.seen.front().namespace_name, "ns");
  EXPECT_EQ(pair.seen.front().metadata, pair.who.metadata);
  pair.replicas = 0;
  answer = pair.ask(client);
  EXPECT_EQ(answer.values, std::vector<double>{0});
  EXPECT_EQ(answer.active, false);
  EXPECT_EQ(client.stats().asked, 2U);
  EXPECT_EQ(client.stats().failed, 0U);
  EXPECT_EQ(client.stats().channels, 1U);
  EXPECT_EQ(client.stats().open, 0U);
}

TEST(ExternalScalers, ErrorsSayWhatTheServerSaid) {
  Pair pair;
  ExternalScalers client(pair.loop, *pair.clock);
  pair.unknown = "Prometheus is away";
  EXPECT_NE(pair.ask(client).error.find("unavailable: Prometheus is away"), std::string::npos);
  pair.bad = "model: required";
  EXPECT_EQ(pair.ask(client).error, "GetMetricSpec: invalid argument: model: required");
  EXPECT_EQ(client.stats().failed, 2U);
}

TEST(ExternalScalers, PushesWhatChanges) {
  Pair pair;
  pair.replicas = 0;
  ExternalScalers client(pair.loop, *pair.clock);
  std::vector<bool> told;
  const auto id = client.watch(pair.plan, pair.who, [&](bool active) { told.push_back(active); });
  while (told.empty()) pair.loop.turn();
  pair.replicas = 1;
  while (told.size() < 2) pair.loop.turn();
  pair.replicas = 0;
  while (told.size() < 3) pair.loop.turn();
  EXPECT_EQ(told, (std::vector<bool>{false, true, false}));
  client.unwatch(id);
  client.unwatch(id);
  client.unwatch(77);
}

TEST(ExternalScalers, AWatchMayEndItself) {
  Pair pair;
  ExternalScalers client(pair.loop, *pair.clock);
  ExternalScalers::WatchId id = 0;
  int told = 0;
  id = client.watch(pair.plan, pair.who, [&](bool) {
    ++told;
    client.unwatch(id);
  });
  while (told == 0) pair.loop.turn();
  pair.replicas = 0;
  pair.ask(client);
  EXPECT_EQ(told, 1);
}

// The asker goes while its question is with the server, and the server while it has one.
TEST(ExternalScalers, EitherSideMayGoFirst) {
  for (const bool client_first : {true, false}) {
    Pair pair;
    pair.answers = false;
    auto client = std::make_unique<ExternalScalers>(pair.loop, *pair.clock);
    bool answered = false;
    std::string error;
    client->ask(pair.plan, pair.who, [&](const cluster::QueryAnswer& answer) {
      answered = true;
      error = answer.error;
    });
    client->watch(pair.plan, pair.who, [](bool) {});
    while (pair.held.size() < 3) pair.loop.turn();  // GetMetrics, IsActive, the stream
    if (client_first) {
      client.reset();
      pair.server.reset();
      EXPECT_FALSE(answered);
    } else {
      pair.server.reset();
      while (!answered) pair.loop.turn();
      EXPECT_NE(error.find("unavailable"), std::string::npos) << error;
      client.reset();
    }
    for (auto& done : pair.held) done(5.0);  // into nothing
  }
}

TEST(ExternalScalers, TooManyAtOnceAreRefused) {
  Pair pair(2);
  pair.answers = false;
  ExternalScalers client(pair.loop, *pair.clock);
  client.ask(pair.plan, pair.who, [](const cluster::QueryAnswer&) {});
  while (pair.held.size() < 2) pair.loop.turn();
  EXPECT_NE(pair.ask(client).error.find("resource exhausted"), std::string::npos);
}

TEST(ExternalScalers, ServerOptionsAreChecked) {
  net::EventLoop loop;
  const auto clock = net::system_clock_on(loop);
  ServerOptions options;
  options.listen = "127.0.0.1:0";
  options.key = "x";
  EXPECT_FALSE(ScalerServer::start(loop, *clock, options, {}).ok());
  options.key.clear();
  options.client_ca = "x";
  EXPECT_FALSE(ScalerServer::start(loop, *clock, options, {}).ok());
  options.client_ca.clear();
  options.listen = "nowhere";
  EXPECT_FALSE(ScalerServer::start(loop, *clock, options, {}).ok());
}

}  // namespace
}  // namespace windlass::live::external

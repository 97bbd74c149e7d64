// The feed over a real world: what streams were sent adds up to what a snapshot says.
#include "server/observe/dashboard_feed.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "server/observe/fake_exchange.h"
#include "server/observe/windlass_metrics.h"
#include "server/observe/world_sources.h"
#include "sim/world_fixture.h"

namespace windlass::server::observe {
namespace {

Json read(std::string_view text) {
  auto json = parse_json(text);
  EXPECT_TRUE(json.ok()) << (json.ok() ? "" : json.error().message());
  return json.ok() ? *json : Json();
}

struct Watched {
  explicit Watched(controllers::Policy policy = controllers::Policy::kStock)
      : running(1, policy), feed(sources(*running.world)), untouched(sources(*running.world)) {
    running.world->on_decision = [this](std::string_view who, const controllers::Decision& what) {
      feed.note_decision(who, what);
      untouched.note_decision(who, what);
    };
  }
  static Sources sources(sim::World& world) {
    Sources out = sources_of(world);
    out.version = "test";
    out.speed = [] { return 60.0; };
    out.paused = [] { return false; };
    out.other_policies = [] { return std::vector<PolicyCost>{{"static", 7.4, 30.1}}; };
    return out;
  }
  // As the loop does it.
  void run(Duration length) {
    const Instant end = running.world->now() + length;
    while (running.world->now() < end) {
      running.run(std::min(end, feed.next_sample()) - running.world->now());
      if (running.world->now() < feed.next_sample()) continue;
      feed.sample();
      untouched.sample();
    }
    feed.tick();
  }
  Response ask(std::string_view line, std::string body = {}) {
    const auto exchange = std::make_shared<FakeExchange>();
    Request request = request_of(line);
    request.body = std::move(body);
    feed.handle(request, exchange);
    EXPECT_TRUE(exchange->response.has_value());
    return exchange->response.value_or(Response{});
  }

  sim::RunningWorld running;
  DashboardFeed feed;
  DashboardFeed untouched;  // hears the same, but builds no frame until asked
};

// The page's part: an update applied to what it had.
void apply_update(Json& page, const Json& update) {
  for (const auto& [name, value] : update.items()) {
    if (name == "gone") continue;
    if (name == "decisions") {
      Json all = value;
      for (const Json& old : page["decisions"]) all.push_back(old);
      while (all.size() > 200) all.erase(all.size() - 1);
      page["decisions"] = all;
      continue;
    }
    if (!value.is_array()) {
      page[name] = value;
      continue;
    }
    const char* key = name == "nodes" || name == "models" ? "name" : "key";
    std::map<std::string, Json> by_key;
    for (const Json& element : page[name]) by_key[element[key]] = element;
    for (const Json& element : value) by_key[element[key]] = element;
    if (update["gone"].contains(name)) {
      for (const Json& gone : update["gone"][name]) by_key.erase(gone.get<std::string>());
    }
    page[name] = Json::array();
    for (const auto& [k, element] : by_key) page[name].push_back(element);
  }
}

Json data_of(const std::string& event, std::string_view name) {
  const std::string head = "event: " + std::string(name) + "\ndata: ";
  EXPECT_EQ(event.substr(0, head.size()), head);
  EXPECT_TRUE(event.ends_with("\n\n"));
  EXPECT_EQ(event.find('\n', head.size()), event.size() - 2);
  return read(event.substr(head.size(), event.size() - head.size() - 2));
}

TEST(DashboardFeed, UpdatesAddUpToTheSnapshot) {
  for (const auto policy : {controllers::Policy::kStock, controllers::Policy::kWindlass}) {
    Watched watched(policy);
    watched.run(minutes(1));
    const auto exchange = std::make_shared<FakeExchange>();
    watched.feed.handle(request_of("GET /dashboard/stream"), exchange);
    ASSERT_NE(exchange->stream, nullptr);
    EXPECT_EQ(exchange->response->content_type, "text/event-stream");
    EXPECT_EQ(watched.feed.clients(), 1U);
    Json page = data_of(exchange->stream->pieces.at(0), "snapshot");
    for (int i = 0; i < 240; ++i) {
      watched.run(seconds(20));
      apply_update(page, data_of(exchange->stream->pieces.back(), "update"));
      if (i % 40 == 39) {
        EXPECT_EQ(page, read(watched.feed.snapshot()));
      }
    }
    // Nothing was taken from older frames that is no longer so. (Tokens of a server that has gone
    // are known to who looked last.)
    Json fresh = read(watched.untouched.snapshot());
    for (Json* one : {&page, &fresh}) {
      for (Json& model : (*one)["models"]) model.erase("tokens_per_s");
    }
    EXPECT_EQ(page, fresh);
    EXPECT_EQ(exchange->stream->pieces.size(), 241U);
    EXPECT_GT(page["decisions"].size(), 3U);
  }
}

TEST(DashboardFeed, ASnapshotHoldsWhatTheContractSays) {
  Watched watched;
  watched.run(hours(1));
  const Response response = watched.ask("GET /dashboard/snapshot");
  EXPECT_EQ(response.status, 200);
  const Json page = read(response.body);
  EXPECT_EQ(page["policy"], "stock");
  EXPECT_EQ(page["speed"], 60);
  EXPECT_EQ(page["version"], "test");
  EXPECT_EQ(page["now"], to_rfc3339(watched.running.world->now()));
  ASSERT_FALSE(page["nodes"].empty());
  double rate = 0;
  for (const Json& node : page["nodes"]) {
    for (const char* member :
         {"name", "claim", "pool", "instance_type", "capacity_type", "zone", "usd_per_hour", "usd",
          "gpu_name", "phase", "since", "unschedulable", "why", "gpus"}) {
      EXPECT_TRUE(node.contains(member)) << member;
    }
    if (node["usd_per_hour"].is_number()) rate += node["usd_per_hour"].get<double>();
  }
  EXPECT_NEAR(page["cost"]["usd_per_hour"].get<double>(), rate, 1e-3);
  EXPECT_NEAR(page["cost"]["usd"].get<double>(), watched.running.world->cloud().cost_usd(), 1e-4);
  EXPECT_EQ(page["cost"]["policies"],
            Json::parse(R"([{"name":"static","usd_per_hour":7.4,"usd":30.1}])"));
  EXPECT_EQ(page["pods"].size(), watched.running.state().pods().size());
  EXPECT_EQ(page["scaled"].size(), watched.running.state().scaled_objects().size());
  ASSERT_EQ(page["models"].size(), watched.running.state().models().size());
  EXPECT_GT(page["models"][0]["requests_per_s"].get<double>(), 0);
  EXPECT_GT(page["models"][0]["p95_ms"].get<double>(), 0);
  EXPECT_GE(page["models"][0]["p95_ms"].get<double>(), page["models"][0]["p50_ms"].get<double>());
  for (const auto& [name, value] : response.headers) {
    if (name == "Content-Security-Policy") {
      EXPECT_TRUE(value.starts_with("default-src 'none'"));
    }
  }
}

TEST(DashboardFeed, HistoryAndThePast) {
  Watched watched;
  for (int i = 0; i < 90; ++i) watched.run(minutes(1));
  const Json history = read(watched.ask("GET /dashboard/history?points=1000").body);
  EXPECT_EQ(history["t"].size(), 90U);
  EXPECT_EQ(history["t"][0], 60);
  EXPECT_EQ(read(watched.ask("GET /dashboard/history?points=7").body)["usd"].size(), 7U);
  const Instant start = watched.running.scenario.start;
  const std::string half = to_rfc3339(start + minutes(30));
  EXPECT_EQ(read(watched.ask("GET /dashboard/history?from=" + half).body)["t"].size(), 60U);
  EXPECT_EQ(read(watched.ask("GET /dashboard/history?to=" + half).body)["t"].size(), 30U);
  const Json then = read(watched.ask("GET /dashboard/at?time=" + half).body);
  EXPECT_EQ(then["now"], half);
  for (const Json& decision : then["decisions"]) EXPECT_LE(decision["time"], half);
  EXPECT_EQ(watched.feed.kept_snapshots(), 90U);
  for (const char* bad :
       {"history?from=x", "history?points=0", "history?points=x", "at", "at?time=1"}) {
    EXPECT_EQ(watched.ask("GET /dashboard/" + std::string(bad)).status, 400) << bad;
  }
}

TEST(DashboardFeed, ControlsReachTheWorld) {
  Watched watched;
  watched.run(minutes(30));
  const auto post = [&](std::string body) {
    return watched.ask("POST /dashboard/controls", std::move(body));
  };
  EXPECT_EQ(post(R"({"traffic_factor": 2.5})").status, 204);
  EXPECT_EQ(post(R"({"burst": {"factor": 3, "seconds": 300}})").status, 204);
  EXPECT_EQ(post(R"({"block_capacity": {"instance_type": "g6.xlarge"}})").status, 204);
  EXPECT_EQ(post(R"({"block_capacity": {"instance_type": "g6.2xlarge", "seconds": 600}})").status,
            204);
  EXPECT_EQ(post(R"({"prometheus_outage": {"seconds": 60}})").status, 204);
  EXPECT_TRUE(prometheus_down(*watched.running.world));
  const Instant now = watched.running.world->now();
  Json controls = read(watched.feed.snapshot())["controls"];
  EXPECT_EQ(controls["traffic_factor"], 2.5);
  EXPECT_EQ(controls["burst_until"], to_rfc3339(now + seconds(300)));
  EXPECT_EQ(controls["blocked"].size(), 2U);
  EXPECT_EQ(controls["prometheus_down_until"], to_rfc3339(now + seconds(60)));
  EXPECT_EQ(post(R"({"unblock_capacity": "g6.xlarge"})").status, 204);
  watched.run(minutes(15));
  controls = read(watched.feed.snapshot())["controls"];
  EXPECT_EQ(controls["burst_until"], nullptr);
  EXPECT_EQ(controls["blocked"], Json::array());
  EXPECT_EQ(controls["prometheus_down_until"], nullptr);
  EXPECT_FALSE(prometheus_down(*watched.running.world));
  const Response refused = post(R"({"interrupt_node": "nobody"})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(read(refused.body)["error"], "there is no such node");
  EXPECT_EQ(watched.ask("GET /dashboard/controls").status, 405);
}

TEST(DashboardFeed, AStalledClientIsDropped) {
  Watched watched;
  const auto exchange = std::make_shared<FakeExchange>();
  watched.feed.handle(request_of("GET /dashboard/stream"), exchange);
  exchange->stream->lag = 100 << 20;
  watched.run(seconds(10));
  EXPECT_TRUE(exchange->stream->aborted);
  watched.run(seconds(10));
  EXPECT_EQ(watched.feed.clients(), 0U);
  EXPECT_EQ(exchange->stream->pieces.size(), 1U);
}

TEST(DashboardFeed, GivesThePageAndItsTags) {
  Watched watched;
  const Response page = watched.ask("GET /dashboard/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  Request again = request_of("GET /dashboard/");
  for (const auto& [name, value] : page.headers) {
    if (name == "ETag") again.headers.emplace_back("if-none-match", value);
  }
  const auto exchange = std::make_shared<FakeExchange>();
  watched.feed.handle(again, exchange);
  EXPECT_EQ(exchange->response->status, 304);
  EXPECT_EQ(exchange->response->body, "");
  EXPECT_EQ(watched.ask("GET /dashboard/nothing").status, 404);
  EXPECT_EQ(watched.ask("PUT /dashboard/snapshot").status, 405);
}

TEST(WindlassMetrics, CountsWhatTheWorldDoes) {
  sim::RunningWorld running;
  Sources sources = Watched::sources(*running.world);
  WindlassMetrics metrics(sources, {});
  running.world->on_change = [&](const cluster::Change& change) { metrics.observe(change); };
  running.world->on_decision = [&](std::string_view who, const controllers::Decision& what) {
    metrics.note_decision(who, what);
  };
  running.run(hours(2));
  metrics.turn(milliseconds(3), seconds(60));
  metrics.api_request("list", "pods", 200, milliseconds(2));
  metrics.api_request("watch", "pods", 200, seconds(20));
  metrics.events_sent("pods", 5);
  metrics.journal_commit(milliseconds(1));
  const std::string text = metrics.answer("").body;
  const auto value = [&](const std::string& series) -> double {
    const size_t at = text.find("\n" + series + " ");
    if (at == std::string::npos) return -1;
    return std::stod(text.substr(at + series.size() + 2));
  };
  EXPECT_EQ(value("windlass_build_info{version=\"test\"}"), 1);
  EXPECT_DOUBLE_EQ(value("windlass_simulated_seconds_total"), 60);
  EXPECT_EQ(value("windlass_loop_turn_duration_seconds_bucket{le=\"0.005\"}"), 1);
  EXPECT_EQ(value("windlass_api_requests_total{verb=\"watch\",resource=\"pods\",code=\"200\"}"), 1);
  EXPECT_EQ(value("windlass_api_watch_events_total{resource=\"pods\"}"), 5);
  EXPECT_EQ(text.find("windlass_api_request_duration_seconds_count{verb=\"watch\""),
            std::string::npos);
  // Books: what was created and has not ended is there.
  const auto sum = [&](const std::string& name) {
    double total = 0;
    for (size_t at = text.find("\n" + name + "{"); at != std::string::npos;
         at = text.find("\n" + name + "{", at + 1)) {
      total += std::stod(text.substr(text.find("} ", at) + 2));
    }
    return total;
  };
  EXPECT_GT(sum("karpenter_nodeclaims_created_total"), 0);
  EXPECT_EQ(
      sum("karpenter_nodeclaims_created_total") - sum("karpenter_nodeclaims_terminated_total"),
      static_cast<double>(running.state().node_claims().size()));
  EXPECT_EQ(sum("karpenter_pods_state"), static_cast<double>(running.state().pods().size()));
  EXPECT_NE(text.find("keda_scaler_metrics_value{"), std::string::npos);
  EXPECT_GT(sum("windlass_decisions_total"), 0);
}

}  // namespace
}  // namespace windlass::server::observe

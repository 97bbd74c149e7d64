// Watcher, elector and Events against a real API server, where WINDLASS_TEST_KUBECONFIG names one
// to play with: it leaves a Lease and an Event in its namespace "default".
#include <cstdlib>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "live/kube/client.h"
#include "live/kube/decode.h"
#include "live/kube/decode_fast.h"
#include "live/kube/events.h"
#include "live/kube/leader.h"
#include "live/kube/watcher.h"
#include "net/test_server.h"

namespace windlass::live::kube {
namespace {

class RoomOnCluster : public testing::Test {
 protected:
  void SetUp() override {
    const char* kubeconfig = std::getenv("WINDLASS_TEST_KUBECONFIG");
    if (kubeconfig == nullptr) GTEST_SKIP() << "WINDLASS_TEST_KUBECONFIG is not set";
    ConfigSources sources;
    sources.kubeconfig = kubeconfig;
    const Result<Access> access = find_access(sources);
    ASSERT_TRUE(access.ok()) << access.error().message();
    clock = net::system_clock_on(loop);
    api = std::make_unique<HttpApi>(loop, *clock, *access, ClientOptions{});
  }
  // The answer to a request.
  Reply ask(Verb verb, const std::string& path, const std::string& body = "") {
    std::optional<Reply> out;
    Request request;
    request.verb = verb;
    request.path = path;
    request.body = body;
    api->send(request, [&](Reply reply) { out = std::move(reply); });
    EXPECT_TRUE(net::run_until(loop, [&] { return out.has_value(); }));
    return out.value_or(Reply{});
  }
  net::EventLoop loop;
  std::unique_ptr<net::Clock> clock;
  std::unique_ptr<Api> api;
};

TEST_F(RoomOnCluster, WatchesBothWaysAndDecodesWhatIsThere) {
  for (const bool watch_list : {true, false}) {
    for (const char* resource : {"pods", "nodes", "configmaps"}) {
      size_t bad = 0;
      WatchSpec spec;
      spec.path = std::string("/api/v1/") + resource;
      spec.watch_list = watch_list;
      spec.page = 3;
      const std::string kind = resource == std::string("pods")    ? "Pod"
                               : resource == std::string("nodes") ? "Node"
                                                                  : "ConfigMap";
      Watcher watcher(*api, *clock, spec,
                      {[&](const std::string& key, std::string_view json) {
                         const auto object = decode_object(json, "v1", kind);
                         EXPECT_TRUE(object.ok()) << key << ": " << object.error().message();
                         // What servers really send is read the fast way.
                         EXPECT_TRUE(kind != "Pod" || fast_pod(json).has_value()) << json;
                         EXPECT_TRUE(kind != "Node" || fast_node(json).has_value()) << json;
                         bad += object.ok() && api::meta_of(*object).key() == key ? 0 : 1;
                       },
                       {},
                       {}},
                      1);
      watcher.start();
      ASSERT_TRUE(net::run_until(loop, [&] { return watcher.synced(); }))
          << watcher.stats().last_error;
      EXPECT_EQ(bad, 0U);
      RecordProperty(std::string(resource) + (watch_list ? "" : " in pages"),
                     static_cast<int>(watcher.seen().size()));
    }
  }
}

TEST_F(RoomOnCluster, SeesAnObjectComeAndGo) {
  const std::string path = "/api/v1/namespaces/default/configmaps";
  ask(Verb::kDelete, path + "/windlass-watch-test");
  WatchSpec spec;
  spec.path = path;
  std::string told;
  Watcher watcher(*api, *clock, spec,
                  {[&](const std::string& key, std::string_view) {
                     if (key == "default/windlass-watch-test") told += "+";
                   },
                   [&](const std::string& key) {
                     if (key == "default/windlass-watch-test") told += "-";
                   },
                   {}},
                  1);
  watcher.start();
  ASSERT_TRUE(net::run_until(loop, [&] { return watcher.synced(); }));
  const std::string made = R"({"metadata":{"name":"windlass-watch-test"},"data":{"a":"b"}})";
  EXPECT_EQ(ask(Verb::kPost, path, made).code, 201);
  ASSERT_TRUE(net::run_until(loop, [&] { return told == "+"; }));
  EXPECT_TRUE(ask(Verb::kDelete, path + "/windlass-watch-test").ok());
  ASSERT_TRUE(net::run_until(loop, [&] { return told == "+-"; }));
}

TEST_F(RoomOnCluster, AResourceThatIsNotThereIsEmpty) {
  WatchSpec spec;
  spec.path = "/apis/example.com/v1/nothings";
  Watcher watcher(*api, *clock, spec, {}, 1);
  watcher.start();
  ASSERT_TRUE(net::run_until(loop, [&] { return watcher.synced(); }));
  EXPECT_EQ(watcher.phase(), Watcher::Phase::kAbsent);
}

TEST_F(RoomOnCluster, LeadsReleasesAndTheNextTakesOver) {
  LeaderOptions options{"default", "windlass-watch-test", "first"};
  options.retry = milliseconds(200);
  LeaderElector first(*api, *clock, options, 1);
  options.identity = "second";
  LeaderElector second(*api, *clock, options, 2);
  first.start();
  ASSERT_TRUE(net::run_until(loop, [&] { return first.leading(); }));
  second.start();
  bool released = false;
  first.stop([&] { released = true; });
  ASSERT_TRUE(net::run_until(loop, [&] { return released && second.leading(); }));
  released = false;
  second.stop([&] { released = true; });
  ASSERT_TRUE(net::run_until(loop, [&] { return released; }));
  const Reply lease =
      ask(Verb::kGet, "/apis/coordination.k8s.io/v1/namespaces/default/leases/windlass-watch-test");
  ASSERT_TRUE(lease.ok()) << lease.error();
  const Json json = Json::parse(lease.body);
  EXPECT_EQ(json["spec"].value("holderIdentity", ""), "");
  EXPECT_EQ(json["spec"]["leaseDurationSeconds"], 1);
}

TEST_F(RoomOnCluster, WritesAnEventAndCountsItUp) {
  EventRecorder recorder(*api, *clock, "windlass-test", static_cast<uint64_t>(clock->now().ns));
  const Involved about{"v1", "Namespace", "", "default", "u" + std::to_string(clock->now().ns)};
  const auto events = [&] {
    const Reply reply = ask(Verb::kGet, "/api/v1/namespaces/default/events");
    const Json list = Json::parse(reply.body);
    Json out = Json::array();
    for (const Json& event : list["items"]) {
      if (event["involvedObject"].value("uid", "") == about.uid) out.push_back(event);
    }
    return out;
  };
  recorder.record(about, "Normal", "Tested", "all is well", "windlass");
  recorder.record(about, "Normal", "Tested", "all is well", "windlass");
  Json found;
  ASSERT_TRUE(net::run_until(loop, [&] {
    found = events();
    return found.size() == 1 && found[0]["count"] == 2;
  })) << found;
  EXPECT_EQ(found[0]["message"], "all is well");
  EXPECT_EQ(found[0]["reportingComponent"], "windlass");
}

}  // namespace
}  // namespace windlass::live::kube

#include "live/run/world.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "live/cloud/fake_kubernetes.h"
#include "live/cloud/switched_cloud.h"

namespace windlass::live {
namespace {

// The fake with watches: what is there, then every change.
class WatchedKubernetes : public cloud::FakeKubernetes {
 public:
  explicit WatchedKubernetes(net::VirtualClock& clock)
      : cloud::FakeKubernetes(clock, 1), clock_(clock) {
    on_change = [this](const std::string& path, const Json* object) {
      const Json copy = object == nullptr ? Json() : *object;
      clock_.after(milliseconds(1), [this, path, copy] {
        for (const auto& [collection, stream] : streams_) {
          if (collection_of(path) == collection && !copy.is_null()) tell(stream, "MODIFIED", copy);
        }
      });
    };
    on_request = [this](const kube::Request& request) {
      ++asked[fmt::format("{} {}", static_cast<int>(request.verb), request.path)];
    };
  }
  Id stream(kube::Request request, Stream stream) override {
    streams_[request.path] = stream;
    clock_.after(milliseconds(1), [this, path = request.path, stream] {
      for (const auto& [place, object] : objects) {
        if (collection_of(place) == path) tell(stream, "ADDED", object);
      }
      tell(
          stream, "BOOKMARK",
          {{"metadata",
            {{"resourceVersion", "9"}, {"annotations", {{"k8s.io/initial-events-end", "true"}}}}}});
    });
    return cloud::FakeKubernetes::stream(std::move(request), std::move(stream));
  }
  void add(const std::string& path, const char* text) {
    Json object = Json::parse(text);
    object["metadata"]["resourceVersion"] = "5";
    object["metadata"]["uid"] = "uid of " + path;
    objects[path] = std::move(object);
  }
  [[nodiscard]] int count(kube::Verb verb, const std::string& path) const {
    const auto it = asked.find(fmt::format("{} {}", static_cast<int>(verb), path));
    return it == asked.end() ? 0 : it->second;
  }
  std::map<std::string, int> asked;

 private:
  static std::string collection_of(const std::string& path) {
    std::string out = path.substr(0, path.rfind('/'));
    const size_t space = out.find("/namespaces/");
    if (space == std::string::npos) return out;
    return out.substr(0, space) + out.substr(out.find('/', space + 12));
  }
  static void tell(const Stream& stream, const char* type, const Json& object) {
    stream.on_line(Json{{"type", type}, {"object", object}}.dump());
  }
  net::VirtualClock& clock_;
  std::map<std::string, Stream> streams_;
};

const char* const kScaledPath = "/apis/keda.sh/v1alpha1/namespaces/ml/scaledobjects/s";
const char* const kSecret = "/api/v1/namespaces/ml/secrets/access";
const char* const kWeb = "/apis/apps/v1/namespaces/ml/deployments/web";

struct Setting {
  net::VirtualClock clock{*parse_rfc3339("2026-03-01T00:00:00Z")};
  WatchedKubernetes server{clock};
  cloud::SwitchedCloud cloud{clock};
  int queries = 0;
  std::unique_ptr<World> world;

  Setting() {
    server.add(kWeb, R"({"apiVersion":"apps/v1","kind":"Deployment",
      "metadata":{"name":"web","namespace":"ml"},"spec":{"replicas":1,
      "selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
      "spec":{"containers":[{"name":"c","image":"i"}]}}}})");
    server.add(kSecret, R"({"apiVersion":"v1","kind":"Secret",
      "metadata":{"name":"access","namespace":"ml"},"data":{"token":"YWJj"}})");
    server.add("/apis/keda.sh/v1alpha1/namespaces/ml/triggerauthentications/access",
               R"({"apiVersion":"keda.sh/v1alpha1","kind":"TriggerAuthentication",
      "metadata":{"name":"access","namespace":"ml"},"spec":{"secretTargetRef":[
      {"parameter":"bearerToken","name":"access","key":"token"}]}})");
    server.add(kScaledPath, R"({"apiVersion":"keda.sh/v1alpha1","kind":"ScaledObject",
      "metadata":{"name":"s","namespace":"ml","generation":1},"spec":{"pollingInterval":5,
      "scaleTargetRef":{"name":"web"},"triggers":[{"type":"prometheus",
      "authenticationRef":{"name":"access"},"metadata":{"serverAddress":"http://p","query":"q",
      "threshold":"10","authModes":"bearer"}}]}})");
    WorldParts parts{server, clock, cloud, [this](const TriggerQuestion&, const auto& done) {
                       ++queries;
                       clock.after(milliseconds(5), [done] { done({0, {30.0}, {}}); });
                     }};
    WorldOptions options;
    options.policy = controllers::Policy::kStock;
    world = std::make_unique<World>(std::move(parts), std::move(options));
    world->start();
    world->lead({});
  }
};

// Each status that is written is a change of what names the Secret. Read again for it, the Secret
// would be a change of what the status is made from, and so on without end or effect.
TEST(World, ASecretOfATriggerIsReadOnceAMinute) {
  Setting f;
  f.clock.advance(seconds(50));
  EXPECT_EQ(f.server.count(kube::Verb::kGet, kSecret), 1);
  EXPECT_LE(f.server.count(kube::Verb::kPatch, std::string(kScaledPath) + "/status"), 15);
  EXPECT_GE(f.queries, 8);
  EXPECT_EQ(f.server.objects.at(kWeb)["spec"]["replicas"], 3);
  f.clock.advance(minutes(2));
  EXPECT_EQ(f.server.count(kube::Verb::kGet, kSecret), 3);
}

// The servers' hiccups must not make all of it vanish for a moment, with what controllers know.
TEST(World, AHiccupForgetsNothing) {
  Setting f;
  f.clock.advance(seconds(30));
  ASSERT_NE(f.world->state().scaled_objects().find("ml/s"), nullptr);
  f.server.refuse_with = 500;
  for (int i = 0; i < 15; ++i) {
    f.clock.advance(seconds(1));
    EXPECT_TRUE(f.world->synced());
    EXPECT_NE(f.world->state().scaled_objects().find("ml/s"), nullptr);
  }
  f.server.refuse_with = 0;
  const int before = f.queries;
  f.clock.advance(seconds(20));
  EXPECT_GT(f.queries, before);
}

// Whoever may act no more sends no write, whatever was under way.
TEST(World, NothingIsWrittenByWhoMayNotAct) {
  Setting f;
  bool may = false;
  f.world->follow();
  f.world->lead([&may] { return may; });
  f.clock.advance(seconds(30));
  for (const auto& [what, times] : f.server.asked) {
    EXPECT_TRUE(what.starts_with(fmt::format("{} ", static_cast<int>(kube::Verb::kGet)))) << what;
  }
  may = true;
  f.clock.advance(seconds(30));
  EXPECT_EQ(f.server.objects.at(kWeb)["spec"]["replicas"], 3);
}

struct CountingCloud : cloud::Cloud {
  explicit CountingCloud(net::VirtualClock& the_clock) : clock(the_clock) {}
  void launch(const cloud::LaunchRequest&, std::function<void(cloud::LaunchAnswer)>) override {}
  void terminate(const std::string& id, std::function<void(Status)> done) override {
    ended.push_back(id);
    clock.after(seconds(1), [done = std::move(done)] { done({}); });
  }
  void list(std::function<void(Result<std::vector<cloud::CloudInstance>>)> done) override {
    cloud::CloudInstance one;
    one.provider_id = "aws:///a/i-1";
    one.claim = "c";
    clock.after(seconds(1), [done = std::move(done), one] { done(std::vector{one}); });
  }
  net::VirtualClock& clock;
  std::vector<std::string> ended;
};

// A watch that has gone silent makes a node look empty that isn't. The end of its instance waits
// for what the API server says, and the pods are heard of.
TEST(World, NoInstanceEndsUnderPodsThatTheWatchHasNotToldOf) {
  net::VirtualClock clock(*parse_rfc3339("2026-03-01T00:00:00Z"));
  WatchedKubernetes server(clock);
  CountingCloud cloud(clock);
  server.add("/apis/karpenter.sh/v1/nodepools/p", R"({"apiVersion":"karpenter.sh/v1",
    "kind":"NodePool","metadata":{"name":"p"},"spec":{"template":{"spec":{"requirements":[],
    "nodeClassRef":{"group":"karpenter.k8s.aws","kind":"EC2NodeClass","name":"n"}}}}})");
  server.add("/apis/karpenter.sh/v1/nodeclaims/c", R"({"apiVersion":"karpenter.sh/v1",
    "kind":"NodeClaim","metadata":{"name":"c","finalizers":["karpenter.sh/termination"],
    "deletionTimestamp":"2026-03-01T00:00:00Z","labels":{"karpenter.sh/nodepool":"p"}},
    "spec":{"requirements":[],"nodeClassRef":{"group":"karpenter.k8s.aws","kind":"EC2NodeClass",
    "name":"n"}},"status":{"providerID":"aws:///a/i-1","nodeName":"node","conditions":[
    {"type":"Launched","status":"True"},{"type":"Registered","status":"True"},
    {"type":"Initialized","status":"True"}]}})");
  server.add("/api/v1/nodes/node", R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"node",
    "finalizers":["karpenter.sh/termination"]},"spec":{"providerID":"aws:///a/i-1"},
    "status":{"conditions":[{"type":"Ready","status":"True"}]}})");
  WorldParts parts{server, clock, cloud, [](const TriggerQuestion&, const auto&) {}};
  WorldOptions options;
  options.policy = controllers::Policy::kStock;
  World world(std::move(parts), std::move(options));
  std::vector<std::string> kept;
  std::vector<Duration> reactions;
  std::map<std::string, int> looks;
  world.on_reaction = [&](Duration took) { reactions.push_back(took); };
  world.on_reconcile = [&](std::string_view controller, Duration) {
    ++looks[std::string(controller)];
  };
  world.on_decision = [&](std::string_view, const controllers::Decision& decision) {
    if (decision.what == "keep") kept.push_back(decision.result);
  };
  world.start();
  world.lead({});
  clock.advance(seconds(2));  // the drain lasts 5 s at least
  EXPECT_EQ(reactions.size(), 1u) << "the objects came together, and led to one request or more";
  EXPECT_GT(looks["termination"], 0);
  server.serve({kube::Verb::kPatch,
                "/apis/karpenter.sh/v1/nodepools/p",
                {},
                R"({"metadata":{"labels":{"nobody":"minds"}}})",
                "application/merge-patch+json"});
  clock.advance(seconds(1));
  EXPECT_EQ(reactions.size(), 1u) << "a change that leads to nothing is no reaction";
  const std::string pod = "/api/v1/namespaces/ml/pods/late";
  server.add(pod, R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"late","namespace":"ml",
    "ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"r","uid":"r",
    "controller":true}]},"spec":{"nodeName":"node","containers":[{"name":"c","image":"i"}]},
    "status":{"phase":"Running"}})");
  clock.advance(seconds(28));
  EXPECT_TRUE(cloud.ended.empty());
  EXPECT_EQ(world.state().pods_on("node").size(), 1u) << "it is known now";
  EXPECT_GE(server.count(kube::Verb::kPost, pod + "/eviction"), 1) << "and drained";
  ASSERT_EQ(kept.size(), 2u) << "unknown, then known; each said once";
  EXPECT_EQ(kept[0],
            "pod ml/late is still on its node, and the watch has not told of it; pods are listed "
            "anew");
  server.refuse_with = 503;  // no answer is no permission
  server.objects.erase(pod);
  clock.advance(seconds(30));
  EXPECT_TRUE(cloud.ended.empty());
  server.refuse_with = 0;
  clock.advance(seconds(15));
  EXPECT_EQ(cloud.ended, std::vector<std::string>{"aws:///a/i-1"});
}

}  // namespace
}  // namespace windlass::live

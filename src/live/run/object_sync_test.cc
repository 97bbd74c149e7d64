#include "live/run/object_sync.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/rng.h"
#include "cluster/resources.h"
#include "live/cloud/fake_kubernetes.h"
#include "live/kube/decode.h"

namespace windlass::live {
namespace {

using cluster::Kind;

struct Fixture {
  net::VirtualClock clock{Instant{1'790'000'000'000'000'000}};
  cloud::FakeKubernetes server;
  cluster::State state{catalog::Catalog{}};
  ObjectSync sync{state, server, clock};

  explicit Fixture(uint64_t seed = 1) : server(clock, seed) {
    // The watch: every change, a moment later, in order.
    server.on_change = [this](const std::string& path, const Json* object) {
      const Json copy = object == nullptr ? Json() : *object;
      clock.after(milliseconds(3), [this, path, copy] { tell(path, copy); });
    };
  }
  void tell(const std::string& path, const Json& object) {
    for (const cluster::ApiResource& resource : cluster::api_resources()) {
      const std::string name = path.substr(path.rfind('/') + 1);
      const size_t at = path.find("/namespaces/");
      std::string space;
      if (at != std::string::npos) {
        space = path.substr(at + 12, path.find('/', at + 12) - at - 12);
      }
      if (resource.namespaced == space.empty()) continue;
      if (cluster::api_path(resource, space, name) != path) continue;
      const std::string key = space.empty() ? name : space + "/" + name;
      if (object.is_null()) return sync.gone(resource.kind, key);
      auto decoded = kube::decode_object(object.dump(), resource.api_version, resource.kind_name);
      ASSERT_TRUE(decoded.ok()) << decoded.error().message();
      const auto version =
          parse_int(object["metadata"]["resourceVersion"].get_ref<const std::string&>());
      sync.keep_document(resource.kind, key, static_cast<uint64_t>(*version), object.dump());
      sync.put(static_cast<uint64_t>(*version), *std::move(decoded));
    }
  }
  Json& at(const std::string& path) { return server.objects.at(path); }
};

api::NodeClaim claim(const std::string& name) {
  api::NodeClaim out;
  out.meta.name = name;
  out.meta.uid = "claim-" + name;
  out.meta.finalizers = {std::string(api::kTerminationFinalizer)};
  out.node_class = {"karpenter.k8s.aws", "EC2NodeClass", "default"};
  return out;
}

const char* const kPath = "/apis/karpenter.sh/v1/nodeclaims/a";

TEST(ObjectSync, AWriteStandsAtOnceAndTheServersWordTakesItsPlace) {
  Fixture f;
  f.sync.write(claim("a"));
  ASSERT_NE(f.state.node_claims().find("a"), nullptr);
  EXPECT_EQ(f.state.node_claims().at("a").meta.uid, "claim-a");
  bool settled = false;
  f.sync.when_settled({Kind::kNodeClaim, "a"}, [&] { settled = true; });
  EXPECT_FALSE(settled);
  f.clock.advance(seconds(1));
  EXPECT_TRUE(settled);
  EXPECT_EQ(f.state.node_claims().at("a").meta.uid, f.at(kPath)["metadata"]["uid"]);
}

TEST(ObjectSync, SpecAndStatusGoThroughTheirOwnDoors) {
  Fixture f;
  f.sync.write(claim("a"));
  f.clock.advance(seconds(1));
  api::NodeClaim changed = f.state.node_claims().at("a");
  changed.meta.labels["x"] = "1";
  changed.provider_id = "aws:///z/i-1";
  std::vector<std::string> paths;
  f.server.on_request = [&](const kube::Request& request) { paths.push_back(request.path); };
  f.sync.write(changed);
  f.clock.advance(seconds(1));
  EXPECT_EQ(paths, (std::vector<std::string>{kPath, std::string(kPath) + "/status"}));
  EXPECT_EQ(f.at(kPath)["status"]["providerID"], "aws:///z/i-1");
  EXPECT_EQ(f.at(kPath)["metadata"]["labels"]["x"], "1");
}

TEST(ObjectSync, UnknownFieldsOfTheServerLive) {
  Fixture f;
  f.sync.write(claim("a"));
  f.clock.advance(seconds(1));
  f.at(kPath)["spec"]["fieldOfTomorrow"] = {{"deep", 1}};
  f.at(kPath)["metadata"]["annotations"]["theirs"] = "kept";
  api::NodeClaim changed = f.state.node_claims().at("a");
  changed.meta.annotations["ours"] = "1";
  f.sync.write(changed);
  f.clock.advance(seconds(1));
  EXPECT_EQ(f.at(kPath)["spec"]["fieldOfTomorrow"]["deep"], 1);
  EXPECT_EQ(f.at(kPath)["metadata"]["annotations"]["theirs"], "kept");
  EXPECT_EQ(f.at(kPath)["metadata"]["annotations"]["ours"], "1");
}

TEST(ObjectSync, AConflictIsMadeAgainOnTheNewerVersion) {
  Fixture f;
  f.sync.write(claim("a"));
  f.clock.advance(seconds(1));
  api::NodeClaim changed = f.state.node_claims().at("a");
  changed.meta.finalizers.emplace_back("windlass.dev/second");
  f.server.on_request = [&, once = true](const kube::Request& request) mutable {
    if (request.verb != kube::Verb::kPatch || !once) return;
    once = false;
    kube::Request other;  // somebody else is quicker
    other.verb = kube::Verb::kPatch;
    other.path = kPath;
    other.content_type = "application/merge-patch+json";
    other.body = R"({"metadata":{"finalizers":["karpenter.sh/termination","theirs"]}})";
    f.server.serve(other);
  };
  f.sync.write(changed);
  f.clock.advance(seconds(5));
  EXPECT_EQ(f.at(kPath)["metadata"]["finalizers"],
            Json::parse(R"(["karpenter.sh/termination","windlass.dev/second","theirs"])"));
  EXPECT_EQ(f.sync.stats().conflicts, 1u);
}

TEST(ObjectSync, WhatIsRefusedIsTakenBack) {
  Fixture f;
  std::string why;
  f.sync.on_refused = [&](const ObjectSync::Id&, const std::string& reason) { why = reason; };
  f.server.objects["/apis/karpenter.sh/v1/nodeclaims/b"] = {};
  f.server.faults.server_error = 1;
  f.sync.write(claim("a"));
  f.clock.advance(seconds(60));
  EXPECT_EQ(why, "");  // 503 passes: it is tried again for as long as it takes
  ASSERT_NE(f.state.node_claims().find("a"), nullptr);
  f.server.faults.server_error = 0;
  f.clock.advance(seconds(31));
  EXPECT_TRUE(f.server.objects.contains(kPath));
}

TEST(ObjectSync, LostLeadershipTakesBackWhatWasAssumed) {
  Fixture f;
  bool leading = true;
  f.sync.may_send = [&] { return leading; };
  f.server.faults.lose_request = 1;
  f.sync.write(claim("a"));
  f.clock.advance(milliseconds(10));
  leading = false;
  f.sync.drop_all();
  EXPECT_EQ(f.state.node_claims().find("a"), nullptr);
  f.server.faults.lose_request = 0;
  f.clock.advance(minutes(5));
  EXPECT_FALSE(f.server.objects.contains(kPath));
}

TEST(ObjectSync, AnOlderEventDoesNotUndoAScale) {
  Fixture f;
  const std::string path = "/apis/apps/v1/namespaces/ml/deployments/web";
  const Json made = Json::parse(R"({"apiVersion":"apps/v1","kind":"Deployment",
    "metadata":{"name":"web","namespace":"ml"},"spec":{"replicas":1,
    "selector":{"matchLabels":{"a":"b"}},
    "template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c"}]}}}})");
  kube::Request create;
  create.verb = kube::Verb::kPost;
  create.path = path.substr(0, path.rfind('/'));
  create.body = made.dump();
  f.server.serve(create);
  f.clock.advance(milliseconds(10));
  ASSERT_EQ(f.state.deployments().at("ml/web").replicas, 1);
  // An event from before the scale is still on its way when the scale is answered.
  const Json old = f.at(path);
  f.server.on_change = nullptr;  // the watch is behind
  f.sync.scale("ml/web", 4);
  EXPECT_EQ(f.state.deployments().at("ml/web").replicas, 4);
  f.clock.advance(milliseconds(20));
  f.tell(path, old);
  EXPECT_EQ(f.state.deployments().at("ml/web").replicas, 4);
}

// What a kubelet writes many times a minute changes nothing here, and so wakes nobody.
TEST(ObjectSync, AHeartbeatIsNoChange) {
  Fixture f;
  int woken = 0;
  f.sync.on_change = [&] { ++woken; };
  Json pod = Json::parse(R"({"metadata":{"name":"p","namespace":"ml","uid":"u","labels":{"a":"b"}},
    "spec":{"nodeName":"n","containers":[{"name":"c","resources":{"requests":{"cpu":"1"}}}]},
    "status":{"phase":"Running","containerStatuses":[{"name":"c","restartCount":0}],
    "conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-03-01T08:00:00Z"}]}})");
  Json node =
      Json::parse(R"({"metadata":{"name":"n","uid":"v"},"spec":{"providerID":"aws:///z/i-1"},
    "status":{"allocatable":{"cpu":"4"},"conditions":[{"type":"Ready","status":"True",
    "lastTransitionTime":"2026-03-01T08:00:00Z","lastHeartbeatTime":"2026-03-01T08:00:00Z"}]}})");
  uint64_t version = 0;
  const auto tell = [&](Json& object, const char* kind) {
    object["metadata"]["resourceVersion"] = std::to_string(++version);
    auto decoded = kube::decode_object(object.dump(), "v1", kind);
    ASSERT_TRUE(decoded.ok()) << decoded.error().message();
    f.sync.put(version, *std::move(decoded));
  };
  tell(pod, "Pod");
  tell(node, "Node");
  EXPECT_EQ(woken, 2);
  f.state.take_changes();
  const uint64_t before = f.state.resource_version();
  pod["status"]["containerStatuses"][0]["restartCount"] = 7;
  pod["status"]["conditions"][0]["lastProbeTime"] = "2026-03-01T09:00:00Z";
  tell(pod, "Pod");
  node["status"]["conditions"][0]["lastHeartbeatTime"] = "2026-03-01T09:00:00Z";
  tell(node, "Node");
  EXPECT_EQ(woken, 2);
  EXPECT_TRUE(f.state.take_changes().empty());
  EXPECT_EQ(f.state.resource_version(), before);
  EXPECT_EQ(f.sync.stats().unchanged, 2u);
  // Whatever somebody reads is one: each of these is seen.
  const std::vector<std::pair<Json*, std::pair<const char*, Json>>> changes{
      {&pod, {"/status/phase", "Failed"}},
      {&pod, {"/status/conditions/0/status", "False"}},
      {&pod, {"/status/conditions/0/lastTransitionTime", "2026-03-01T09:00:00Z"}},
      {&pod, {"/metadata/labels/a", "c"}},
      {&pod, {"/metadata/annotations", {{"karpenter.sh/do-not-disrupt", "true"}}}},
      {&pod, {"/metadata/uid", "another"}},
      {&pod, {"/spec/containers/0/resources/requests/cpu", "2"}},
      {&pod, {"/spec/containers/0/image", "x"}},
      {&pod, {"/metadata/deletionTimestamp", "2026-03-01T10:00:00Z"}},
      {&node, {"/spec/unschedulable", true}},
      {&node, {"/status/conditions/0/status", "Unknown"}},
      {&node, {"/status/allocatable/cpu", "3"}},
      {&node, {"/metadata/labels", {{"x", "y"}}}}};
  for (const auto& [object, change] : changes) {
    (*object)[Json::json_pointer(change.first)] = change.second;
    tell(*object, object == &pod ? "Pod" : "Node");
    // A time at which a pod that is not ready became so is nobody's business.
    const bool seen = !f.state.take_changes().empty();
    const bool of_unready = std::string_view(change.first).ends_with("lastTransitionTime");
    EXPECT_EQ(seen, !of_unready) << change.first;
  }
}

// Random writes under lost requests, lost replies and server errors: once all is quiet, the State
// is what the server has, and the server has what was wanted last.
TEST(ObjectSync, ConvergesUnderFaults) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Fixture f(seed);
    Rng rng(seed, "writes");
    f.server.faults = {0.1, 0.1, 0.1, milliseconds(200), 0.3};
    std::map<std::string, std::string> last;
    for (int i = 0; i < 60; ++i) {
      const std::string name = std::string(1, static_cast<char>('a' + rng.below(4)));
      const api::NodeClaim* known = f.state.node_claims().find(name);
      api::NodeClaim wanted = known == nullptr ? claim(name) : *known;
      wanted.meta.annotations["n"] = std::to_string(i);
      wanted.image_id = "ami-" + std::to_string(i);
      f.sync.write(wanted);
      last[name] = std::to_string(i);
      f.clock.advance(Duration{static_cast<int64_t>(rng.below(1'500'000'000))});
    }
    f.server.faults = {};
    f.clock.advance(minutes(3));
    EXPECT_EQ(f.sync.unsettled(), 0u);
    for (const auto& [name, value] : last) {
      const std::string path = "/apis/karpenter.sh/v1/nodeclaims/" + name;
      ASSERT_TRUE(f.server.objects.contains(path)) << seed;
      EXPECT_EQ(f.server.made[path], 1) << seed;
      EXPECT_EQ(f.at(path)["metadata"]["annotations"]["n"], value) << seed;
      EXPECT_EQ(f.at(path)["status"]["imageID"], "ami-" + value) << seed;
      EXPECT_EQ(f.state.node_claims().at(name).meta.annotations.at("n"), value) << seed;
    }
  }
}

}  // namespace
}  // namespace windlass::live

#include "live/run/ownership.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "live/cloud/fake_kubernetes.h"

namespace windlass::live {
namespace {

using cluster::Kind;

const char* const kKeda = "/apis/coordination.k8s.io/v1/namespaces/keda/leases/operator.keda.sh";
const char* const kKarpenter =
    "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/karpenter-leader-election";

struct Owners {
  net::VirtualClock clock{Instant{1'790'000'000'000'000'000}};
  cloud::FakeKubernetes server{clock, 1};
  Ownership ownership{server, clock, {}};
  std::map<std::pair<Kind, std::string>, api::Object> ours;

  Owners() {
    ownership.on_ours = [this](uint64_t, api::Object object) {
      const std::pair id{static_cast<Kind>(object.index()), api::meta_of(object).key()};
      ours.insert_or_assign(id, std::move(object));
    };
    ownership.on_not_ours = [this](Kind kind, const std::string& key) { ours.erase({kind, key}); };
    // The watch of what the ownership itself writes.
    server.on_change = [this](const std::string&, const Json* object) {
      if (object == nullptr || !object->contains("apiVersion")) return;
      const Json copy = *object;
      clock.after(milliseconds(1), [this, copy] { put(copy); });
    };
  }
  void put(const Json& object) {
    auto decoded = api::decode(object);
    ASSERT_TRUE(decoded.ok()) << decoded.error().message();
    ownership.put(1, *std::move(decoded));
  }
  void add(const std::string& path, Json object) {
    server.objects[path] = object;
    put(object);
  }
  // Somebody holds it and goes on renewing it for `length`.
  void renew(const char* path, Duration length) {
    for (Duration done{}; done < length; done = done + seconds(5)) {
      server.objects[path] = {
          {"spec", {{"holderIdentity", "x"}, {"renewTime", to_rfc3339(clock.now())}}}};
      clock.advance(seconds(5));
    }
  }
  bool has(Kind kind, const std::string& key) const { return ours.contains({kind, key}); }
  std::string why(Kind kind, const std::string& key) const {
    const auto it = ownership.refused().find({kind, key});
    return it == ownership.refused().end() ? "" : it->second;
  }
};

Json scaled_object(bool take_over) {
  Json out = Json::parse(R"({"apiVersion":"keda.sh/v1alpha1","kind":"ScaledObject",
    "metadata":{"name":"s","namespace":"ml","annotations":{}},
    "spec":{"scaleTargetRef":{"name":"web"},"triggers":[{"type":"cron","metadata":{
    "timezone":"UTC","start":"0 8 * * *","end":"0 18 * * *","desiredReplicas":"2"}}]}})");
  if (take_over) out["metadata"]["annotations"]["windlass.dev/take-over"] = "true";
  return out;
}
const char* const kScaled = "/apis/keda.sh/v1alpha1/namespaces/ml/scaledobjects/s";
const char* const kHpa = "/apis/autoscaling/v2/namespaces/ml/horizontalpodautoscalers/h";

Json autoscaler(const char* name) {
  Json out = Json::parse(R"({"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler",
    "metadata":{"name":"h","namespace":"ml"},"spec":{"maxReplicas":9,
    "scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},
    "behavior":{"scaleDown":{"stabilizationWindowSeconds":60}}}})");
  out["metadata"]["name"] = name;
  return out;
}

Json pool(bool take_over) {
  Json out = Json::parse(R"({"apiVersion":"karpenter.sh/v1","kind":"NodePool",
    "metadata":{"name":"p","annotations":{}},"spec":{"template":{"spec":{
    "nodeClassRef":{"group":"karpenter.k8s.aws","kind":"EC2NodeClass","name":"d"},
    "requirements":[]}}}})");
  if (take_over) out["metadata"]["annotations"]["windlass.dev/take-over"] = "true";
  return out;
}
const char* const kPool = "/apis/karpenter.sh/v1/nodepools/p";

TEST(Ownership, NothingIsOursBeforeItIsKnownWhoElseIsThere) {
  Owners f;
  f.add(kScaled, scaled_object(false));
  f.add(kPool, pool(false));
  EXPECT_FALSE(f.has(Kind::kScaledObject, "ml/s"));
  f.ownership.start();
  f.clock.advance(seconds(1));
  EXPECT_TRUE(f.ownership.known());
  EXPECT_TRUE(f.has(Kind::kScaledObject, "ml/s"));
  EXPECT_TRUE(f.has(Kind::kNodePool, "p"));
}

TEST(Ownership, ALivingKedaKeepsItsObjectsUntilTheyAreTakenOver) {
  Owners f;
  f.add(kScaled, scaled_object(false));
  f.server.objects[kKeda] = {{"spec", {{"holderIdentity", "x"}, {"renewTime", "1"}}}};
  f.ownership.start();
  f.renew(kKeda, seconds(60));
  EXPECT_FALSE(f.has(Kind::kScaledObject, "ml/s"));
  EXPECT_NE(f.why(Kind::kScaledObject, "ml/s").find("KEDA runs it"), std::string::npos);

  f.add(kScaled, scaled_object(true));
  f.renew(kKeda, seconds(5));
  EXPECT_EQ(f.server.objects[kScaled]["metadata"]["annotations"]["autoscaling.keda.sh/paused"],
            "true");
  ASSERT_TRUE(f.has(Kind::kScaledObject, "ml/s"));
  // The pause is for KEDA: our own controllers don't see it.
  const auto& mine = std::get<api::ScaledObject>(f.ours.at({Kind::kScaledObject, "ml/s"}));
  EXPECT_FALSE(mine.meta.annotations.contains("autoscaling.keda.sh/paused"));

  // Given back.
  Json back = f.server.objects[kScaled];
  back["metadata"]["annotations"].erase("windlass.dev/take-over");
  f.add(kScaled, back);
  f.renew(kKeda, seconds(15));
  EXPECT_FALSE(f.has(Kind::kScaledObject, "ml/s"));
  EXPECT_FALSE(
      f.server.objects[kScaled]["metadata"]["annotations"].contains("autoscaling.keda.sh/paused"));
}

TEST(Ownership, WaitsForKedasOwnAutoscalerToGo) {
  Owners f;
  f.add(kScaled, scaled_object(true));
  const std::string path = "/apis/autoscaling/v2/namespaces/ml/horizontalpodautoscalers/keda-hpa-s";
  f.add(path, autoscaler("keda-hpa-s"));
  f.ownership.start();
  f.renew(kKeda, seconds(20));
  EXPECT_FALSE(f.has(Kind::kScaledObject, "ml/s"));
  EXPECT_NE(f.why(Kind::kScaledObject, "ml/s").find("keda-hpa-s"), std::string::npos);
  f.ownership.gone(Kind::kHorizontalPodAutoscaler, "ml/keda-hpa-s");
  EXPECT_TRUE(f.has(Kind::kScaledObject, "ml/s"));
}

TEST(Ownership, AnAutoscalerOfTheUsersIsSilencedAndGivenBackAsItWas) {
  Owners f;
  f.add(kHpa, autoscaler("h"));
  f.add(kScaled, scaled_object(false));
  f.ownership.start();
  f.clock.advance(seconds(11));
  EXPECT_NE(f.why(Kind::kScaledObject, "ml/s").find("HorizontalPodAutoscaler h"),
            std::string::npos);
  const Json before = f.server.objects[kHpa]["spec"];

  f.add(kScaled, scaled_object(true));
  f.clock.advance(seconds(11));
  EXPECT_TRUE(f.has(Kind::kScaledObject, "ml/s"));
  EXPECT_EQ(f.server.objects[kHpa]["spec"]["behavior"]["scaleUp"]["selectPolicy"], "Disabled");

  f.add(kScaled, scaled_object(false));
  f.clock.advance(seconds(11));
  EXPECT_FALSE(f.has(Kind::kScaledObject, "ml/s"));
  EXPECT_EQ(f.server.objects[kHpa]["spec"], before);
}

TEST(Ownership, ALivingKarpenterKeepsItsPools) {
  Owners f;
  f.add(kPool, pool(false));
  f.ownership.start();
  f.renew(kKarpenter, seconds(60));
  EXPECT_FALSE(f.has(Kind::kNodePool, "p"));
  f.add(kPool, pool(true));
  EXPECT_FALSE(f.has(Kind::kNodePool, "p"));  // it cannot be told to let one go
  f.clock.advance(minutes(2));                // scaled to zero
  EXPECT_TRUE(f.has(Kind::kNodePool, "p"));
  f.add(kPool, pool(false));
  EXPECT_FALSE(f.has(Kind::kNodePool, "p"));
  EXPECT_NE(f.why(Kind::kNodePool, "p").find("stands still"), std::string::npos);
}

TEST(Ownership, AClaimGoesWithItsPool) {
  Owners f;
  const Json claim = Json::parse(R"({"apiVersion":"karpenter.sh/v1","kind":"NodeClaim",
    "metadata":{"name":"c","labels":{"karpenter.sh/nodepool":"p"}},"spec":{"nodeClassRef":
    {"group":"karpenter.k8s.aws","kind":"EC2NodeClass","name":"d"},"requirements":[]}})");
  f.ownership.claim_there = [&](const std::string& name) -> std::optional<api::NodeClaim> {
    const auto found = f.ours.find({Kind::kNodeClaim, name});
    if (found == f.ours.end()) return std::nullopt;
    return std::get<api::NodeClaim>(found->second);
  };
  f.add("/apis/karpenter.sh/v1/nodeclaims/c", claim);
  f.add(kPool, pool(true));
  f.ownership.start();
  f.renew(kKarpenter, seconds(20));
  EXPECT_FALSE(f.has(Kind::kNodeClaim, "c"));
  f.clock.advance(minutes(2));
  EXPECT_TRUE(f.has(Kind::kNodeClaim, "c"));
  // Karpenter comes back, and goes: the claim is what it was, though nobody told of it meanwhile.
  f.renew(kKarpenter, seconds(20));
  EXPECT_FALSE(f.has(Kind::kNodeClaim, "c"));
  f.clock.advance(minutes(2));
  ASSERT_TRUE(f.has(Kind::kNodeClaim, "c"));
  EXPECT_EQ(std::get<api::NodeClaim>(f.ours.at({Kind::kNodeClaim, "c"})).node_class.name, "d");
  f.ownership.gone(Kind::kNodeClaim, "c");
  EXPECT_FALSE(f.has(Kind::kNodeClaim, "c"));
}

TEST(LeaseWatch, BelievesItsOwnStopwatchOnly) {
  LeaseWatch watch;
  EXPECT_EQ(watch.life(), LeaseWatch::Life::kUnknown);
  kube::Reply reply;
  reply.code = 200;
  reply.body = R"({"spec":{"holderIdentity":"a","renewTime":"2001-01-01T00:00:00.000000Z"}})";
  watch.observe(reply, seconds(0));
  EXPECT_EQ(watch.life(), LeaseWatch::Life::kAlive);  // however old its time says it is
  watch.observe(reply, seconds(41));
  EXPECT_EQ(watch.life(), LeaseWatch::Life::kStale);
  reply.body = R"({"spec":{"holderIdentity":"","renewTime":"2001-01-01T00:00:01.000000Z"}})";
  watch.observe(reply, seconds(42));
  EXPECT_EQ(watch.life(), LeaseWatch::Life::kAbsent);  // released
  // A hiccup changes nothing; what can't be read for long is not known.
  reply.code = 403;
  watch.observe(reply, seconds(52));
  EXPECT_EQ(watch.life(), LeaseWatch::Life::kAbsent);
  watch.observe(reply, seconds(83));
  EXPECT_EQ(watch.life(), LeaseWatch::Life::kUnknown);
}

// A living KEDA is not gone because something else answered in the server's place.
TEST(LeaseWatch, AnotherObjectIsNoLeaseThatNobodyHolds) {
  LeaseWatch watch;
  kube::Reply reply;
  reply.code = 200;
  const char* const kAlive = R"({"kind":"Lease","spec":{"holderIdentity":"a","renewTime":"1"}})";
  reply.body = kAlive;
  watch.observe(reply, seconds(0));
  for (const char* body : {"<html>", "{}", "[]", R"({"kind":"Status","status":"Success"})",
                           R"({"kind":"List","metadata":{"resourceVersion":"1"},"items":[1]})",
                           R"({"kind":"Lease","spec":[]})"}) {
    reply.body = body;
    watch.observe(reply, seconds(10));
    EXPECT_EQ(watch.life(), LeaseWatch::Life::kAlive) << body;
  }
  LeaseWatch fresh;
  reply.body = "{}";
  fresh.observe(reply, seconds(0));
  EXPECT_EQ(fresh.life(), LeaseWatch::Life::kUnknown);
}

}  // namespace
}  // namespace windlass::live

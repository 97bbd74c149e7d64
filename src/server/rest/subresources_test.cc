// scale, eviction, binding, tokens, reviews.
#include <gtest/gtest.h>

#include "server/rest/rest_fixture.h"

namespace windlass::server::rest {
namespace {

constexpr const char* kPods = "/api/v1/namespaces/default/pods";
constexpr const char* kBudgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";

TEST(Scale, ReadsAndWritesReplicas) {
  Api api;
  const std::string web = "/apis/apps/v1/namespaces/default/deployments/web";
  ASSERT_EQ(api.post("/apis/apps/v1/namespaces/default/deployments", deployment("web", 2)).code,
            201);
  const Reply scale = api.get(web + "/scale");
  EXPECT_EQ(scale.body["apiVersion"], "autoscaling/v1");
  EXPECT_EQ(scale.body["spec"]["replicas"], 2);
  EXPECT_EQ(scale.body["status"]["selector"], "app=web");
  Json wanted = scale.body;
  wanted["spec"]["replicas"] = 5;
  EXPECT_EQ(api.put(web + "/scale", wanted).body["spec"]["replicas"], 5);
  EXPECT_EQ(api.get(web).body["spec"]["replicas"], 5);
  EXPECT_EQ(api.put(web + "/scale", wanted).code, 409) << "its version is stale now";
  EXPECT_EQ(api.patch(web + "/scale", "merge-patch+json", {{"spec", {{"replicas", -1}}}}).code,
            422);
  EXPECT_EQ(api.patch(web + "/scale", "merge-patch+json", {{"spec", {{"replicas", "x"}}}}).code,
            400);
  EXPECT_EQ(api.get("/apis/apps/v1/namespaces/default/deployments/none/scale").code, 404);
  EXPECT_EQ(api.get("/apis/apps/v1/namespaces/default/daemonsets/x/scale").code, 404);
}

// `healthy` of `count` pods of app=web are ready.
void make_pods(Api& api, int count, int healthy) {
  for (int i = 0; i < count; ++i) {
    const std::string name = "p" + std::to_string(i);
    ASSERT_EQ(api.post(kPods, pod(name, {{"app", "web"}})).code, 201);
    const Json status = {
        {"status",
         {{"phase", "Running"},
          {"conditions",
           Json::array({{{"type", "Ready"}, {"status", i < healthy ? "True" : "False"}}})}}}};
    ASSERT_EQ(
        api.patch(std::string(kPods) + "/" + name + "/status", "merge-patch+json", status).code,
        200);
  }
}

TEST(Eviction, ObeysBudgets) {
  struct Case {
    const char* field;
    Json value;
    int pods, healthy;
    int evictions;  // how many ready pods may go, one after another
  };
  const Case cases[] = {
      {"minAvailable", 2, 3, 3, 1},
      {"minAvailable", "50%", 3, 3, 2},  // of what is there: nobody brings them back
      {"minAvailable", 0, 2, 2, 2},
      {"minAvailable", 3, 3, 3, 0},
      {"minAvailable", 2, 3, 2, 0},
      {"maxUnavailable", 1, 3, 3, 3},  // what is there is what is expected
      {"maxUnavailable", 0, 3, 3, 0},
      {"maxUnavailable", "34%", 3, 2, 1},
  };
  for (const auto& each : cases) {
    Api api;
    make_pods(api, each.pods, each.healthy);
    const Json budget = {
        {"metadata", {{"name", "b"}}},
        {"spec", {{each.field, each.value}, {"selector", {{"matchLabels", {{"app", "web"}}}}}}}};
    ASSERT_EQ(api.post(kBudgets, budget).code, 201);
    int gone = 0;
    for (int i = 0; i < each.healthy; ++i) {
      const std::string name = "p" + std::to_string(i);
      const Reply reply = api.post(
          std::string(kPods) + "/" + name + "/eviction",
          {{"apiVersion", "policy/v1"}, {"kind", "Eviction"}, {"metadata", {{"name", name}}}});
      if (reply.code == 201) {
        ++gone;
        EXPECT_EQ(api.get(std::string(kPods) + "/" + name).code, 404);
        continue;
      }
      EXPECT_EQ(reply.code, 429);
      EXPECT_EQ(reply.reason(), "TooManyRequests");
      EXPECT_EQ(at(reply.body, "details", "causes")[0]["reason"], "DisruptionBudget");
      break;
    }
    EXPECT_EQ(gone, each.evictions) << each.field << " " << each.value;
  }
}

TEST(Eviction, SharesAreOfWhatControllersWant) {
  Api api;
  const Json web =
      api.post("/apis/apps/v1/namespaces/default/deployments", deployment("web", 3)).body;
  make_pods(api, 3, 3);
  for (const char* name : {"p0", "p1", "p2"}) {
    const Json owner = {{"apiVersion", "apps/v1"},
                        {"kind", "Deployment"},
                        {"name", "web"},
                        {"uid", web["metadata"]["uid"]},
                        {"controller", true}};
    ASSERT_EQ(api.patch(std::string(kPods) + "/" + name, "merge-patch+json",
                        {{"metadata", {{"ownerReferences", Json::array({owner})}}}})
                  .code,
              200);
  }
  ASSERT_EQ(
      api.post(kBudgets,
               {{"metadata", {{"name", "b"}}},
                {"spec",
                 {{"minAvailable", "50%"}, {"selector", {{"matchLabels", {{"app", "web"}}}}}}}})
          .code,
      201);
  EXPECT_EQ(api.post(std::string(kPods) + "/p0/eviction", Json::object()).code, 201);
  EXPECT_EQ(api.post(std::string(kPods) + "/p1/eviction", Json::object()).code, 429);
}

TEST(Eviction, OfAPodWithTwoBudgetsFails) {
  Api api;
  make_pods(api, 1, 1);
  for (const char* name : {"a", "b"}) {
    ASSERT_EQ(api.post(kBudgets,
                       {{"metadata", {{"name", name}}},
                        {"spec",
                         {{"minAvailable", 0}, {"selector", {{"matchLabels", {{"app", "web"}}}}}}}})
                  .code,
              201);
  }
  EXPECT_EQ(api.post(std::string(kPods) + "/p0/eviction", Json::object()).code, 500);
  EXPECT_EQ(api.post(std::string(kPods) + "/none/eviction", Json::object()).code, 404);
}

TEST(Binding, IsMadeOnce) {
  Api api;
  ASSERT_EQ(api.post(kPods, pod("a")).code, 201);
  const Json binding = {{"target", {{"kind", "Node"}, {"name", "n1"}}}};
  EXPECT_EQ(api.post(std::string(kPods) + "/a/binding", binding).code, 201);
  const Reply bound = api.get(std::string(kPods) + "/a");
  EXPECT_EQ(bound.body["spec"]["nodeName"], "n1");
  EXPECT_EQ(bound.body["status"]["conditions"][0]["type"], "PodScheduled");
  EXPECT_EQ(api.post(std::string(kPods) + "/a/binding", binding).code, 409);
}

TEST(Tokens, AreIssuedToServiceAccounts) {
  Api api;
  const std::string path = "/api/v1/namespaces/default/serviceaccounts/default/token";
  const Reply issued = api.post(path, {{"spec", {{"expirationSeconds", 600}}}});
  ASSERT_EQ(issued.code, 201) << issued.text;
  EXPECT_EQ(issued.body["status"]["token"], "token-of-system:serviceaccount:default:default");
  EXPECT_EQ(issued.body["status"]["expirationTimestamp"], "1970-01-01T00:10:00Z");
  EXPECT_EQ(api.post(path, {{"spec", {{"expirationSeconds", 1}}}}).code, 422);
}

TEST(Reviews, SayYesToWhoIsKnown) {
  ApiOptions options;
  options.identity_of_token = [](const std::string& token) {
    return token == "good" ? Identity{"ann", {"g"}, ""} : Identity{};
  };
  Api api(std::move(options));
  const std::string may = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  EXPECT_EQ(api.post(may, {{"spec", {{"resourceAttributes", {{"verb", "get"}}}}}})
                .body["status"]["allowed"],
            true);
  const std::string who = "/apis/authentication.k8s.io/v1/";
  EXPECT_EQ(
      api.post(who + "selfsubjectreviews", Json::object()).body["status"]["userInfo"]["username"],
      "windlass-admin");
  const auto known = [&](const char* token) {
    return api.post(who + "tokenreviews", {{"spec", {{"token", token}}}})
        .body["status"]["authenticated"];
  };
  EXPECT_EQ(known("good"), true);
  EXPECT_EQ(known("bad"), false);
  EXPECT_EQ(api.get(may).code, 405);
}

TEST(Containers, AreNotRun) {
  Api api;
  ASSERT_EQ(api.post(kPods, pod("a")).code, 201);
  for (const char* name : {"log", "exec", "attach", "portforward"}) {
    const Reply reply = api.get(std::string(kPods) + "/a/" + name);
    EXPECT_EQ(reply.code, 501) << name;
    EXPECT_NE(reply.message().find("the embedded cluster runs no containers"), std::string::npos);
  }
}

}  // namespace
}  // namespace windlass::server::rest

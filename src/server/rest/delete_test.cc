// Deletion: grace, finalizers, owners, namespaces, collections.
#include <gtest/gtest.h>

#include "server/rest/rest_fixture.h"

namespace windlass::server::rest {
namespace {

constexpr const char* kMaps = "/api/v1/namespaces/default/configmaps";
constexpr const char* kPods = "/api/v1/namespaces/default/pods";

Json owned(Json object, const Json& owner, bool blocks = false) {
  object["metadata"]["ownerReferences"].push_back({{"apiVersion", owner["apiVersion"]},
                                                   {"kind", owner["kind"]},
                                                   {"name", owner["metadata"]["name"]},
                                                   {"uid", owner["metadata"]["uid"]},
                                                   {"blockOwnerDeletion", blocks}});
  return object;
}

TEST(Delete, SaysWhatIsGone) {
  Api api;
  const Json made = api.post(kMaps, config_map("a")).body;
  const Reply gone = api.del(std::string(kMaps) + "/a");
  EXPECT_EQ(gone.code, 200);
  EXPECT_EQ(gone.body["kind"], "Status");
  EXPECT_EQ(gone.body["status"], "Success");
  EXPECT_EQ(gone.body["details"]["uid"], made["metadata"]["uid"]);
  EXPECT_EQ(api.del(std::string(kMaps) + "/a").code, 404);
}

// What can't be read must not end in a deletion.
TEST(Delete, RefusesOptionsItCantRead) {
  Api api;
  api.post(kMaps, config_map("a"));
  const std::string path = std::string(kMaps) + "/a";
  const std::vector<std::pair<Json, int>> bodies = {
      {{{"gracePeriodSeconds", "5"}}, 400},
      {{{"propagationPolicy", 1}}, 400},
      {{{"orphanDependents", "yes"}}, 400},
      {{{"preconditions", "x"}}, 400},
      {{{"preconditions", {{"uid", 5}}}}, 400},
      {{{"preconditions", {{"resourceVersion", 5}}}}, 400},
      {{{"dryRun", "All"}}, 400},
      {{{"dryRun", {"Some"}}}, 422},
      {{{"dryRun", {"All", 1}}}, 422},
      {{{"kind", "Pod"}}, 400},
      {Json::array({1}), 400},
  };
  for (const auto& [body, code] : bodies) {
    EXPECT_EQ(api.del(path, body).code, code) << body;
    EXPECT_EQ(api.get(path).code, 200) << body;
  }
  EXPECT_EQ(api.del(path + "?dryRun=Some").code, 422);
  EXPECT_EQ(api.del(std::string(kMaps) + "?dryRun=Some").code, 422);
  EXPECT_EQ(api.get(path).code, 200);
  EXPECT_EQ(api.del(path, {{"kind", "DeleteOptions"}, {"preconditions", nullptr}}).code, 200);
}

TEST(Delete, ObeysPreconditions) {
  Api api;
  const Json made = api.post(kMaps, config_map("a")).body;
  EXPECT_EQ(api.del(std::string(kMaps) + "/a", {{"preconditions", {{"uid", "x"}}}}).code, 409);
  EXPECT_EQ(
      api.del(std::string(kMaps) + "/a", {{"preconditions", {{"resourceVersion", "1"}}}}).code,
      409);
  EXPECT_EQ(api.del(std::string(kMaps) + "/a", {{"propagationPolicy", "Sideways"}}).code, 422);
  EXPECT_EQ(
      api.del(std::string(kMaps) + "/a", {{"preconditions", {{"uid", made["metadata"]["uid"]}}}})
          .code,
      200);
}

TEST(Delete, WaitsForTheLastFinalizer) {
  Api api;
  Json object = config_map("a");
  object["metadata"]["finalizers"] = {"x.io/one", "x.io/two"};
  ASSERT_EQ(api.post(kMaps, object).code, 201);
  const Reply going = api.del(std::string(kMaps) + "/a");
  EXPECT_EQ(going.body["kind"], "ConfigMap");
  EXPECT_EQ(going.meta("deletionTimestamp"), "2026-03-01T00:00:00Z");
  EXPECT_EQ(going.meta("deletionGracePeriodSeconds"), 0);
  const auto version = api.store.resource_version();
  EXPECT_EQ(api.del(std::string(kMaps) + "/a").code, 200);
  EXPECT_EQ(api.store.resource_version(), version) << "a second deletion changes nothing";
  const auto finalizers = [&](const Json& list) {
    return api.patch(std::string(kMaps) + "/a", "merge-patch+json",
                     {{"metadata", {{"finalizers", list}}}});
  };
  EXPECT_EQ(finalizers({"x.io/one", "x.io/new"}).code, 422) << "none may be added now";
  EXPECT_EQ(finalizers(Json::array({"x.io/one"})).code, 200);
  EXPECT_EQ(api.get(std::string(kMaps) + "/a").code, 200);
  EXPECT_EQ(finalizers(nullptr).code, 200);
  EXPECT_EQ(api.get(std::string(kMaps) + "/a").code, 404);
}

TEST(Delete, BoundPodsEndGracefully) {
  ApiOptions options;
  options.ends_gracefully = [](const cluster::ObjectKey&, const Json& object) {
    return object["spec"].contains("nodeName");
  };
  Api api(std::move(options));
  Json bound = pod("bound");
  bound["spec"]["nodeName"] = "n1";
  ASSERT_EQ(api.post(kPods, bound).code, 201);
  ASSERT_EQ(api.post(kPods, pod("free")).code, 201);
  EXPECT_EQ(api.del(std::string(kPods) + "/free").body["kind"], "Status");
  const Reply going = api.del(std::string(kPods) + "/bound");
  EXPECT_EQ(going.meta("deletionGracePeriodSeconds"), 30);
  EXPECT_EQ(going.meta("deletionTimestamp"), "2026-03-01T00:00:30Z");
  EXPECT_EQ(api.del(std::string(kPods) + "/bound", {{"gracePeriodSeconds", 5}})
                .meta("deletionGracePeriodSeconds"),
            5);
  EXPECT_EQ(api.del(std::string(kPods) + "/bound?gracePeriodSeconds=0").body["kind"], "Status");
  EXPECT_EQ(api.get(std::string(kPods) + "/bound").code, 404) << "forced";
}

TEST(Delete, DependentsGoWithTheirLastOwner) {
  Api api;
  const Json one = api.post(kMaps, config_map("one")).body;
  const Json two = api.post(kMaps, config_map("two")).body;
  const Json child = api.post(kMaps, owned(config_map("child"), one)).body;
  api.post(kMaps, owned(config_map("grandchild"), child));
  api.post(kMaps, owned(owned(config_map("shared"), one), two));
  api.del(std::string(kMaps) + "/one");
  EXPECT_EQ(api.get(std::string(kMaps) + "/child").code, 404);
  EXPECT_EQ(api.get(std::string(kMaps) + "/grandchild").code, 404);
  EXPECT_EQ(api.get(std::string(kMaps) + "/shared").meta("ownerReferences").size(), 1u);
  api.del(std::string(kMaps) + "/two");
  EXPECT_EQ(api.get(std::string(kMaps) + "/shared").code, 404);
}

TEST(Delete, OrphansLiveOn) {
  Api api;
  const Json owner = api.post(kMaps, config_map("owner")).body;
  api.post(kMaps, owned(config_map("child"), owner));
  api.del(std::string(kMaps) + "/owner", {{"propagationPolicy", "Orphan"}});
  EXPECT_EQ(api.get(std::string(kMaps) + "/owner").code, 404);
  const Reply child = api.get(std::string(kMaps) + "/child");
  ASSERT_EQ(child.code, 200);
  EXPECT_TRUE(child.meta("ownerReferences").is_null());
}

TEST(Delete, InTheForegroundOwnersWaitForBlockingDependents) {
  Api api;
  const Json owner = api.post(kMaps, config_map("owner")).body;
  Json child = owned(config_map("child"), owner, true);
  child["metadata"]["finalizers"] = Json::array({"x.io/hold"});
  api.post(kMaps, child);
  api.post(kMaps, owned(config_map("loose"), owner));
  const Reply going = api.del(std::string(kMaps) + "/owner", {{"propagationPolicy", "Foreground"}});
  EXPECT_EQ(going.meta("finalizers"), Json::array({"foregroundDeletion"}));
  EXPECT_EQ(api.get(std::string(kMaps) + "/loose").code, 404);
  EXPECT_EQ(api.get(std::string(kMaps) + "/owner").code, 200);
  EXPECT_FALSE(api.get(std::string(kMaps) + "/child").meta("deletionTimestamp").is_null());
  api.patch(std::string(kMaps) + "/child", "merge-patch+json",
            {{"metadata", {{"finalizers", nullptr}}}});
  EXPECT_EQ(api.get(std::string(kMaps) + "/child").code, 404);
  EXPECT_EQ(api.get(std::string(kMaps) + "/owner").code, 404);
}

TEST(Delete, LongChainsOfOwnersNeedNoStack) {
  Api api;
  Json owner = api.post(kMaps, config_map("c0")).body;
  for (int i = 1; i < 1500; ++i) {
    owner = api.post(kMaps, owned(config_map("c" + std::to_string(i)), owner, true)).body;
  }
  api.del(std::string(kMaps) + "/c0", {{"propagationPolicy", "Foreground"}});
  EXPECT_EQ(api.get(kMaps).body["items"].size(), 0u);
}

TEST(Delete, NamespacesGoWithTheirContents) {
  Api api;
  ASSERT_EQ(api.post("/api/v1/namespaces", {{"metadata", {{"name", "x"}}}}).code, 201);
  EXPECT_EQ(api.get("/api/v1/namespaces/x").body["status"]["phase"], "Active");
  EXPECT_EQ(api.get("/api/v1/namespaces/x/serviceaccounts/default").code, 200);
  const std::string maps = "/api/v1/namespaces/x/configmaps";
  Json held = config_map("held");
  held["metadata"]["finalizers"] = Json::array({"x.io/hold"});
  ASSERT_EQ(api.post(maps, held).code, 201);
  ASSERT_EQ(api.post(maps, config_map("free")).code, 201);
  const Reply going = api.del("/api/v1/namespaces/x");
  EXPECT_EQ(going.body["status"]["phase"], "Terminating");
  EXPECT_EQ(api.get(maps + "/free").code, 404);
  EXPECT_EQ(api.get("/api/v1/namespaces/x").code, 200);
  const Reply refused = api.post(maps, config_map("late"));
  EXPECT_EQ(refused.code, 403);
  EXPECT_EQ(at(refused.body, "details", "causes")[0]["reason"], "NamespaceTerminating");
  EXPECT_EQ(api.del("/api/v1/namespaces/x").code, 409);
  api.patch(maps + "/held", "merge-patch+json", {{"metadata", {{"finalizers", nullptr}}}});
  EXPECT_EQ(api.get("/api/v1/namespaces/x").code, 404);
  EXPECT_EQ(api.del("/api/v1/namespaces/default").code, 403);
  EXPECT_EQ(api.post("/api/v1/namespaces", {{"metadata", {{"name", "x"}}}}).code, 201)
      << "the name is free again";
}

TEST(Delete, CollectionsBySelector) {
  Api api;
  for (const char* name : {"a", "b", "c"}) {
    Json object = config_map(name);
    object["metadata"]["labels"] = {{"go", name[0] == 'b' ? "no" : "yes"}};
    api.post(kMaps, object);
  }
  EXPECT_EQ(api.del(std::string(kMaps) + "?labelSelector=go=yes").body["items"].size(), 2u);
  EXPECT_EQ(api.get(kMaps).body["items"].size(), 1u);
  EXPECT_EQ(api.del("/api/v1/namespaces").code, 405);
}

}  // namespace
}  // namespace windlass::server::rest

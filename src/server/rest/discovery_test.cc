#include <gtest/gtest.h>

#include "server/rest/rest_fixture.h"

namespace windlass::server::rest {
namespace {

const Json* find_by(const Json& list, const char* key, const std::string& value) {
  for (const Json& each : list) {
    if (text_at(each, key) == value) return &each;
  }
  return nullptr;
}

TEST(Discovery, PlainForm) {
  Api api;
  EXPECT_EQ(api.get("/api").body["versions"], Json::array({"v1"}));
  const Json groups = api.get("/apis").body["groups"];
  const Json* autoscaling = find_by(groups, "name", "autoscaling");
  ASSERT_NE(autoscaling, nullptr);
  EXPECT_EQ((*autoscaling)["preferredVersion"]["groupVersion"], "autoscaling/v2");
  EXPECT_EQ((*autoscaling)["versions"].size(), 2u);
  ASSERT_NE(find_by(groups, "name", "karpenter.sh"), nullptr);

  const Json core = api.get("/api/v1").body;
  EXPECT_EQ(core["groupVersion"], "v1");
  const Json* pods = find_by(core["resources"], "name", "pods");
  ASSERT_NE(pods, nullptr);
  EXPECT_EQ((*pods)["singularName"], "pod");
  EXPECT_EQ((*pods)["shortNames"], Json::array({"po"}));
  EXPECT_EQ((*pods)["categories"], Json::array({"all"}));
  EXPECT_EQ((*pods)["namespaced"], true);
  EXPECT_EQ((*pods)["verbs"].size(), 8u);
  const Json* eviction = find_by(core["resources"], "name", "pods/eviction");
  ASSERT_NE(eviction, nullptr);
  EXPECT_EQ((*eviction)["group"], "policy");
  EXPECT_EQ((*eviction)["kind"], "Eviction");
  const Json apps = api.get("/apis/apps/v1").body;
  const Json* scale = find_by(apps["resources"], "name", "deployments/scale");
  ASSERT_NE(scale, nullptr);
  EXPECT_EQ((*scale)["group"], "autoscaling");
  for (const char* absent : {"/apis/none", "/apis/none/v1", "/apis/apps/v2", "/api/v2"}) {
    EXPECT_EQ(api.get(absent).code, 404) << absent;
  }
}

TEST(Discovery, AggregatedForm) {
  Api api;
  const std::string v2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const std::string beta =
      "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
  const Reply apis = api.get("/apis", v2 + "," + beta + ",application/json");
  EXPECT_EQ(apis.content_type, v2) << "clients look for the parameters they sent";
  EXPECT_EQ(apis.body["apiVersion"], "apidiscovery.k8s.io/v2");
  const Json* apps = nullptr;
  for (const Json& item : apis.body["items"]) {
    if (item["metadata"]["name"] == "apps") apps = &item;
  }
  ASSERT_NE(apps, nullptr);
  const Json* deployments = find_by((*apps)["versions"][0]["resources"], "resource", "deployments");
  ASSERT_NE(deployments, nullptr);
  EXPECT_EQ((*deployments)["scope"], "Namespaced");
  EXPECT_EQ((*deployments)["responseKind"]["kind"], "Deployment");
  EXPECT_EQ((*deployments)["subresources"][0]["subresource"], "scale");
  EXPECT_EQ(api.get("/api", beta).content_type, beta);
  EXPECT_EQ(api.get("/api", v2).body["items"][0]["versions"][0]["version"], "v1");
  EXPECT_EQ(api.get("/apis", "application/json").content_type, "application/json");
  EXPECT_EQ(api.get("/apis").body["kind"], "APIGroupList");
}

TEST(Discovery, VersionAndHealth) {
  Api api;
  const Json version = api.get("/version").body;
  EXPECT_EQ(version["major"], "1");
  EXPECT_EQ(version["minor"], "34");
  EXPECT_EQ(version["gitVersion"], "v1.34.0+windlass");
  EXPECT_EQ(api.get("/readyz").text, "ok");
  EXPECT_NE(api.get("/readyz?verbose").text.find("readyz check passed"), std::string::npos);
}

TEST(Discovery, OpenApi) {
  Api api;
  const Json index = api.get("/openapi/v3").body;
  ASSERT_TRUE(index["paths"].contains("apis/apps/v1"));
  ASSERT_TRUE(index["paths"].contains("api/v1"));
  const std::string place = index["paths"]["apis/apps/v1"]["serverRelativeURL"];
  const Reply document = api.get(place);
  ASSERT_EQ(document.code, 200);
  EXPECT_TRUE(document.body["openapi"].get<std::string>().starts_with("3."));
  EXPECT_EQ(api.get("/openapi/v3/apis/none/v1").code, 404);
  const std::string protobuf = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
  const Reply old = api.get("/openapi/v2", protobuf);
  EXPECT_EQ(old.content_type, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf")
      << "clients parse it, and an @ is no part of a media type";
  EXPECT_FALSE(old.text.empty());
  EXPECT_EQ(api.get("/openapi/v2", "application/json").code, 406);

  const std::string before = index["paths"]["apis/karpenter.sh/v1"]["serverRelativeURL"];
  ASSERT_EQ(api.patch("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
                      "nodepools.karpenter.sh",
                      "merge-patch+json", {{"spec", {{"names", {{"categories", {"a", "b"}}}}}}})
                .code,
            200);
  const std::string after =
      api.get("/openapi/v3").body["paths"]["apis/karpenter.sh/v1"]["serverRelativeURL"];
  EXPECT_NE(before, after) << "the hash tells clients that the document has changed";
}

}  // namespace
}  // namespace windlass::server::rest

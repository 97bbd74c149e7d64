// Custom resources: a CRD's life, and what its schema does to objects.
#include <gtest/gtest.h>

#include "server/rest/rest_fixture.h"

namespace windlass::server::rest {
namespace {

constexpr const char* kCrds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
constexpr const char* kThings = "/apis/x.io/v1/namespaces/default/things";

Json version(const char* name, bool storage) {
  const Json integer = {{"type", "integer"}, {"minimum", 0}};
  return {{"name", name},
          {"served", true},
          {"storage", storage},
          {"subresources",
           {{"status", Json::object()},
            {"scale",
             {{"specReplicasPath", ".spec.size"},
              {"statusReplicasPath", ".status.size"},
              {"labelSelectorPath", ".status.selector"}}}}},
          {"additionalPrinterColumns",
           Json::array({{{"name", "Size"}, {"type", "integer"}, {"jsonPath", ".spec.size"}}})},
          {"schema",
           {{"openAPIV3Schema",
             {{"type", "object"},
              {"properties",
               {{"spec",
                 {{"type", "object"},
                  {"properties",
                   {{"size", integer}, {"color", {{"type", "string"}, {"default", "red"}}}}}}},
                {"status",
                 {{"type", "object"},
                  {"properties", {{"size", integer}, {"selector", {{"type", "string"}}}}}}}}}}}}}};
}

Json things() {
  return {
      {"metadata", {{"name", "things.x.io"}}},
      {"spec",
       {{"group", "x.io"},
        {"scope", "Namespaced"},
        {"names", {{"plural", "things"}, {"kind", "Thing"}, {"shortNames", Json::array({"th"})}}},
        {"versions", Json::array({version("v1beta1", false), version("v1", true)})}}}};
}

Json thing(const char* name, Json spec) {
  return {{"apiVersion", "x.io/v1"},
          {"kind", "Thing"},
          {"metadata", {{"name", name}}},
          {"spec", std::move(spec)}};
}

TEST(Crd, IsServedAtOnce) {
  Api api;
  EXPECT_EQ(api.get(kThings).code, 404);
  const Reply made = api.post(kCrds, things());
  ASSERT_EQ(made.code, 201) << made.text;
  for (const Json& condition : made.body["status"]["conditions"]) {
    EXPECT_EQ(condition["status"], "True") << condition;
  }
  EXPECT_EQ(made.body["status"]["storedVersions"], Json::array({"v1"}));
  EXPECT_EQ(made.body["status"]["acceptedNames"]["singular"], "thing");
  EXPECT_EQ(api.get(kThings).body["kind"], "ThingList");
  const Json resources = api.get("/apis/x.io/v1").body["resources"];
  ASSERT_EQ(resources.size(), 3u);
  EXPECT_EQ(resources[0]["shortNames"], Json::array({"th"}));
  EXPECT_EQ(resources[1]["name"], "things/scale");
  EXPECT_EQ(resources[1]["kind"], "Scale");
  EXPECT_EQ(api.get("/apis/x.io").body["preferredVersion"]["version"], "v1");
}

TEST(Crd, SchemasDefaultPruneAndCheck) {
  Api api;
  ASSERT_EQ(api.post(kCrds, things()).code, 201);
  const Reply made = api.post(kThings, thing("a", {{"size", 1}, {"junk", 2}}));
  ASSERT_EQ(made.code, 201) << made.text;
  EXPECT_EQ(made.body["spec"], (Json{{"size", 1}, {"color", "red"}}));
  EXPECT_EQ(made.meta("generation"), 1);
  const Reply refused = api.post(kThings, thing("b", {{"size", -1}}));
  EXPECT_EQ(refused.code, 422);
  EXPECT_NE(refused.message().find("Thing.x.io \"b\" is invalid: spec.size: Invalid value: -1"),
            std::string::npos)
      << refused.message();
  EXPECT_EQ(api.post(kThings, thing("b", {{"size", "x"}})).code, 422);
  EXPECT_EQ(api.patch(std::string(kThings) + "/a", "strategic-merge-patch+json", {}).code, 415);
  Json blind = made.body;
  blind["metadata"].erase("resourceVersion");
  EXPECT_EQ(api.put(std::string(kThings) + "/a", blind).code, 422) << "updates name their version";
  const Reply table = api.get(kThings, "application/json;as=Table;v=v1;g=meta.k8s.io");
  EXPECT_EQ(table.body["columnDefinitions"][1]["name"], "Size");
  EXPECT_EQ(table.body["rows"][0]["cells"][1], 1);
}

TEST(Crd, VersionsAreOneObject) {
  Api api;
  ASSERT_EQ(api.post(kCrds, things()).code, 201);
  Json old = thing("a", {{"size", 1}});
  old["apiVersion"] = "x.io/v1beta1";
  const std::string beta = "/apis/x.io/v1beta1/namespaces/default/things";
  const Reply made = api.post(beta, old);
  ASSERT_EQ(made.code, 201) << made.text;
  EXPECT_EQ(made.body["apiVersion"], "x.io/v1beta1");
  EXPECT_EQ(api.get(std::string(kThings) + "/a").body["apiVersion"], "x.io/v1");
  EXPECT_EQ(api.get(beta).body["items"][0]["apiVersion"], "x.io/v1beta1");
}

TEST(Crd, ConversionIsTheHooks) {
  ApiOptions options;
  options.convert = [](const Json& object) -> Result<Json> {
    if (object["spec"].contains("bad")) return Error("no");
    Json converted = object;
    converted["spec"]["color"] = "converted";
    return converted;
  };
  Api api(std::move(options));
  Json crd = things();
  crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["x-kubernetes-preserve-unknown-fields"] =
      true;
  ASSERT_EQ(api.post(kCrds, crd).code, 201);
  Json old = thing("a", {{"size", 1}});
  old["apiVersion"] = "x.io/v1beta1";
  const std::string beta = "/apis/x.io/v1beta1/namespaces/default/things";
  ASSERT_EQ(api.post(beta, old).code, 201);
  EXPECT_EQ(api.get(std::string(kThings) + "/a").body["spec"]["color"], "converted");
}

TEST(Crd, StatusAndScaleAreTheirOwn) {
  Api api;
  ASSERT_EQ(api.post(kCrds, things()).code, 201);
  ASSERT_EQ(api.post(kThings, thing("a", {{"size", 2}})).code, 201);
  const std::string a = std::string(kThings) + "/a";
  const Reply status =
      api.patch(a + "/status", "merge-patch+json",
                {{"spec", {{"size", 9}}}, {"status", {{"size", 1}, {"selector", "app=a"}}}});
  ASSERT_EQ(status.code, 200) << status.text;
  EXPECT_EQ(status.body["spec"]["size"], 2);
  const Reply scale = api.get(a + "/scale");
  EXPECT_EQ(scale.body["kind"], "Scale");
  EXPECT_EQ(scale.body["spec"]["replicas"], 2);
  EXPECT_EQ(scale.body["status"]["replicas"], 1);
  EXPECT_EQ(scale.body["status"]["selector"], "app=a");
  const Reply scaled = api.patch(a + "/scale", "merge-patch+json", {{"spec", {{"replicas", 7}}}});
  ASSERT_EQ(scaled.code, 200) << scaled.text;
  EXPECT_EQ(api.get(a).body["spec"]["size"], 7);
  EXPECT_EQ(api.get(a).meta("generation"), 2);
}

TEST(Crd, GoesWithItsObjects) {
  Api api;
  ASSERT_EQ(api.post(kCrds, things()).code, 201);
  Json held = thing("held", {{"size", 1}});
  held["metadata"]["finalizers"] = Json::array({"x.io/hold"});
  ASSERT_EQ(api.post(kThings, held).code, 201);
  ASSERT_EQ(api.post(kThings, thing("free", {{"size", 1}})).code, 201);
  const auto stream = api.watch(std::string(kThings) + "?watch=1");
  stream->take();
  const std::string crd = std::string(kCrds) + "/things.x.io";
  EXPECT_EQ(api.del(crd).meta("finalizers"),
            Json::array({"customresourcecleanup.apiextensions.k8s.io"}));
  EXPECT_EQ(api.get(std::string(kThings) + "/free").code, 404);
  EXPECT_EQ(api.get(crd).code, 200);
  api.patch(std::string(kThings) + "/held", "merge-patch+json",
            {{"metadata", {{"finalizers", nullptr}}}});
  EXPECT_EQ(api.get(crd).code, 404);
  EXPECT_EQ(api.get(kThings).code, 404);
  EXPECT_TRUE(stream->closed());
  EXPECT_EQ(api.get("/apis/x.io").code, 404);
}

TEST(Crd, FaultsAreNamed) {
  Api api;
  const auto refused = [&](const char* what, const std::function<void(Json&)>& spoil) {
    Json crd = things();
    spoil(crd);
    const Reply reply = api.post(kCrds, crd);
    EXPECT_EQ(reply.code, 422) << what << ": " << reply.text;
  };
  refused("name", [](Json& crd) { crd["metadata"]["name"] = "other.x.io"; });
  refused("scope", [](Json& crd) { crd["spec"]["scope"] = "Galaxy"; });
  refused("two storage versions", [](Json& crd) { crd["spec"]["versions"][0]["storage"] = true; });
  refused("no schema", [](Json& crd) { crd["spec"]["versions"][0].erase("schema"); });
  refused("a built-in resource", [](Json& crd) {
    crd["metadata"]["name"] = "deployments.apps";
    crd["spec"]["group"] = "apps";
    crd["spec"]["names"]["plural"] = "deployments";
  });
}

TEST(Crd, NamesAreTakenOnce) {
  Api api;
  ASSERT_EQ(api.post(kCrds, things()).code, 201);
  Json second = things();
  second["metadata"]["name"] = "others.x.io";
  second["spec"]["names"]["plural"] = "others";
  const Reply made = api.post(kCrds, second);
  ASSERT_EQ(made.code, 201);
  EXPECT_EQ(made.body["status"]["conditions"][0]["status"], "False");
  EXPECT_EQ(api.get("/apis/x.io/v1/others").code, 404);
}

}  // namespace
}  // namespace windlass::server::rest

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "server/patch/patch.h"
#include "server/patch/random_json.h"

namespace windlass::server::patch {
namespace {

const schema::Shape& shape_of(const std::string& kind) {
  const schema::Shape* shape = schema::built_in(kind == "Deployment" ? "apps" : "", "v1", kind);
  EXPECT_NE(shape, nullptr) << kind;
  return *shape;
}

struct Recorded {
  const char* kind;
  const char* object;
  const char* patch;
  const char* result;
};
const Recorded kRecorded[] = {
#include "server/patch/strategic_cases.inc"
};

TEST(StrategicMerge, AsKubernetesDoes) {
  for (const Recorded& c : kRecorded) {
    const Result<Json> result =
        strategic_merge_patch(Json::parse(c.object), Json::parse(c.patch), shape_of(c.kind));
    ASSERT_TRUE(result.ok()) << c.patch << ": " << result.error().message();
    EXPECT_EQ(*result, Json::parse(c.result)) << c.object << "\n" << c.patch;
  }
}

// Cases of a pod's spec: live, patch, result.
struct Case {
  const char* name;
  const char* live;
  const char* patch;
  const char* result;
  const char* error = "";  // instead of a result
};

const Case kCases[] = {
    {"objects merge", R"({"nodeName":"a","hostname":"h"})", R"({"nodeName":"b"})",
     R"({"nodeName":"b","hostname":"h"})"},
    {"null deletes", R"({"nodeName":"a","hostname":"h"})", R"({"nodeName":null,"subdomain":null})",
     R"({"hostname":"h"})"},
    {"containers merge by name", R"({"containers":[{"name":"a","image":"1"},{"name":"b"}]})",
     R"({"containers":[{"name":"a","image":"2"}]})",
     R"({"containers":[{"name":"a","image":"2"},{"name":"b"}]})"},
    {"a new container goes first", R"({"containers":[{"name":"a"},{"name":"b"}]})",
     R"({"containers":[{"name":"c"}]})",
     R"({"containers":[{"name":"c"},{"name":"a"},{"name":"b"}]})"},
    {"unless the order says otherwise", R"({"containers":[{"name":"a"},{"name":"b"}]})",
     R"({"$setElementOrder/containers":[{"name":"a"},{"name":"b"},{"name":"c"}],
         "containers":[{"name":"c"}]})",
     R"({"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]})"},
    {"only an order", R"({"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]})",
     R"({"$setElementOrder/containers":[{"name":"c"},{"name":"a"}]})",
     R"({"containers":[{"name":"b"},{"name":"c"},{"name":"a"}]})"},
    {"delete an element", R"({"containers":[{"name":"a"},{"name":"b"}]})",
     R"({"containers":[{"name":"a","$patch":"delete"}]})", R"({"containers":[{"name":"b"}]})"},
    {"replace a list", R"({"containers":[{"name":"a"},{"name":"b"}]})",
     R"({"containers":[{"$patch":"replace"},{"name":"c"}]})", R"({"containers":[{"name":"c"}]})"},
    {"replace an object", R"({"securityContext":{"runAsUser":1,"runAsGroup":2}})",
     R"({"securityContext":{"$patch":"replace","runAsUser":3}})",
     R"({"securityContext":{"runAsUser":3}})"},
    {"delete an object", R"({"securityContext":{"runAsUser":1}})",
     R"({"securityContext":{"$patch":"delete"}})", R"({"securityContext":{}})"},
    {"lists within lists", R"({"containers":[{"name":"a","env":[{"name":"X","value":"1"}]}]})",
     R"({"containers":[{"name":"a","env":[{"name":"Y","value":"2"}]}]})",
     R"({"containers":[{"name":"a","env":[{"name":"Y","value":"2"},{"name":"X","value":"1"}]}]})"},
    {"numbers are keys", R"({"containers":[{"name":"a","ports":[{"containerPort":80}]}]})",
     R"({"containers":[{"name":"a","ports":[{"containerPort":80.0,"name":"http"}]}]})",
     R"({"containers":[{"name":"a","ports":[{"containerPort":80.0,"name":"http"}]}]})"},
    {"atomic lists are replaced", R"({"tolerations":[{"key":"a"}]})",
     R"({"tolerations":[{"key":"b"}]})", R"({"tolerations":[{"key":"b"}]})"},
    {"retained keys", R"({"volumes":[{"name":"v","emptyDir":{}}]})",
     R"({"volumes":[{"name":"v","$retainKeys":["name","configMap"],"configMap":{"name":"c"}}]})",
     R"({"volumes":[{"name":"v","configMap":{"name":"c"}}]})"},
    {"a key that isn't retained", R"({"volumes":[{"name":"v","emptyDir":{}}]})",
     R"({"volumes":[{"name":"v","$retainKeys":["name"],"configMap":{"name":"c"}}]})", "",
     "invalid patch format of retainKeys"},
    {"unknown members are kept", R"({"mine":{"a":1,"list":[1]}})",
     R"({"mine":{"b":2,"list":[2]},"other":[3]})",
     R"({"mine":{"a":1,"b":2,"list":[2]},"other":[3]})"},
    {"without its key", R"({"containers":[{"name":"a"}]})", R"({"containers":[{"image":"1"}]})", "",
     R"(map: {"image":"1"} does not contain declared merge key: name)"},
    {"delete without the key", R"({"containers":[{"name":"a"}]})",
     R"({"containers":[{"$patch":"delete"}]})", "", "does not contain declared merge key: name"},
    {"unknown directive", R"({"hostname":"h"})", R"({"$patch":"grow"})", "", "unknown patch type"},
    {"unknown directive in a list", R"({"containers":[{"name":"a"}]})",
     R"({"containers":[{"name":"a","$patch":"grow"}]})", "", "unknown patch type"},
    {"merge of a list", R"({"containers":[{"name":"a"}]})",
     R"({"containers":[{"name":"a","$patch":"merge"}]})", "",
     "merging lists cannot yet be specified"},
    {"scalars among objects", R"({"containers":[{"name":"a"}]})", R"({"containers":["a"]})", "",
     "list element types are not identical"},
    {"orders that disagree", R"({"containers":[{"name":"a"}]})",
     R"({"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],
         "containers":[{"name":"a","image":"x"},{"name":"b"}]})",
     "", "doesn't match its $setElementOrder list"},
    {"an order that is no list", R"({"containers":[{"name":"a"}]})",
     R"({"$setElementOrder/containers":1})", "", "invalid patch format of setElementOrder"},
};

TEST(StrategicMerge, PodSpecs) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    const Json live = {{"spec", Json::parse(c.live)}};
    const Json patch = {{"spec", Json::parse(c.patch)}};
    const Result<Json> result = strategic_merge_patch(live, patch, shape_of("Pod"));
    if (*c.result != '\0') {
      ASSERT_TRUE(result.ok()) << result.error().message();
      EXPECT_EQ((*result)["spec"], Json::parse(c.result));
    } else {
      ASSERT_FALSE(result.ok()) << result->dump();
      EXPECT_NE(result.error().message().find(c.error), std::string::npos)
          << result.error().message();
    }
  }
}

TEST(StrategicMerge, ListsOfScalars) {
  const auto patched = [](const char* live, const char* patch) {
    const Json object = {{"metadata", {{"finalizers", Json::parse(live)}}}};
    const Json change = {{"metadata", Json::parse(patch)}};
    const Result<Json> result = strategic_merge_patch(object, change, shape_of("Pod"));
    EXPECT_TRUE(result.ok());
    return (*result)["metadata"]["finalizers"].dump();
  };
  EXPECT_EQ(patched(R"(["a","b"])", R"({"finalizers":["c","b"]})"), R"(["c","a","b"])");
  EXPECT_EQ(patched(R"(["a","b","c"])", R"({"$deleteFromPrimitiveList/finalizers":["b","x"]})"),
            R"(["a","c"])");
  EXPECT_EQ(patched(R"(["a","b"])", R"({"$setElementOrder/finalizers":["b","a"]})"),
            R"(["b","a"])");
  EXPECT_EQ(patched(R"(["a","b"])", R"({"$deleteFromPrimitiveList/finalizers":["a"],
                                      "$setElementOrder/finalizers":["b","c"],
                                      "finalizers":["c"]})"),
            R"(["b","c"])");
}

// Without directives and lists it is a merge patch.
RC_GTEST_PROP(StrategicMerge, OfLabelsIsAMergePatch, ()) {
  const auto labels = [] {
    Json object = Json::object();
    for (const char* key : {"a", "b", "c", "d"}) {
      if (*rc::gen::arbitrary<bool>()) {
        object[key] = *rc::gen::element<Json>("x", "y", nullptr);
      }
    }
    return Json{{"metadata", {{"labels", object}}}};
  };
  const Json object = merge_patch(Json::object(), labels());
  const Json patch = labels();
  const Result<Json> result = strategic_merge_patch(object, patch, shape_of("Pod"));
  RC_ASSERT(result.ok());
  RC_ASSERT(*result == merge_patch(object, patch));
}

// Whatever stands in the patch, the outcome is a value or an error.
RC_GTEST_PROP(StrategicMerge, TakesAnything, ()) {
  Json patch = Json::object();
  for (const char* key : {"$patch", "$retainKeys", "containers", "$setElementOrder/containers",
                          "$deleteFromPrimitiveList/containers", "volumes"}) {
    if (*rc::gen::inRange(0, 3) == 0) patch[key] = *random_json(3);
  }
  const Json live = {{"spec", {{"containers", *random_json(2)}, {"volumes", *random_json(2)}}}};
  const Result<Json> result = strategic_merge_patch(live, Json{{"spec", patch}}, shape_of("Pod"));
  if (result.ok()) RC_ASSERT(result->is_object());
}

}  // namespace
}  // namespace windlass::server::patch

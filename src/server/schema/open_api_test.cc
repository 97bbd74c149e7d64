#include <map>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "server/schema/open_api_schemas.h"
#include "server/schema/schema.h"

namespace windlass::server::schema {
namespace {

const CrdShape& engine() {
  static const CrdShape kShape = std::move(*read_crd_schema(Json::parse(R"({"type":"object",
    "properties":{"spec":{"type":"object","description":"what is wanted","required":["size"],
      "properties":{"size":{"type":"integer","default":1,"minimum":1},
        "port":{"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]},
        "mode":{"type":"string","enum":["a","b"],"nullable":true}},
      "x-kubernetes-validations":[{"rule":"self.size > 0"}]}}})")));
  return kShape;
}
PublishedKind engine_kind() { return {"Engine", "engines", true, true, true, engine().root}; }
PublishedKind deployments() {
  return {"Deployment", "deployments", true, true, true, built_in("apps", "v1", "Deployment")};
}

// All that a document refers to by "$ref".
void collect(const Json& value, std::set<std::string>& found) {
  if (value.is_object() && value.contains("$ref") && value["$ref"].is_string()) {
    found.insert(value["$ref"].get<std::string>());
  }
  for (const Json& inner : value) {
    if (inner.is_structured()) collect(inner, found);
  }
}

TEST(OpenApiV3, PatchDeclaresWhatTheServerChecks) {
  const Json document = Json::parse(open_api_v3("apps", "v1", {deployments()}));
  const Json& paths = document["paths"];
  const Json& patch = paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
  EXPECT_EQ(patch["x-kubernetes-group-version-kind"],
            Json::parse(R"({"group":"apps","version":"v1","kind":"Deployment"})"));
  std::set<std::string> names;
  for (const Json& parameter : patch["parameters"]) {
    EXPECT_EQ(parameter["in"], "query");
    names.insert(parameter["name"].get<std::string>());
  }
  EXPECT_EQ(names, (std::set<std::string>{"dryRun", "fieldManager", "fieldValidation", "force"}));
  EXPECT_TRUE(patch["requestBody"]["content"].contains("application/strategic-merge-patch+json"));
  EXPECT_EQ(patch["operationId"], "patchAppsV1NamespacedDeployment");
  for (const char* path :
       {"/apis/apps/v1/deployments", "/apis/apps/v1/namespaces/{namespace}/deployments",
        "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/status",
        "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"}) {
    EXPECT_TRUE(paths.contains(path)) << path;
  }
  EXPECT_EQ(paths.size(), 5u);
}

TEST(OpenApiV3, SchemasKeepMergeKeysAndListTypes) {
  const Json document = Json::parse(open_api_v3("apps", "v1", {deployments()}));
  const Json& schemas = document["components"]["schemas"];
  EXPECT_EQ(schemas["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"],
            Json::parse(R"({"type":"array","x-kubernetes-patch-strategy":"merge",
              "x-kubernetes-patch-merge-key":"name","x-kubernetes-list-type":"map",
              "x-kubernetes-list-map-keys":["name"],
              "items":{"$ref":"#/components/schemas/io.k8s.api.core.v1.Container"}})"));
  EXPECT_EQ(schemas["io.k8s.api.apps.v1.DeploymentSpec"]["required"],
            Json::parse(R"(["selector","template"])"));
  EXPECT_EQ(schemas["io.k8s.api.apps.v1.DeploymentSpec"]["properties"]["strategy"]
                   ["x-kubernetes-patch-strategy"],
            "retainKeys");
  EXPECT_EQ(schemas["io.k8s.api.apps.v1.Deployment"]["x-kubernetes-group-version-kind"],
            Json::parse(R"([{"group":"apps","version":"v1","kind":"Deployment"}])"));
  EXPECT_TRUE(schemas.contains("io.k8s.api.apps.v1.DeploymentList"));
  EXPECT_TRUE(schemas.contains("io.k8s.api.autoscaling.v1.Scale"));
}

TEST(OpenApiV3, ACustomKindIsPublishedAsWritten) {
  const Json document = Json::parse(open_api_v3("example.com", "v1", {engine_kind()}));
  const Json& schema = document["components"]["schemas"]["com.example.v1.Engine"];
  EXPECT_EQ(schema["properties"]["spec"], (*engine().root->written)["properties"]["spec"]);
  EXPECT_EQ(schema["properties"]["kind"], Json::parse(R"({"type":"string"})"));
  EXPECT_EQ(schema["properties"]["metadata"]["$ref"],
            "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
  EXPECT_EQ(schema["x-kubernetes-group-version-kind"],
            Json::parse(R"([{"group":"example.com","version":"v1","kind":"Engine"}])"));
  const Json& patch =
      document["paths"]["/apis/example.com/v1/namespaces/{namespace}/engines/{name}"]["patch"];
  EXPECT_FALSE(patch["requestBody"]["content"].contains("application/strategic-merge-patch+json"));
  EXPECT_EQ(patch["operationId"], "patchExampleV1NamespacedEngine");
}

TEST(OpenApiV3, EveryReferenceIsAnswered) {
  std::map<std::pair<std::string, std::string>, std::vector<PublishedKind>> by_version;
  for (const BuiltInKind& kind : built_in_kinds()) {
    if (kind.group == "meta.k8s.io") continue;
    by_version[{kind.group, kind.version}].push_back(
        {kind.kind, kind.kind + "s", true, false, false, kind.shape});
  }
  by_version[{"example.com", "v1"}] = {engine_kind()};
  for (const auto& [version, kinds] : by_version) {
    const Json document = Json::parse(open_api_v3(version.first, version.second, kinds));
    std::set<std::string> references;
    collect(document["components"], references);
    for (const std::string& reference : references) {
      EXPECT_TRUE(document.contains(Json::json_pointer(reference.substr(1)))) << reference;
    }
  }
}

TEST(OpenApi, DescriptionsAreOfTypesThatExist) {
  std::set<std::string> kinds;
  for (const BuiltInKind& kind : built_in_kinds()) kinds.insert(kind.shape->name);
  size_t described = 0;
  for (const std::string& kind : kinds) described += description_of(kind).empty() ? 0 : 1;
  EXPECT_GT(described, 25u);
  EXPECT_EQ(description_of("io.k8s.api.core.v1.Pod"), "Containers that run together on one node.");
  EXPECT_EQ(description_of("Pod"), "");
}

// --- v2: read back with a reader of the wire format of its own ---

struct Fields {
  std::multimap<uint64_t, std::string> texts;
  std::string first(uint64_t field) const {
    const auto found = texts.find(field);
    return found == texts.end() ? "" : found->second;
  }
};
Fields read(const std::string& bytes) {
  Fields out;
  size_t at = 0;
  const auto varint = [&] {
    uint64_t value = 0;
    for (int shift = 0; at < bytes.size(); shift += 7) {
      const auto byte = static_cast<uint8_t>(bytes[at++]);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  while (at < bytes.size()) {
    const uint64_t tag = varint();
    if ((tag & 7) == 0) {
      out.texts.emplace(tag >> 3, std::to_string(varint()));
    } else {
      const uint64_t size = (tag & 7) == 1 ? 8 : varint();
      out.texts.emplace(tag >> 3, bytes.substr(at, size));
      at += size;
    }
  }
  return out;
}
// A NamedX {name = 1, value = 2} of a list.
std::string named(const std::string& bytes, uint64_t field, const std::string& name) {
  const Fields all = read(bytes);
  for (auto [it, end] = all.texts.equal_range(field); it != end; ++it) {
    const Fields entry = read(it->second);
    if (entry.first(1) == name) return entry.first(2);
  }
  return "";
}

TEST(OpenApiV2, HoldsDefinitionsAndPatches) {
  const std::string bytes =
      open_api_v2_protobuf({{"apps/v1", {deployments()}}, {"example.com/v1", {engine_kind()}}});
  const Fields document = read(bytes);
  EXPECT_EQ(document.first(1), "2.0");
  const std::string definitions = document.first(9);
  const std::string deployment = named(definitions, 1, "io.k8s.api.apps.v1.Deployment");
  EXPECT_EQ(read(named(read(deployment).first(25), 1, "spec")).first(1),
            "#/definitions/io.k8s.api.apps.v1.DeploymentSpec");
  // Extensions are YAML texts in Any.yaml.
  EXPECT_EQ(Json::parse(read(named(deployment, 31, "x-kubernetes-group-version-kind")).first(2)),
            Json::parse(R"([{"group":"apps","version":"v1","kind":"Deployment"}])"));
  const std::string pod_spec = named(definitions, 1, "io.k8s.api.core.v1.PodSpec");
  const std::string containers = named(read(pod_spec).first(25), 1, "containers");
  EXPECT_EQ(read(read(containers).first(22)).first(1), "array");
  EXPECT_EQ(read(named(containers, 31, "x-kubernetes-patch-merge-key")).first(2), "\"name\"");
  EXPECT_EQ(read(read(read(containers).first(23)).first(1)).first(1),
            "#/definitions/io.k8s.api.core.v1.Container");

  const std::string engine_schema = named(definitions, 1, "com.example.v1.Engine");
  const std::string spec = named(read(engine_schema).first(25), 1, "spec");
  EXPECT_EQ(read(spec).first(4), "what is wanted");
  EXPECT_EQ(read(spec).first(19), "size");
  const std::string port = named(read(spec).first(25), 1, "port");
  EXPECT_EQ(read(read(port).first(22)).first(1), "");

  const std::string path =
      named(document.first(8), 2, "/apis/apps/v1/namespaces/{namespace}/deployments/{name}");
  const std::string patch = read(path).first(8);
  std::set<std::string> names;
  const Fields operation = read(patch);
  for (auto [it, end] = operation.texts.equal_range(8); it != end; ++it) {
    names.insert(read(read(read(read(it->second).first(1)).first(2)).first(3)).first(4));
  }
  EXPECT_TRUE(names.contains("fieldValidation"));
  EXPECT_EQ(Json::parse(read(named(patch, 13, "x-kubernetes-group-version-kind")).first(2))["kind"],
            "Deployment");
}

}  // namespace
}  // namespace windlass::server::schema

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "server/schema/base64.h"
#include "server/schema/schema.h"

namespace windlass::server::schema {
namespace {

const Shape& deployment() { return *built_in("apps", "v1", "Deployment"); }
using Paths = std::vector<std::string>;

TEST(UnknownFields, NamesEachPath) {
  const Json object = Json::parse(R"({
    "apiVersion":"apps/v1","kind":"Deployment",
    "metadata":{"name":"a","labels":{"any":"thing"},"lables":{}},
    "spec":{"replica":1,"template":{"spec":{"containers":[{"name":"c"},{"imge":"x"}]}}}})");
  EXPECT_EQ(unknown_fields(deployment(), object),
            (Paths{"metadata.lables", "spec.replica", "spec.template.spec.containers[1].imge"}));
  EXPECT_EQ(unknown_fields(deployment(), Json::parse(R"({"spec":{"replicas":1}})")), Paths{});
  EXPECT_EQ(unknown_fields(*built_in("apps", "v1", "ControllerRevision"),
                           Json::parse(R"({"data":{"anything":{"goes":1}},"revision":1})")),
            Paths{});
}

TEST(DuplicateFields, InJsonAndYaml) {
  for (const auto& [text, paths] : std::vector<std::pair<std::string, Paths>>{
           {R"({"a":1,"b":{"a":2}})", {}},
           {R"({"spec":{"replicas":1,"x":[{"n":1},{"n":2,"n":3}],"replicas":2}})",
            {"spec.x[1].n", "spec.replicas"}},
           {R"({"a":1,"a":2,"a":3})", {"a"}},
           {R"([[1,{"k":0,"k":1}]])", {"[0][1].k"}},
           {R"({"a":1,"a":)", {"a"}},
           {"spec:\n  replicas: 1\n  replicas: 2\nlist:\n- x: 1\n- {y: 1, y: 2}\n",
            {"spec.replicas", "list[1].y"}},
           {"a: 1\n", {}},
           {"", {}},
           {"a: [", {}}}) {
    EXPECT_EQ(duplicate_fields(text), paths) << text;
  }
  EXPECT_EQ(duplicate_fields(std::string(100000, '[')), Paths{});
}

TEST(TypeFault, WordsItAsTheApiDoes) {
  for (
      const auto& [object, message] : std::vector<std::pair<std::string, std::string>>{
          {R"({"spec":{"replicas":3}})", ""},
          {R"({"spec":{"replicas":null}})", ""},
          {R"({"spec":{"replicas":"3"}})",
           "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of "
           "type int32"},
          {R"({"spec":{"replicas":1.5}})",
           "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas "
           "of type int32"},
          {R"({"spec":{"replicas":3000000000}})",
           "json: cannot unmarshal number 3000000000 into Go struct field "
           "DeploymentSpec.spec.replicas of type int32"},
          {R"({"metadata":{"labels":{"a":true}}})",
           "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels.a of type "
           "string"},
          {R"({"spec":{"template":{"spec":{"containers":{}}}}})",
           "json: cannot unmarshal object into Go struct field "
           "PodSpec.spec.template.spec.containers of type []v1.Container"},
          {R"({"spec":{"template":{"spec":{"containers":[{"ports":[{"containerPort":"x"}]}]}}}})",
           "json: cannot unmarshal string into Go struct field "
           "ContainerPort.spec.template.spec.containers.ports.containerPort of type int32"},
          {R"({"spec":{"template":{"spec":{"containers":[{"resources":{"limits":{"cpu":1,
                "memory":"1Gi"}}}]}}}})",
           ""},
          {R"({"spec":{"template":{"spec":{"containers":[{"resources":{"limits":{"cpu":"x"}}}]}}}})",
           "quantities must match the regular expression "
           "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
          {R"({"spec":{"strategy":{"rollingUpdate":{"maxSurge":"25%","maxUnavailable":1}}}})", ""},
          {R"({"spec":{"strategy":{"rollingUpdate":{"maxSurge":true}}}})",
           "json: cannot unmarshal bool into Go struct field "
           "RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge of type int32"},
          {R"({"metadata":{"creationTimestamp":"2026-01-01T00:00:00Z"}})", ""},
          {R"({"metadata":{"creationTimestamp":"now"}})",
           R"(parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse "now" as "2006")"},
          {"[]", "json: cannot unmarshal array into Go value of type v1.Deployment"}}) {
    EXPECT_EQ(type_fault(deployment(), Json::parse(object)), message) << object;
  }
  const Shape& secret = *built_in("", "v1", "Secret");
  EXPECT_EQ(type_fault(secret, Json::parse(R"({"data":{"a":"AP8Q"}})")), "");
  EXPECT_EQ(type_fault(secret, Json::parse(R"({"data":{"a":"AP*Q"}})")),
            "illegal base64 data at input byte 2");
}

TEST(Prune, TakesOutUnknownAndNull) {
  Json object = Json::parse(R"({"spec":{"replica":1,"replicas":null,"paused":true,
    "template":{"spec":{"containers":[{"name":"c","imge":"x"}]}}},
    "metadata":{"labels":{"a":null,"b":"1"},"creationTimestamp":null},"more":{}})");
  prune(deployment(), object);
  EXPECT_EQ(object, Json::parse(R"({"spec":{"paused":true,
    "template":{"spec":{"containers":[{"name":"c"}]}}},"metadata":{"labels":{"a":"","b":"1"}}})"));
}

TEST(Base64, BothWays) {
  for (const auto& [bytes, text] : std::vector<std::pair<std::string, std::string>>{
           {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}}) {
    EXPECT_EQ(base64_encode(bytes), text);
    EXPECT_EQ(base64_fault_at(text), std::string::npos) << text;
  }
  for (const char* wrong : {"Z", "Zg", "Zg=", "Zg=a", "====", "Zm9v=", "Zm8==", "Zm 9"}) {
    EXPECT_NE(base64_fault_at(wrong), std::string::npos) << wrong;
  }
}

}  // namespace
}  // namespace windlass::server::schema

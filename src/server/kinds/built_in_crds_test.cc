#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "server/kinds/kind_rules.h"
#include "server/schema/schema.h"

namespace windlass::server::kinds {
namespace {

const Json& crd_of(std::string_view kind) {
  for (const Json& crd : built_in_crds()) {
    if (crd["spec"]["names"]["kind"] == kind) return crd;
  }
  static const Json kNone;
  return kNone;
}

// Of the version, with every check behind it.
schema::CrdShape shape_of(std::string_view kind, std::string_view version) {
  for (const Json& one : crd_of(kind)["spec"]["versions"]) {
    if (one["name"] != version) continue;
    auto read = schema::read_crd_schema(one["schema"]["openAPIV3Schema"]);
    EXPECT_TRUE(read.ok()) << kind << ": " << (read.ok() ? "" : read.error().message());
    if (read.ok()) return std::move(*read);
  }
  ADD_FAILURE() << kind << " " << version;
  return {};
}

std::vector<std::string> faults_of(const schema::CrdShape& shape, Json object,
                                   const Json* old = nullptr) {
  schema::apply_defaults(*shape.root, object);
  std::vector<std::string> out;
  for (const auto& fault : schema::validate(*shape.root, object, old)) {
    out.push_back(fault.field + ": " + fault.message);
  }
  return out;
}
using Faults = std::vector<std::string>;

TEST(BuiltInCrds, AreStructuralAndWhollySupported) {
  size_t versions = 0;
  for (const Json& crd : built_in_crds()) {
    EXPECT_EQ(crd["metadata"]["name"], crd["spec"]["names"]["plural"].get<std::string>() + "." +
                                           crd["spec"]["group"].get<std::string>());
    for (const Json& version : crd["spec"]["versions"]) {
      const auto shape = shape_of(crd["spec"]["names"]["kind"].get<std::string>(),
                                  version["name"].get<std::string>());
      EXPECT_EQ(schema::unsupported_rules(*shape.root), Faults{});
      ++versions;
    }
  }
  EXPECT_EQ(versions, 11u);
}

TEST(BuiltInCrds, OwnOnesStandApart) {
  ASSERT_EQ(own_crds().size(), 1u);
  const Json& crd = own_crds()[0];
  EXPECT_EQ(crd["metadata"]["name"], "scenarios.windlass.dev");
  EXPECT_EQ(crd_of("Scenario"), Json());  // what `windlass install` prints
  const auto read =
      schema::read_crd_schema(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]);
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(schema::unsupported_rules(*read->root), Faults{});
  Json object = Json::parse(R"({"apiVersion":"windlass.dev/v1alpha1","kind":"Scenario",
    "metadata":{"name":"a"},"spec":{"cloud":{"zones":["a"]}},"status":{"usd":1.5,"other":1}})");
  EXPECT_EQ(faults_of(*read, object), Faults{});
  schema::prune(*read->root, object);
  EXPECT_EQ(object["spec"]["cloud"]["zones"], Json::array({"a"}));
  EXPECT_EQ(object["status"], (Json{{"usd", 1.5}}));
  object["spec"] = 3;
  EXPECT_EQ(faults_of(*read, object).size(), 1u);
}

TEST(BuiltInCrds, NamesAndSubresources) {
  EXPECT_EQ(crd_of("EC2NodeClass")["spec"]["scope"], "Cluster");
  EXPECT_EQ(crd_of("ScaledObject")["spec"]["names"]["shortNames"], Json::array({"so"}));
  EXPECT_EQ(crd_of("NodePool")["spec"]["versions"][0]["subresources"]["scale"]["specReplicasPath"],
            ".spec.replicas");
  EXPECT_EQ(crd_of("NodePool")["spec"]["versions"][0]["storage"], true);
  EXPECT_EQ(crd_of("NodePool")["spec"]["versions"][1]["name"], "v1beta1");
  EXPECT_EQ(crd_of("NodePool")["spec"]["versions"][1]["storage"], false);
}

const char* const kNodePool = R"({"apiVersion":"karpenter.sh/v1","kind":"NodePool",
  "metadata":{"name":"gpu"},"spec":{"template":{"spec":{
    "nodeClassRef":{"group":"karpenter.k8s.aws","kind":"EC2NodeClass","name":"gpu"},
    "requirements":[{"key":"karpenter.k8s.aws/instance-family","operator":"In","values":["g6"]}]}}}})";

TEST(BuiltInCrds, NodePoolGetsItsDefaults) {
  const auto shape = shape_of("NodePool", "v1");
  Json pool = Json::parse(kNodePool);
  schema::apply_defaults(*shape.root, pool);
  EXPECT_EQ(pool["spec"]["disruption"]["consolidationPolicy"], "WhenEmptyOrUnderutilized");
  EXPECT_EQ(pool["spec"]["disruption"]["budgets"], Json::parse(R"([{"nodes":"10%"}])"));
  EXPECT_EQ(pool["spec"]["template"]["spec"]["expireAfter"], "720h");
  EXPECT_EQ(faults_of(shape, pool), Faults{});
}

TEST(BuiltInCrds, NodePoolRulesAreEnforced) {
  const auto shape = shape_of("NodePool", "v1");
  const Json good = Json::parse(kNodePool);
  const Json::json_pointer requirements("/spec/template/spec/requirements");
  for (const auto& [path, value, part] : std::vector<std::tuple<std::string, Json, std::string>>{
           {"/spec/template/spec/requirements/0/operator", "Inn", "Unsupported value: \"Inn\""},
           {"/spec/template/spec/requirements/0/values", Json::array(),
            "x.operator == 'In' ? x.values.size() != 0"},
           {"/spec/template/spec/requirements/0/key", "karpenter.sh/other",
            "endsWith(\"karpenter.sh\")"},
           {"/spec/template/metadata/labels",
            {{"kubernetes.io/hostname", "a"}},
            "kubernetes.io/hostname"},
           {"/spec/weight", 101, "less than or equal to 100"},
           {"/spec/limits", "none", "must be of type object"},
           {"/spec/replicas", -1, "greater than or equal to 0"},
           {"/spec/disruption", {{"consolidateAfter", "soon"}}, "should match"},
           {"/spec/disruption",
            {{"consolidateAfter", "1m"},
             {"budgets", Json::parse(R"([{"nodes":"1","schedule":"@daily"}])")}},
            "has(x.schedule) == has(x.duration)"}}) {
    Json pool = good;
    pool[Json::json_pointer(path)] = value;
    const auto faults = faults_of(shape, pool);
    ASSERT_FALSE(faults.empty()) << path << value;
    EXPECT_NE(faults[0].find(part), std::string::npos) << faults[0];
  }
}

TEST(BuiltInCrds, WhatMayNotChange) {
  const auto pools = shape_of("NodePool", "v1");
  const Json old = Json::parse(kNodePool);
  Json pool = old;
  pool["spec"]["weight"] = 10;
  EXPECT_EQ(faults_of(pools, pool, &old), Faults{});
  pool["spec"]["template"]["spec"]["nodeClassRef"]["kind"] = "OtherClass";
  ASSERT_EQ(faults_of(pools, pool, &old).size(), 1u);
  EXPECT_EQ(faults_of(pools, pool, &old)[0],
            "spec.template.spec.nodeClassRef: Invalid value: \"object\": failed rule: "
            "self.kind == oldSelf.kind");
  // Written as v1beta1 it has no group, and its status and annotations can be written still.
  Json beta = old;
  beta["spec"]["template"]["spec"]["nodeClassRef"].erase("group");
  Json annotated = beta;
  annotated["metadata"]["annotations"]["a"] = "b";
  for (const std::string& fault : faults_of(pools, annotated, &beta)) {
    EXPECT_EQ(fault.find("oldSelf"), std::string::npos) << fault;
  }
  pool = old;
  pool["spec"]["template"]["spec"]["nodeClassRef"]["group"] = "other.example";
  EXPECT_EQ(faults_of(pools, pool, &old).size(), 1u);

  const auto claims = shape_of("NodeClaim", "v1");
  Json claim =
      Json::parse(R"({"spec":{"requirements":[],"nodeClassRef":{"group":"karpenter.k8s.aws",
    "kind":"EC2NodeClass","name":"gpu"}}})");
  schema::apply_defaults(*claims.root, claim);
  const Json before = claim;
  EXPECT_EQ(faults_of(claims, claim, &before), Faults{});
  claim["spec"]["expireAfter"] = "1h";
  EXPECT_FALSE(faults_of(claims, claim, &before).empty());
}

TEST(BuiltInCrds, NodeClassAndScaledObject) {
  const auto classes = shape_of("EC2NodeClass", "v1");
  const Json good =
      Json::parse(R"({"spec":{"role":"r","amiSelectorTerms":[{"alias":"al2023@latest"}],
    "subnetSelectorTerms":[{"tags":{"a":"b"}}],"securityGroupSelectorTerms":[{"id":"sg-1"}]}})");
  EXPECT_EQ(faults_of(classes, good), Faults{});
  Json both = good;
  both["spec"]["instanceProfile"] = "p";
  EXPECT_EQ(faults_of(classes, both).size(), 1u);
  Json windows = good;
  windows["spec"]["amiSelectorTerms"][0]["alias"] = "windows2022@v1";
  EXPECT_EQ(faults_of(classes, windows).size(), 1u);

  const auto objects = shape_of("ScaledObject", "v1alpha1");
  Json object = Json::parse(R"({"spec":{"scaleTargetRef":{"name":"web"},"minReplicaCount":3,
    "maxReplicaCount":2,"triggers":[{"type":"prometheus","metadata":{"query":"up"}}]}})");
  ASSERT_EQ(faults_of(objects, object).size(), 1u);
  object["spec"]["maxReplicaCount"] = 30;
  EXPECT_EQ(faults_of(objects, object), Faults{});
  object["spec"].erase("triggers");
  EXPECT_EQ(faults_of(objects, object), (Faults{"spec.triggers: Required value"}));
}

}  // namespace
}  // namespace windlass::server::kinds

#include <gtest/gtest.h>

#include "api/manifest_fixture.h"

namespace windlass::api {
namespace {

constexpr std::string_view kPool = R"(apiVersion: karpenter.sh/v1beta1
kind: NodePool
metadata:
  name: old
spec:
  template:
    spec:
      requirements: [{key: kubernetes.io/arch, operator: Exists}]
      nodeClassRef: {apiVersion: karpenter.k8s.aws/v1beta1, name: c}
      kubelet: {maxPods: 30}
  disruption:
    consolidationPolicy: WhenUnderutilized
    expireAfter: 24h
)";

TEST(V1beta1, PoolsBecomeV1) {
  const auto pool = only<NodePool>(kPool);
  EXPECT_EQ(pool.node_class, (NodeClassRef{"karpenter.k8s.aws", "EC2NodeClass", "c"}));
  EXPECT_EQ(pool.consolidation_policy, ConsolidationPolicy::kWhenEmptyOrUnderutilized);
  EXPECT_EQ(pool.consolidate_after, Duration{});
  EXPECT_EQ(pool.expire_after, hours(24));
  EXPECT_EQ(pool.meta.annotations.at("compatibility.karpenter.sh/v1beta1-kubelet-conversion"),
            R"({"maxPods":30})");
  EXPECT_EQ(pool.meta.annotations.at("compatibility.karpenter.sh/v1beta1-nodeclass-reference"),
            R"({"apiVersion":"karpenter.k8s.aws/v1beta1","name":"c"})");
  const Json written = encode(pool);
  EXPECT_EQ(written["apiVersion"], "karpenter.sh/v1");
  EXPECT_EQ(written["spec"]["template"]["spec"]["expireAfter"], "24h");
  EXPECT_FALSE(written["spec"]["disruption"].contains("expireAfter"));
  EXPECT_NE(warnings_of(kPool).find("m.yaml:10: NodePool/old spec.template.spec.kubelet: moved"),
            std::string::npos);
}

TEST(V1beta1, ConsolidateAfterBesideWhenUnderutilizedIsReadAsV1) {
  const std::string text =
      with(kPool, "    expireAfter", "    consolidateAfter: 5m\n    expireAfter");
  EXPECT_EQ(only<NodePool>(text).consolidate_after, minutes(5));
  EXPECT_NE(warnings_of(text).find("m.yaml:13: NodePool/old spec.disruption.consolidateAfter: "
                                   "consolidateAfter beside WhenUnderutilized is refused by "
                                   "Karpenter's own v1beta1; read with v1's meaning"),
            std::string::npos);
  // Never was allowed there.
  const std::string never =
      with(kPool, "    expireAfter", "    consolidateAfter: Never\n    expireAfter");
  EXPECT_FALSE(only<NodePool>(never).consolidate_after.has_value());
  EXPECT_EQ(warnings_of(never).find("consolidateAfter"), std::string::npos);
  // The policy's default is WhenUnderutilized, too.
  const std::string absent = with(text, "    consolidationPolicy: WhenUnderutilized\n", "");
  EXPECT_NE(warnings_of(absent).find("consolidateAfter beside"), std::string::npos);
}

TEST(V1beta1, ErrorsNameTheFieldAsItWasWritten) {
  EXPECT_NE(errors_of(with(kPool, "expireAfter: 24h", "expireAfter: 1d"))
                .find("m.yaml:13: NodePool/old spec.disruption.expireAfter: found"),
            std::string::npos);
  EXPECT_NE(errors_of(with(kPool, "WhenUnderutilized", "WhenEmpty"))
                .find("consolidateAfter: is missing (v1beta1 requires it beside WhenEmpty)"),
            std::string::npos);
  EXPECT_NE(errors_of(with(kPool, "WhenUnderutilized", "WhenEmptyOrUnderutilized"))
                .find("(accepted: WhenEmpty, WhenUnderutilized)"),
            std::string::npos);
  EXPECT_NE(errors_of(with(kPool, "{apiVersion: karpenter.k8s.aws/v1beta1, name: c}", "5"))
                .find("nodeClassRef: found the number 5 (accepted: a map)"),
            std::string::npos);
  for (const char* spec :
       {"5", "[]", "{disruption: 5}", "{template: []}", "{template: {spec: x}}"}) {
    const std::string text =
        "apiVersion: karpenter.sh/v1beta1\nkind: NodePool\nmetadata: "
        "{name: p}\nspec: " +
        std::string(spec) + "\n";
    EXPECT_NE(errors_of(text), "") << spec;
  }
}

TEST(V1beta1, ClaimsBecomeV1) {
  const auto claim = only<NodeClaim>(R"(apiVersion: karpenter.sh/v1beta1
kind: NodeClaim
metadata: {name: c}
spec:
  nodeClassRef: {apiVersion: karpenter.k8s.aws/v1beta1, kind: EC2NodeClass, name: c}
  requirements: []
)");
  EXPECT_EQ(claim.node_class, (NodeClassRef{"karpenter.k8s.aws", "EC2NodeClass", "c"}));
  EXPECT_EQ(claim.expire_after, hours(720));
}

constexpr std::string_view kClass = R"(apiVersion: karpenter.k8s.aws/v1beta1
kind: EC2NodeClass
metadata: {name: c}
spec:
  amiFamily: AL2023
  role: r
  subnetSelectorTerms: [{id: subnet-1}]
  securityGroupSelectorTerms: [{id: sg-1}]
)";

TEST(V1beta1, NodeClassesBecomeV1) {
  EXPECT_EQ(only<Ec2NodeClass>(kClass).ami_alias, "al2023@latest");
  EXPECT_EQ(only<Ec2NodeClass>(kClass).ami_family, "AL2023");
  const std::string ubuntu = with(kClass, "AL2023", "Ubuntu");
  const auto read = only<Ec2NodeClass>(ubuntu);
  EXPECT_EQ(read.ami_family, "AL2");
  EXPECT_EQ(read.root_volume_bytes, int64_t{20} << 30);
  EXPECT_NE(warnings_of(ubuntu).find("v1 has no Ubuntu"), std::string::npos);
  EXPECT_NE(errors_of(with(kClass, "AL2023", "Custom")).find("required beside amiFamily Custom"),
            std::string::npos);
  EXPECT_NE(errors_of(with(kClass, "  amiFamily: AL2023\n", "")).find("amiFamily: is missing"),
            std::string::npos);
}

}  // namespace
}  // namespace windlass::api

#include <gtest/gtest.h>

#include "api/manifest_fixture.h"

namespace windlass::api {
namespace {

constexpr std::string_view kClass = R"(apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: {name: gpu}
spec:
  amiSelectorTerms: [{alias: bottlerocket@latest}]
  role: node
  subnetSelectorTerms: [{tags: {a: b}}]
  securityGroupSelectorTerms: [{id: sg-1}]
  kubelet:
    maxPods: 110
    podsPerCore: 10
    kubeReserved: {cpu: 200m, memory: 300Mi}
    systemReserved: {cpu: 100m}
    evictionHard: {memory.available: 5%, nodefs.available: 1Gi}
    clusterDNS: [10.0.0.1]
  blockDeviceMappings:
    - {deviceName: /dev/xvda, ebs: {volumeSize: 4Gi}}
    - {deviceName: /dev/xvdb, ebs: {volumeSize: 100Gi, volumeType: gp3}}
  instanceStorePolicy: RAID0
  tags: {team: ml}
)";

TEST(NodeClassDecode, ReadsEveryField) {
  const auto read = only<Ec2NodeClass>(kClass);
  EXPECT_EQ(read.ami_alias, "bottlerocket@latest");
  EXPECT_EQ(read.ami_family, "Bottlerocket");
  EXPECT_EQ(read.max_pods, 110);
  EXPECT_EQ(read.pods_per_core, 10);
  EXPECT_EQ(read.kube_reserved.milli(kCpu), 200);
  EXPECT_EQ(read.system_reserved.milli(kCpu), 100);
  EXPECT_EQ(read.eviction_hard.at("memory.available"), "5%");
  EXPECT_EQ(read.root_volume_bytes, int64_t{100} << 30) << "Bottlerocket keeps its data on xvdb";
  EXPECT_TRUE(read.raid0);
  EXPECT_EQ(warnings_of(kClass), "");
}

TEST(NodeClassDecode, TheVolumeOfPodsDependsOnTheFamily) {
  const auto root = [](std::string_view text) {
    return only<Ec2NodeClass>(text).root_volume_bytes;
  };
  EXPECT_EQ(root(with(kClass, "bottlerocket@", "al2023@")), int64_t{4} << 30);
  const std::string custom =
      with(kClass, "[{alias: bottlerocket@latest}]", "[{id: ami-1}]\n  amiFamily: Custom");
  EXPECT_EQ(root(custom), int64_t{100} << 30) << "the last one";
  EXPECT_EQ(root(with(kClass, "{deviceName: /dev/xvda,", "{deviceName: /dev/x, rootVolume: true,")),
            int64_t{4} << 30);
  EXPECT_FALSE(root(with(kClass, "deviceName: /dev/xvdb", "deviceName: /dev/xvdc")).has_value());
}

TEST(NodeClassDecode, Refusals) {
  const std::vector<Refusal> cases{
      {"bottlerocket@latest", "bottlerocket", "accepted: family@version"},
      {"bottlerocket@latest", "ubuntu@latest", "accepted: family@version"},
      {"bottlerocket@latest", "al2023@", "accepted: family@version"},
      {"bottlerocket@latest", "windows2022@v1", "@latest only"},
      {"bottlerocket@latest", "al2023@v20260101202601012026010120", "accepted: family@version"},
      {"[{alias: bottlerocket@latest}]", "[{alias: al2023@latest}, {id: ami-1}]", "the only term"},
      {"[{alias: bottlerocket@latest}]", "[]", "amiSelectorTerms: has 0 entries"},
      {"[{alias: bottlerocket@latest}]", "[{id: ami-1}]", "amiFamily: is missing"},
      {"  role: node\n", "  role: node\n  amiFamily: AL2\n", "accepted: Bottlerocket or Custom"},
      {"  role: node\n", "", "role: is missing (accepted: role or instanceProfile)"},
      {"  role: node\n", "  role: node\n  instanceProfile: p\n", "stands beside instanceProfile"},
      {"[{tags: {a: b}}]", "[]", "subnetSelectorTerms: has 0 entries"},
      {"  securityGroupSelectorTerms: [{id: sg-1}]\n", "",
       "securityGroupSelectorTerms: is missing"},
      {"maxPods: 110", "maxPods: -1", "maxPods: found the number -1"},
      {"memory.available: 5%", "memory.available: x%", "evictionHard[memory.available]: found"},
      {"memory.available: 5%", "memory.available: soon", "a quantity like 100Mi"},
      {"kubeReserved: {cpu: 200m", "kubeReserved: {cpu: -200m", "kubeReserved.cpu: found -200m"},
      {"{volumeSize: 4Gi}", "{volumeType: gp3}", "names neither snapshotID nor volumeSize"},
      {"{volumeSize: 4Gi}", "{volumeSize: big}", "volumeSize: found the string \"big\""},
      {"instanceStorePolicy: RAID0", "instanceStorePolicy: RAID1", "did you mean \"RAID0\"?"},
  };
  for (const Refusal& c : cases) {
    const std::string errors = errors_of(with(kClass, c.from, c.to));
    EXPECT_NE(errors.find(c.error), std::string::npos) << c.to << " -> " << errors;
  }
}

TEST(NodeClassDecode, Warnings) {
  EXPECT_NE(warnings_of(with(kClass, "instanceStorePolicy", "instanceStorePolcy"))
                .find("did you mean \"instanceStorePolicy\"?"),
            std::string::npos);
  const std::string expression = with(kClass, "maxPods: 110", "maxPods: cpu * 10");
  EXPECT_NE(warnings_of(expression).find("kubelet.maxPods: is an expression"), std::string::npos);
  EXPECT_FALSE(only<Ec2NodeClass>(expression).max_pods.has_value());
  EXPECT_EQ(encode(only<Ec2NodeClass>(expression))["spec"]["kubelet"]["maxPods"], "cpu * 10");
}

}  // namespace
}  // namespace windlass::api

#include <gtest/gtest.h>

#include "api/manifest_fixture.h"

namespace windlass::api {
namespace {

TEST(StorageDecode, Claims) {
  const auto claim = only<PersistentVolumeClaim>(
      "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c}, "
      "spec: {storageClassName: gp3, volumeName: v}}");
  EXPECT_EQ(claim.storage_class, "gp3");
  EXPECT_EQ(claim.volume, "v");
}

TEST(StorageDecode, Volumes) {
  const auto volume = only<PersistentVolume>(
      "{apiVersion: v1, kind: PersistentVolume, metadata: {name: v}, spec: {csi: {driver: d}, "
      "nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: [{key: "
      "failure-domain.beta.kubernetes.io/zone, operator: In, values: [us-east-1a]}]}]}}}}");
  EXPECT_EQ(volume.csi_driver, "d");
  EXPECT_FALSE(volume.local);
  ASSERT_EQ(volume.node_terms.size(), 1U);
  EXPECT_EQ(volume.node_terms[0].match_expressions[0].key, kZoneLabel) << "made stable";
  EXPECT_TRUE(only<PersistentVolume>("{apiVersion: v1, kind: PersistentVolume, metadata: "
                                     "{name: v}, spec: {local: {path: /x}}}")
                  .local);
}

TEST(StorageDecode, Classes) {
  const auto storage_class = only<StorageClass>(
      "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: gp3, annotations: "
      "{storageclass.kubernetes.io/is-default-class: 'true'}}, provisioner: p, volumeBindingMode: "
      "WaitForFirstConsumer, allowedTopologies: [{matchLabelExpressions: [{key: "
      "topology.kubernetes.io/zone, values: [a, b]}]}]}");
  EXPECT_EQ(storage_class.provisioner, "p");
  EXPECT_TRUE(storage_class.wait_for_first_consumer);
  EXPECT_TRUE(storage_class.is_default);
  EXPECT_EQ(storage_class.allowed_terms[0].match_expressions[0].values,
            (std::vector<std::string>{"a", "b"}));
  EXPECT_NE(errors_of("{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: s}}")
                .find("provisioner: is missing"),
            std::string::npos);
}

TEST(StorageDecode, AttachLimits) {
  const auto node = only<CsiNode>(
      "{apiVersion: storage.k8s.io/v1, kind: CSINode, metadata: {name: n1}, spec: {drivers: "
      "[{name: d, allocatable: {count: 25}}, {name: e}]}}");
  EXPECT_EQ(node.attach_limits, (std::map<std::string, int32_t>{{"d", 25}}));
}

TEST(StorageDecode, StatefulSetsMakeClaims) {
  const std::string text =
      "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: s}\nspec:\n"
      "  selector: {matchLabels: {a: b}}\n  replicas: 3\n"
      "  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c}]}}\n"
      "  volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: gp3}},"
      " {metadata: {name: log}, spec: {}}]\n";
  const auto set = only<StatefulSet>(text);
  EXPECT_EQ(set.replicas, 3);
  EXPECT_EQ(set.volume_claims,
            (std::vector<std::pair<std::string, std::string>>{{"data", "gp3"}, {"log", ""}}));
  EXPECT_NE(errors_of(with(text, "matchLabels: {a: b}", "matchLabels: {a: c}"))
                .find("does not match the labels of template.metadata"),
            std::string::npos);
}

}  // namespace
}  // namespace windlass::api

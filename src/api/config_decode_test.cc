#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "api/base64.h"
#include "api/manifest_fixture.h"

namespace windlass::api {
namespace {

TEST(Base64, KnownPairs) {
  for (const auto& [plain, encoded] : std::vector<std::pair<std::string, std::string>>{
           {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(to_base64(plain), encoded);
    EXPECT_EQ(from_base64(encoded), plain);
  }
  EXPECT_EQ(from_base64("Zm9v\nYmFy\r\n"), "foobar");
  for (const char* bad : {"Z", "Zg", "Zg=", "Zg===", "Zm9v=", "Zm 9v", "Zg==Zg==", "=", "Z-=="}) {
    EXPECT_FALSE(from_base64(bad).has_value()) << bad;
  }
}

RC_GTEST_PROP(Base64, ComesBack, (const std::string& bytes)) {
  RC_ASSERT(from_base64(to_base64(bytes)) == bytes);
}

TEST(SecretDecode, ReadsDataAndPlainText) {
  const auto secret = only<Secret>(
      "{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: aGVsbG8=, b: eA==}, "
      "stringData: {b: plain, c: ''}}");
  EXPECT_EQ(secret.data, (StringMap{{"a", "hello"}, {"b", "plain"}, {"c", ""}}));
  EXPECT_EQ(secret.meta.key(), "default/s");
}

// Whatever is wrong with a Secret, no message repeats what may be a password.
TEST(SecretDecode, NoMessageShowsAValue) {
  for (const char* body :
       {"data: {a: hunter2!}", "data: hunter2", "stringData: hunter2", "data: {a: {b: hunter2}}",
        "data: {a: [hunter2]}", "stringData: {a: [hunter2]}"}) {
    const std::string text =
        "{apiVersion: v1, kind: Secret, metadata: {name: s}, " + std::string(body) + "}";
    EXPECT_NE(errors_of(text), "") << body;
    EXPECT_EQ(errors_of(text).find("hunter2"), std::string::npos) << errors_of(text);
  }
  EXPECT_NE(errors_of("{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: '!'}}")
                .find("data.a: is not base64 (its value is not shown"),
            std::string::npos);
}

TEST(SecretEncode, WritesChangesAsBase64) {
  auto secret = only<Secret>(
      "{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: aGVsbG8=, b: eA==}, "
      "stringData: {c: plain, d: x}}");
  secret.data["c"] = "foo";
  secret.data.erase("b");
  const Json written = encode(secret);
  EXPECT_EQ(written["data"].dump(), R"({"a":"aGVsbG8=","c":"Zm9v"})");
  EXPECT_EQ(written["stringData"].dump(), R"({"d":"x"})");
}

TEST(ConfigMapDecode, ReadsText) {
  const auto map = only<ConfigMap>(
      "{apiVersion: v1, kind: ConfigMap, metadata: {name: s, namespace: n1}, data: {a: b}}");
  EXPECT_EQ(map.data, (StringMap{{"a", "b"}}));
  EXPECT_EQ(map.meta.key(), "n1/s");
}

TEST(ClusterScope, NoNamespaceIsInvented) {
  for (const char* head :
       {"v1, kind: Namespace", "storage.k8s.io/v1, kind: CSINode", "v1, kind: PersistentVolume",
        "storage.k8s.io/v1, provisioner: x, kind: StorageClass",
        "karpenter.sh/v1alpha1, kind: NodeOverlay"}) {
    const Manifests manifests = read_manifests(
        "{apiVersion: " + std::string(head) + ", metadata: {name: a}, spec: {x: 1}}", "m.yaml");
    ASSERT_EQ(manifests.objects.size(), 1U) << head << lines_of(manifests.errors);
    EXPECT_EQ(meta_of(manifests.objects[0]).key(), "a");
  }
}

}  // namespace
}  // namespace windlass::api

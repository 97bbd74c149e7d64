#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "server/schema/schema.h"

namespace windlass::server::schema {
namespace {

// Writes the wire format by hand: the tests' own idea of it.
struct Message {
  std::string bytes;
  Message& varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
    bytes += static_cast<char>(value);
    return *this;
  }
  Message& number(int field, int64_t value) {
    varint(static_cast<uint64_t>(field) << 3);
    return varint(static_cast<uint64_t>(value));
  }
  Message& text(int field, std::string_view value) {
    varint(static_cast<uint64_t>(field) << 3 | 2).varint(value.size());
    bytes += value;
    return *this;
  }
  Message& put(int field, const Message& inner) { return text(field, inner.bytes); }
};

std::string envelope(std::string_view api_version, std::string_view kind, const Message& raw) {
  return std::string("k8s\0", 4) +
         Message().put(1, Message().text(1, api_version).text(2, kind)).put(2, raw).bytes;
}

TEST(Protobuf, ANamespaceAsKubectlCreatesIt) {
  const Message meta = Message().text(1, "shop").text(2, "").text(3, "").put(8, Message());
  const Message raw = Message().put(1, meta).put(2, Message()).put(3, Message().text(1, ""));
  auto decoded = decode_protobuf(envelope("v1", "Namespace", raw));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message();
  EXPECT_EQ(*decoded, Json::parse(R"({"apiVersion":"v1","kind":"Namespace",
    "metadata":{"name":"shop"},"spec":{},"status":{}})"));
}

TEST(Protobuf, EachSpecialType) {
  // apps/v1 Deployment: spec.replicas 0 is kept (a pointer in Go), strategy.rollingUpdate.maxSurge
  // "25%", maxUnavailable 1; container limits; a volume in its inlined message; label map.
  const Message surge = Message().number(1, 1).number(2, 0).text(3, "25%");
  const Message unavailable = Message().number(1, 0).number(2, 1).text(3, "");
  const Message strategy =
      Message().text(1, "RollingUpdate").put(2, Message().put(1, unavailable).put(2, surge));
  const Message limit = Message().text(1, "memory").put(2, Message().text(1, "64Mi"));
  const Message security = Message().number(4, -1).number(7, 0);  // runAsUser, allowPrivilege..
  const Message container = Message()
                                .text(1, "web")
                                .text(2, "nginx")
                                .text(3, "a")
                                .text(3, "b")
                                .put(8, Message().put(1, limit))
                                .put(15, security)
                                .number(16, 0);
  const Message volume = Message().text(1, "tmp").put(2, Message().put(2, Message().text(1, "")));
  const Message pod = Message().put(1, volume).put(2, container);
  const Message label = Message().text(1, "app").text(2, "web");
  const Message pod_template = Message().put(1, Message().put(11, label)).put(2, pod);
  const Message spec =
      Message().number(1, 0).put(2, Message().put(1, label)).put(3, pod_template).put(4, strategy);
  const Message meta =
      Message().text(1, "web").put(8, Message().number(1, 1767225600).number(2, 5));
  auto decoded = decode_protobuf(
      envelope("apps/v1", "Deployment", Message().put(1, meta).put(2, spec).text(99, "later")));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message();
  EXPECT_EQ(*decoded, Json::parse(R"({"apiVersion":"apps/v1","kind":"Deployment",
    "metadata":{"name":"web","creationTimestamp":"2026-01-01T00:00:00Z"},
    "spec":{"replicas":0,"selector":{"matchLabels":{"app":"web"}},
      "strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":"25%","maxUnavailable":1}},
      "template":{"metadata":{"labels":{"app":"web"}},"spec":{
        "volumes":[{"name":"tmp","emptyDir":{}}],
        "containers":[{"name":"web","image":"nginx","command":["a","b"],
          "resources":{"limits":{"memory":"64Mi"}},
          "securityContext":{"runAsUser":-1,"allowPrivilegeEscalation":false}}]}}}})"));
}

TEST(Protobuf, BytesTimesAndWrappedLists) {
  const Message entry = Message().text(1, "k").text(2, std::string("\0\xFF\x10", 3));
  auto secret = decode_protobuf(envelope("v1", "Secret", Message().put(2, entry)));
  ASSERT_TRUE(secret.ok());
  EXPECT_EQ((*secret)["data"]["k"], "AP8Q");

  const Message renew = Message().number(1, 1767225600).number(2, 123'456'000);
  const Message lease = Message().put(2, Message().text(1, "me").put(4, renew));
  auto decoded = decode_protobuf(envelope("coordination.k8s.io/v1", "Lease", lease));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ((*decoded)["spec"]["renewTime"], "2026-01-01T00:00:00.123456Z");

  const Message groups = Message().text(1, "scopes").put(2, Message().text(1, "a").text(1, "b"));
  const Message review = Message().put(2, Message().text(3, "me").put(5, groups));
  auto access = decode_protobuf(envelope("authorization.k8s.io/v1", "SubjectAccessReview", review));
  ASSERT_TRUE(access.ok()) << access.error().message();
  EXPECT_EQ((*access)["spec"], Json::parse(R"({"user":"me","extra":{"scopes":["a","b"]}})"));

  const Message revision = Message().put(2, Message().text(1, R"({"a":[1]})")).number(3, -7);
  auto stored = decode_protobuf(envelope("apps/v1", "ControllerRevision", revision));
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ((*stored)["data"], Json::parse(R"({"a":[1]})"));
  EXPECT_EQ((*stored)["revision"], -7);
}

TEST(Protobuf, PackedNumbersAreListsToo) {
  const Message packed = Message().varint(3).varint(300);
  const Message rule = Message().put(2, Message().text(2, "In").put(3, packed).number(3, 9));
  const Message policy = Message().put(11, Message().put(1, rule));
  auto job = decode_protobuf(envelope("batch/v1", "Job", Message().put(2, policy)));
  ASSERT_TRUE(job.ok()) << job.error().message();
  // Rules without an action: the field is written always and empty here.
  EXPECT_EQ((*job)["spec"]["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"],
            Json::array({3, 300, 9}));
}

TEST(Protobuf, SchemasOfCustomResources) {
  const Message text = Message().text(5, "string");
  const Message items = Message().text(5, "array").put(24, Message().put(1, text));
  const Message map = Message().text(5, "object").put(30, Message().number(1, 1).put(2, text));
  const Message open = Message().put(30, Message().number(1, 0)).number(38, 1);
  const Message property_items = Message().text(1, "items").put(2, items);
  const Message property_map = Message().text(1, "map").put(2, map);
  const Message property_open = Message().text(1, "open").put(2, open);
  const Message root = Message()
                           .text(5, "object")
                           .put(8, Message().text(1, R"({"x":1})"))
                           .put(29, property_items)
                           .put(29, property_map)
                           .put(29, property_open);
  const Message version = Message().text(1, "v1").number(2, 1).put(4, Message().put(1, root));
  const Message crd = Message().put(2, Message().put(7, version));
  auto decoded =
      decode_protobuf(envelope("apiextensions.k8s.io/v1", "CustomResourceDefinition", crd));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message();
  EXPECT_EQ((*decoded)["spec"]["versions"][0]["schema"]["openAPIV3Schema"],
            Json::parse(R"({"type":"object","default":{"x":1},"properties":{
              "items":{"type":"array","items":{"type":"string"}},
              "map":{"type":"object","additionalProperties":{"type":"string"}},
              "open":{"additionalProperties":false,
                      "x-kubernetes-preserve-unknown-fields":true}}})"));
}

TEST(Protobuf, RefusesWhatIsNoMessage) {
  const Message name = Message().text(1, "x");
  for (const auto& [body, why] : std::vector<std::pair<std::string, std::string>>{
           {"", "doesn't start with k8s"},
           {"{\"kind\":\"Pod\"}", "doesn't start with k8s"},
           {std::string("k8s\0", 4) + "\x0A\x7F", "malformed protobuf envelope"},
           {envelope("v1", "Nonsense", name), "no kind \"Nonsense\""},
           {envelope("karpenter.sh/v1", "NodePool", name), "no kind"},
           {envelope("v1", "Namespace", Message().text(1, "\x0A\x7F")), "metadata: malformed"},
           {envelope("v1", "Namespace", Message().put(1, Message().text(1, "\xFF"))),
            "metadata: name: a text that is not UTF-8"},
           {envelope("v1", "Namespace", Message().put(1, Message().number(1, 5))),
            "metadata: name: malformed"},
           {envelope("v1", "Namespace", Message().number(0, 5)), "malformed"},
       }) {
    auto decoded = decode_protobuf(body);
    ASSERT_FALSE(decoded.ok()) << why;
    EXPECT_NE(decoded.error().message().find(why), std::string::npos) << decoded.error().message();
  }
}

TEST(Protobuf, NestingIsCapped) {
  Message schema = Message().text(5, "object");
  for (int i = 0; i < 5000; ++i) schema = Message().put(28, schema);  // not: not: not: ...
  const Message version = Message().put(4, Message().put(1, schema));
  auto decoded = decode_protobuf(envelope("apiextensions.k8s.io/v1", "CustomResourceDefinition",
                                          Message().put(2, Message().put(7, version))));
  ASSERT_FALSE(decoded.ok());
  EXPECT_NE(decoded.error().message().find("nested too deep"), std::string::npos);
}

// Whatever is cut off or changed: an answer or an error, no crash (the sanitizers watch).
RC_GTEST_PROP(Protobuf, DamageIsNoDanger, (uint32_t cut, uint32_t at, uint8_t with)) {
  const Message container = Message().text(1, "c").put(8, Message()).number(16, 1);
  const Message raw = Message().put(1, Message().text(1, "p")).put(2, Message().put(2, container));
  std::string body = envelope("v1", "Pod", raw);
  body[4 + at % (body.size() - 4)] = static_cast<char>(with);
  body.resize(4 + cut % (body.size() - 3));
  const auto decoded = decode_protobuf(body);
  if (decoded.ok()) RC_ASSERT(!decoded->dump().empty());
}

}  // namespace
}  // namespace windlass::server::schema

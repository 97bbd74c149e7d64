#include "live/kube/api.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace windlass::live::kube {
namespace {

Reply read(int code, std::string body) {
  Reply reply;
  reply.code = code;
  reply.body = std::move(body);
  read_status(reply);
  return reply;
}

TEST(Api, NamesPatchTypes) {
  EXPECT_EQ(content_type(PatchType::kJson), "application/json-patch+json");
  EXPECT_EQ(content_type(PatchType::kMerge), "application/merge-patch+json");
  EXPECT_EQ(content_type(PatchType::kStrategicMerge), "application/strategic-merge-patch+json");
  EXPECT_EQ(content_type(PatchType::kApply), "application/apply-patch+yaml");
}

TEST(Api, ReadsStatusObjects) {
  const Reply reply = read(429, R"({"kind":"Status","apiVersion":"v1","metadata":{},
    "status":"Failure","message":"Cannot evict pod as it would violate the budget.\nReally.",
    "reason":"TooManyRequests","code":429,"details":{"retryAfterSeconds":10,"causes":[
    {"reason":"DisruptionBudget","message":"needs 2 healthy pods"},7,{"field":".spec.replicas"}]}})");
  EXPECT_EQ(reply.reason, "TooManyRequests");
  EXPECT_EQ(reply.error(),
            "TooManyRequests (429): Cannot evict pod as it would violate the budget. Really.");
  EXPECT_EQ(reply.retry_after, seconds(10));
  ASSERT_EQ(reply.causes.size(), 2U);
  EXPECT_EQ(reply.causes[0].reason, "DisruptionBudget");
  EXPECT_EQ(reply.causes[0].message, "needs 2 healthy pods");
  EXPECT_EQ(reply.causes[1].field, ".spec.replicas");
  EXPECT_FALSE(reply.ok());
}

TEST(Api, ReadsWhatIsNoStatus) {
  struct Case {
    const char* body;
    const char* error;
  };
  for (const Case& c : {
           Case{"", "HTTP 502"},
           Case{"\n  <html>\n<body>", "HTTP 502: <html>"},
           Case{R"({"kind":"Pod","message":"x"})", R"(HTTP 502: {"kind":"Pod","message":"x"})"},
           Case{R"({"kind":"Status","message":7,"reason":[],"details":"x"})", "HTTP 502"},
           Case{R"({"kind":"Status","details":{"retryAfterSeconds":-1,"causes":{}}})", "HTTP 502"},
           Case{"[1,2", "HTTP 502: [1,2"},
           Case{"\x1b[31mred\xff", "HTTP 502: ?[31mred?"},
       }) {
    const Reply reply = read(502, c.body);
    EXPECT_EQ(reply.error(), c.error);
    EXPECT_FALSE(reply.retry_after.has_value());
  }
  EXPECT_EQ(read(500, std::string(5000, 'x')).message.size(), 203U) << "cut, and marked so";
  Reply none;
  none.message = "connect to a:1: connection refused";
  EXPECT_EQ(none.error(), none.message);
}

TEST(Api, OnlyWhatWasAskedForIsAnAnswer) {
  Reply reply;
  reply.code = 200;
  const auto object = [&](const char* body) {
    reply.body = body;
    return object_in(reply, "/api/v1/nodes/a").ok();
  };
  EXPECT_TRUE(object(R"({"kind":"Node","metadata":{"name":"a"}})"));
  for (const char* body :
       {"", "<html>", "{}", "[]", "null", R"({"metadata":{"name":"a"})", R"({"metadata":["a"]})",
        R"({"metadata":{"name":"b"}})", R"({"metadata":{"name":["a"]}})",
        R"({"kind":"Status","status":"Success","metadata":{}})"}) {
    EXPECT_FALSE(object(body)) << body;
  }
  const auto items = [&](const char* body) {
    reply.body = body;
    const auto list = list_in(reply);
    return list.ok() ? static_cast<int>(list->at("items").size()) : -1;
  };
  EXPECT_EQ(items(R"({"metadata":{},"items":[1,2]})"), 2);
  EXPECT_EQ(items(R"({"metadata":{},"items":null})"), 0);
  for (const char* body : {"", "x", "{}", "[]", R"({"items":[]})", R"({"metadata":{}})",
                           R"({"metadata":[],"items":[]})", R"({"metadata":{},"items":{"a":1}})"}) {
    EXPECT_EQ(items(body), -1) << body;
  }
}

TEST(Api, KeepsTheHeadersRetryAfter) {
  Reply reply;
  reply.code = 503;
  reply.retry_after = seconds(3);
  reply.body = R"({"kind":"Status","details":{"retryAfterSeconds":10}})";
  read_status(reply);
  EXPECT_EQ(reply.retry_after, seconds(3));
}

}  // namespace
}  // namespace windlass::live::kube

#include "live/kube/wire.h"

#include <gtest/gtest.h>

#include "live/kube/line_splitter.h"
#include "live/kube/token_bucket.h"

namespace windlass::live::kube {
namespace {

TEST(Wire, WritesRequests) {
  Request request;
  request.path = "/api/v1/pods";
  request.query = {{"labelSelector", "a=b,c in (d e)"}, {"watch", "1"}, {"x", "\xc3\xa4~-._"}};
  const net::HttpRequest list = to_http(request, false);
  EXPECT_EQ(list.method, "GET");
  EXPECT_EQ(list.url,
            "/api/v1/pods?labelSelector=a%3Db%2Cc%20in%20%28d%20e%29&watch=1&x=%C3%A4~-._");
  EXPECT_TRUE(list.accept_gzip);
  EXPECT_FALSE(to_http(request, true).accept_gzip);
  request.verb = Verb::kPatch;
  request.body = "{}";
  request.content_type = content_type(PatchType::kMerge);
  const net::HttpRequest patch = to_http(request, false);
  EXPECT_EQ(patch.method, "PATCH");
  EXPECT_FALSE(patch.accept_gzip);
  EXPECT_EQ(patch.headers.back(),
            std::pair(std::string("Content-Type"), std::string("application/merge-patch+json")));
}

TEST(Wire, ReadsRetryAfter) {
  struct Case {
    const char* value;
    std::optional<Duration> wait;
  };
  for (const Case& c :
       {Case{"1", seconds(1)}, Case{" 0 ", seconds(0)}, Case{"-1", {}}, Case{"99999999999", {}},
        Case{"soon", {}}, Case{"", {}}, Case{"Wed, 21 Oct 2026 07:28:00 GMT", {}}}) {
    net::HttpReply reply;
    reply.headers = {{"retry-after", c.value}};
    EXPECT_EQ(retry_after(reply), c.wait) << c.value;
  }
  EXPECT_EQ(retry_after({}), std::nullopt);
}

TEST(Wire, ReadsWarnings) {
  struct Case {
    const char* header;
    std::vector<std::string> texts;
  };
  for (const Case& c : {
           Case{R"(299 - "policy/v1beta1 is deprecated")", {"policy/v1beta1 is deprecated"}},
           Case{R"(299 - "a \"b\", c" "Sat, 25 Aug 2012 23:34:45 GMT", 299 x "d")",
                {R"(a "b", c)", "d"}},
           Case{R"(110 - "stale", 299 - "told")", {"told"}},
           Case{R"(299 - "never closed)", {}},
           Case{"299 - ", {}},
           Case{"", {}},
           Case{"299", {}},
       }) {
    net::HttpReply reply;
    reply.headers = {{"warning", c.header}};
    EXPECT_EQ(warnings_of(reply), c.texts) << c.header;
  }
}

// However the bytes are cut, the lines are the same.
TEST(LineSplitter, CutsLinesFromPieces) {
  const std::string text = "one\n\ntwo\r\n{\"three\": 3}\nrest";
  for (size_t piece = 1; piece <= text.size(); ++piece) {
    LineSplitter splitter(12);
    std::vector<std::string> lines;
    for (size_t at = 0; at < text.size(); at += piece) {
      EXPECT_TRUE(splitter.feed(text.substr(at, piece), [&](std::string_view line) {
        lines.emplace_back(line);
        return true;
      }));
    }
    EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "{\"three\": 3}"})) << piece;
    EXPECT_EQ(splitter.rest(), "rest");
  }
}

TEST(LineSplitter, BoundsLinesAndStops) {
  const auto more = [](std::string_view) { return true; };
  LineSplitter whole(4);
  EXPECT_TRUE(whole.feed("1234\n", more));
  EXPECT_FALSE(whole.feed("12345\n", more));
  LineSplitter open(4);
  EXPECT_TRUE(open.feed("12", more));
  EXPECT_TRUE(open.feed("34", more));
  EXPECT_FALSE(open.feed("5", more));
  int lines = 0;
  LineSplitter stopped(100);
  EXPECT_TRUE(stopped.feed("a\nb\nc\n", [&](std::string_view) { return ++lines < 2; }));
  EXPECT_EQ(lines, 2);
}

TEST(TokenBucket, AllowsABurstAndThenTheRate) {
  TokenBucket bucket(10, 3, seconds(100));
  const auto burst = [&](Duration now) {
    int taken = 0;
    while (bucket.take(now)) ++taken;
    return taken;
  };
  EXPECT_EQ(burst(seconds(100)), 3);
  const Duration wait = bucket.wait(seconds(100));
  EXPECT_NEAR(wait.seconds(), 0.1, 1e-6);
  EXPECT_FALSE(bucket.take(seconds(100) + wait / 2));
  EXPECT_TRUE(bucket.take(seconds(100) + wait));
  EXPECT_EQ(burst(seconds(1000)), 3) << "no more than the burst gathers";
}

}  // namespace
}  // namespace windlass::live::kube

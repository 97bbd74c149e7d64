#include "server/http/target.h"

#include <gtest/gtest.h>

namespace windlass::server {
namespace {

TEST(Target, IsDecodedOnce) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"/", "/"},
      {"/api/v1/pods/", "/api/v1/pods/"},
      {"/a%20b/%C3%A4", "/a b/\xC3\xA4"},
      {"/a+b", "/a+b"},
      {"/%2541", "/%41"},
      {"/a:b,c;d=e@f", "/a:b,c;d=e@f"},
      {"/...", "/..."},
      {"/.hidden", "/.hidden"},
      {"http://host:1/x/y", "/x/y"},
      {"https://host", "/"},
  };
  for (const auto& [target, path] : cases) {
    Request request;
    const auto fault = read_target(target, request);
    EXPECT_FALSE(fault.has_value()) << target << ": " << fault->message;
    EXPECT_EQ(request.path, path) << target;
  }
}

TEST(Target, TakesQueriesApart) {
  Request request;
  ASSERT_FALSE(read_target("/p?a=1&a=2&&b&c=x%3Dy%26z&d=p+q%2B&=e&fieldSelector=a=b", request));
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(request.query, (Pairs{{"a", "1"},
                                  {"a", "2"},
                                  {"b", ""},
                                  {"c", "x=y&z"},
                                  {"d", "p q+"},
                                  {"", "e"},
                                  {"fieldSelector", "a=b"}}));
  EXPECT_EQ(request.parameter("a"), "1");
  Request lines;
  ASSERT_FALSE(read_target("/p?query=a%0Ab", lines));
  EXPECT_EQ(lines.parameter("query"), "a\nb");
}

TEST(Target, RefusesTricks) {
  std::string many = "/?";
  for (int i = 0; i < 1001; ++i) many += "a&";
  const std::vector<std::pair<std::string, int>> cases = {
      {"", 400},
      {"*", 400},
      {"api", 400},
      {"//", 400},
      {"//evil/x", 400},
      {"/a//b", 400},
      {"http://host//b", 400},
      {"/..", 400},
      {"/a/../b", 400},
      {"/a/./b", 400},
      {"/a/.", 400},
      {"/a/%2e%2E/b", 400},
      {"/a/.%2e", 400},
      {"/a%2fb", 400},
      {"/a%2Fb", 400},
      {"/%00", 400},
      {"/a%0d%0aX", 400},
      {"/%7f", 400},
      {"/%", 400},
      {"/%4", 400},
      {"/%zz", 400},
      {"/%ff", 400},
      {"/%c0%ae%c0%ae/", 400},
      {"/\xC3\xA4", 400},
      {"/a#b", 400},
      {"/a?b=%", 400},
      {"/a?b=%00", 400},
      {"/a?%0a=b", 400},
      {"/a?b=%ff", 400},
      {many, 400},
      {"/" + std::string(kTargetBytesMax, 'a'), 414},
  };
  for (const auto& [target, status] : cases) {
    Request request;
    const auto fault = read_target(target, request);
    ASSERT_TRUE(fault.has_value()) << target;
    EXPECT_EQ(fault->status, status) << target;
  }
}

}  // namespace
}  // namespace windlass::server

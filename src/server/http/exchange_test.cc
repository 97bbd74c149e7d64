#include "server/http/exchange.h"

#include <gtest/gtest.h>

namespace windlass::server {
namespace {

TEST(Request, FlagsAreReadAsKubernetesReadsThem) {
  const auto flag = [](const std::string& value) {
    Request request;
    request.query = {{"watch", value}};
    return request.flag("watch");
  };
  for (const char* yes : {"true", "True", "1", "", "yes"}) EXPECT_TRUE(flag(yes)) << yes;
  for (const char* no : {"false", "FALSE", "0"}) EXPECT_FALSE(flag(no)) << no;
  EXPECT_FALSE(Request().flag("watch"));
}

}  // namespace
}  // namespace windlass::server

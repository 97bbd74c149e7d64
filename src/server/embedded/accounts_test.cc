#include "server/embedded/accounts.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace windlass::server::embedded {
namespace {

TEST(Accounts, OnlyTheOneThatATokenWasIssuedToComesIn) {
  cluster::ObjectStore objects;
  const cluster::ObjectKey key{"serviceaccounts", "team", "robot"};
  const auto put = [&](const char* uid) {
    objects.put(key, {{"metadata", {{"name", "robot"}, {"namespace", "team"}, {"uid", uid}}}});
  };
  const auto user = [&](const char* name, const char* uid) {
    return if_account_exists({name, {"group"}, uid}, objects).user;
  };
  const std::string robot = "system:serviceaccount:team:robot";
  EXPECT_EQ(user(robot.c_str(), "1"), "");
  put("1");
  EXPECT_EQ(user(robot.c_str(), "1"), robot);
  for (const char* other : {"", "2"}) EXPECT_EQ(user(robot.c_str(), other), "") << other;
  for (const char* other : {"system:serviceaccount:team:robo", "system:serviceaccount:tea:robot",
                            "system:serviceaccount:", "system:serviceaccount::robot",
                            "system:serviceaccount:team", "system:serviceaccount:team:robot:"}) {
    EXPECT_EQ(user(other, "1"), "") << other;
  }
  objects.remove(key);
  EXPECT_EQ(user(robot.c_str(), "1"), "");
  put("2");  // made anew
  EXPECT_EQ(user(robot.c_str(), "1"), "");
  EXPECT_EQ(user(robot.c_str(), "2"), robot);
  for (const char* somebody : {"", "windlass-admin", "system:node:n1"}) {
    EXPECT_EQ(user(somebody, ""), somebody);
  }
}

}  // namespace
}  // namespace windlass::server::embedded

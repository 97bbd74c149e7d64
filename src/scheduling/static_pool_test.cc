#include "scheduling/static_pool.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "scheduling/test_world.h"

namespace windlass::scheduling {
namespace {

using namespace test;
using Strings = std::vector<std::string>;

struct Case {
  const char* what;
  int32_t replicas;
  std::optional<int64_t> limit;
  std::vector<StaticClaim> claims;
  int32_t create;
  Strings remove;
  bool at_limit;
};

// 2.10: scale-in order: unlaunched, empty, lowest disruption cost.
TEST(StaticPool, KeepsItsReplicas) {
  const StaticClaim busy{"busy", true, false, 5, false};
  const StaticClaim calm{"calm", true, false, 2, false};
  const StaticClaim empty{"empty", true, true, 1, false};
  const StaticClaim young{"young", false, true, 1, false};
  const StaticClaim going{"going", true, false, 1, true};
  const std::vector<Case> cases{
      {"from nothing", 2, {}, {}, 2, {}, false},
      {"enough", 2, {}, {busy, calm}, 0, {}, false},
      {"to nothing", 0, {}, {busy, young}, 0, {"young", "busy"}, false},
      {"in order", 1, {}, {busy, calm, empty, young}, 0, {"young", "empty", "calm"}, false},
      {"what goes is no replica", 2, {}, {busy, going}, 1, {}, false},
      {"but counts against the limit", 2, 2, {busy, going}, 0, {}, true},
      {"limit", 5, 3, {busy}, 2, {}, true},
      {"over the limit already", 5, 1, {busy, calm}, 0, {}, true},
      {"ties by name",
       1,
       {},
       {{"b", true, true, 1, false}, {"a", true, true, 1, false}},
       0,
       {"a"},
       false},
  };
  for (const Case& c : cases) {
    const StaticChange change = keep_replicas(c.replicas, c.limit, c.claims);
    EXPECT_EQ(change.create, c.create) << c.what;
    EXPECT_EQ(change.remove, c.remove) << c.what;
    EXPECT_EQ(change.at_limit, c.at_limit) << c.what;
  }
}

RC_GTEST_PROP(StaticPoolLaw, EndsAtItsReplicasOrItsLimit, ()) {
  const int32_t replicas = *rc::gen::inRange(0, 8);
  const int64_t limit = *rc::gen::inRange(0, 8);
  std::vector<StaticClaim> claims(static_cast<size_t>(*rc::gen::inRange(0, 10)));
  int64_t standing = 0;
  for (size_t i = 0; i < claims.size(); ++i) {
    claims[i] = {"c" + std::to_string(i), *rc::gen::arbitrary<bool>(), *rc::gen::arbitrary<bool>(),
                 static_cast<double>(*rc::gen::inRange(0, 3)), *rc::gen::arbitrary<bool>()};
    standing += claims[i].deleting ? 0 : 1;
  }
  const StaticChange change = keep_replicas(replicas, limit, claims);
  const int64_t after = standing + change.create - std::ssize(change.remove);
  RC_ASSERT(after <= replicas || change.create == 0);
  RC_ASSERT(after == replicas || (after < replicas && change.at_limit));
  if (change.create > 0) RC_ASSERT(std::ssize(claims) + change.create <= limit);
}

TEST(StaticPool, ItsClaimNamesEveryTypeCheapestFirst) {
  World world;
  api::NodePool& pool = world.add(node_pool("fixed"));
  pool.requirements = {{kGpuCount, api::Operator::kExists, {}, {}}};
  const NewClaim claim = static_claim(world.problem.pools[0]);
  EXPECT_EQ(names(claim), (Strings{"gpu-1", "gpu-4", "gpu-8"}));
  EXPECT_TRUE(claim.requests.empty());
  EXPECT_FALSE(claim.requirements.has(api::kHostnameLabel));
  EXPECT_EQ(to_node_claim(claim, pool).meta.labels.at(std::string(api::kNodePoolLabel)), "fixed");
}

}  // namespace
}  // namespace windlass::scheduling

#include "sim/apps/rollout.h"

#include <gtest/gtest.h>

namespace windlass::sim::apps {
namespace {

SetSize set(const std::string& key, int32_t replicas, int32_t available, bool current,
            int64_t created = 0) {
  return {key, Instant{created}, replicas, replicas, available, 0, current};
}
using Sizes = std::map<std::string, int32_t>;

struct Case {
  const char* what;
  std::vector<SetSize> sets;
  RolloutLimits limits;
  Sizes expected;
};

TEST(Rollout, TheNextStepKeepsWithinSurgeAndUnavailable) {
  const RolloutLimits ten{10, 3, 2, false};  // 25 % of 10, each rounded its way
  const Case cases[] = {
      {"a new Deployment gets all at once", {set("new", 0, 0, true)}, ten, {{"new", 10}}},
      {"nothing to do", {set("new", 10, 10, true)}, ten, {}},
      {"first the surge", {set("old", 10, 10, false), set("new", 0, 0, true)}, ten, {{"new", 3}}},
      {"then what may be missing",
       {set("old", 10, 10, false), set("new", 3, 0, true)},
       ten,
       {{"old", 8}}},
      {"the room it made", {set("old", 8, 8, false), set("new", 3, 0, true)}, ten, {{"new", 5}}},
      {"no further while the new ones don't come up",
       {set("old", 8, 8, false), set("new", 5, 0, true)},
       ten,
       {}},
      {"each available one lets an old one go",
       {set("old", 8, 8, false), set("new", 5, 4, true)},
       ten,
       {{"old", 4}}},
      {"broken old ones go first, whatever is available",
       {set("old", 8, 2, false), set("new", 3, 3, true)},
       ten,
       {{"new", 5}}},
      {"broken old ones make room for new ones",
       {set("old", 8, 0, false), set("new", 5, 5, true)},
       ten,
       {{"old", 3}}},
      {"scaled down", {set("new", 10, 10, true)}, {4, 1, 1, false}, {{"new", 4}}},
      {"no surge: an old one first",
       {set("old", 3, 3, false), set("new", 0, 0, true)},
       {3, 0, 1, false},
       {{"old", 2}}},
      {"Recreate: all old ones go",
       {set("old", 3, 3, false), set("new", 0, 0, true)},
       {3, 0, 0, true},
       {{"old", 0}}},
      {"Recreate: a new one when none is left",
       {set("old", 0, 0, false), set("new", 0, 0, true)},
       {3, 0, 0, true},
       {{"new", 3}}},
  };
  for (const Case& c : cases) EXPECT_EQ(next_sizes(c.sets, c.limits), c.expected) << c.what;
}

TEST(Rollout, RecreateWaitsForPodsOnTheirWayOut) {
  SetSize old = set("old", 0, 0, false);
  old.pods = 1;
  EXPECT_EQ(next_sizes({old, set("new", 0, 0, true)}, {3, 0, 0, true}), Sizes{});
}

TEST(Rollout, EveryRolloutEndsAndNeverBreaksItsLimits) {
  for (int32_t replicas = 1; replicas <= 12; ++replicas) {
    for (const auto& [surge, unavailable] :
         {std::pair{1, 0}, std::pair{0, 1}, std::pair{3, 2}, std::pair{12, 12}}) {
      const RolloutLimits limits{replicas, surge, std::min(unavailable, replicas), false};
      std::vector<SetSize> sets = {set("a", replicas, replicas, false, 1), set("b", 0, 0, false, 2),
                                   set("c", 0, 0, true, 3)};
      int steps = 0;
      while (true) {
        const Sizes sizes = next_sizes(sets, limits);
        int32_t total = 0;
        int32_t available = 0;
        for (SetSize& s : sets) {
          if (const auto it = sizes.find(s.key); it != sizes.end()) s.replicas = it->second;
          // What shrinks loses at once; what grows comes up only after this look.
          s.available = std::min(s.available, s.replicas);
          total += s.replicas;
          available += s.available;
        }
        EXPECT_LE(total, replicas + surge);
        EXPECT_GE(available, replicas - limits.unavailable);
        bool moved = !sizes.empty();
        for (SetSize& s : sets) {
          moved |= s.available != s.replicas;
          s.available = s.pods = s.replicas;
        }
        if (!moved) break;
        ASSERT_LT(++steps, 100);
      }
      EXPECT_EQ(sets[0].replicas, 0);
      EXPECT_EQ(sets[2].replicas, replicas);
    }
  }
}

TEST(Rollout, ScalingInTheMiddleKeepsProportions) {
  SetSize old = set("old", 8, 8, false, 1);
  SetSize fresh = set("new", 5, 3, true, 2);
  old.limit = fresh.limit = 13;
  // 10 + 3 becomes 20 + 5: 8/13 and 5/13 of 25.
  EXPECT_EQ(scaled_sizes({old, fresh}, {20, 5, 4, false}), (Sizes{{"old", 15}, {"new", 10}}));
  EXPECT_EQ(scaled_sizes({old, fresh}, {0, 0, 0, false}), (Sizes{{"old", 0}, {"new", 0}}));
  EXPECT_EQ(scaled_sizes({set("only", 3, 3, true)}, {7, 2, 1, false}), (Sizes{{"only", 7}}));
}

}  // namespace
}  // namespace windlass::sim::apps

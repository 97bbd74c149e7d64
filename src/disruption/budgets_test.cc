#include "disruption/budgets.h"

#include <algorithm>
#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "disruption/small_cluster.h"

namespace windlass::disruption {
namespace {

constexpr int32_t kUnlimited = std::numeric_limits<int32_t>::max();

std::vector<Candidate> nodes(int count, const std::string& pool = "p") {
  std::vector<Candidate> made(static_cast<size_t>(count));
  for (Candidate& node : made) {
    node.pool = pool;
    node.initialized = true;
  }
  return made;
}

api::NodePool pool_with(std::vector<api::Budget> budgets) {
  api::NodePool pool;
  pool.meta.name = "p";
  pool.budgets = std::move(budgets);
  return pool;
}

api::Budget percent(int32_t value) { return {{value, true}, {}, "", {}}; }
api::Budget count(int32_t value) { return {{value, false}, {}, "", {}}; }
api::Budget for_reasons(api::Budget budget, std::vector<std::string> reasons) {
  budget.reasons = std::move(reasons);
  return budget;
}

// 4.6: percentages round up; the least budget that names the reason wins.
TEST(Budgets, AllowedDisruptions) {
  struct Case {
    const char* what;
    std::vector<api::Budget> budgets;
    int nodes;
    const char* reason;
    int32_t allowed;
  };
  const std::vector<Case> cases = {
      {"10% of 5 rounds up (quirk 4)", {percent(10)}, 5, "Empty", 1},
      {"10% of 20", {percent(10)}, 20, "Empty", 2},
      {"10% of 21 rounds up", {percent(10)}, 21, "Empty", 3},
      {"10% of none", {percent(10)}, 0, "Empty", 0},
      {"0%", {percent(0)}, 50, "Empty", 0},
      {"100%", {percent(100)}, 7, "Empty", 7},
      {"a number", {count(3)}, 50, "Drifted", 3},
      {"a number beyond the nodes", {count(30)}, 5, "Drifted", 30},
      {"the least of two", {percent(50), count(2)}, 10, "Empty", 2},
      {"no budget at all", {}, 10, "Empty", kUnlimited},
      {"not for this reason", {for_reasons(count(0), {"Drifted"})}, 9, "Empty", kUnlimited},
      {"for this reason among others",
       {for_reasons(count(1), {"Drifted", "Empty"}), count(4)},
       9,
       "Empty",
       1},
      {"others' least does not count",
       {for_reasons(count(0), {"Drifted"}), count(4)},
       9,
       "Underutilized",
       4},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(allowed_disruptions(pool_with(c.budgets), c.reason, nodes(c.nodes), kNow), c.allowed)
        << c.what;
  }
}

// 4.6: minus the nodes NotReady or going; only initialized ones of the pool count.
TEST(Budgets, NodesAlreadyDisrupted) {
  std::vector<Candidate> ten = nodes(10);
  EXPECT_EQ(allowed_disruptions(pool_with({count(3)}), kEmpty, ten, kNow), 3);
  ten[0].deleting = true;
  ten[1].ready = false;
  EXPECT_EQ(allowed_disruptions(pool_with({count(3)}), kEmpty, ten, kNow), 1);
  ten[2].deleting = true;
  ten[2].ready = false;  // one node, counted once
  EXPECT_EQ(allowed_disruptions(pool_with({count(3)}), kEmpty, ten, kNow), 0);
  ten[3].deleting = true;
  EXPECT_EQ(allowed_disruptions(pool_with({count(3)}), kEmpty, ten, kNow), 0) << "never below 0";

  std::vector<Candidate> mixed = nodes(10);
  for (int i = 0; i < 5; ++i) mixed[static_cast<size_t>(i)].pool = "other";
  mixed[9].initialized = false;
  mixed[9].deleting = true;
  EXPECT_EQ(allowed_disruptions(pool_with({percent(50)}), kEmpty, mixed, kNow), 2)
      << "half of the four that are initialized, and the one that is not does not count against";
}

// 4.6: active when the next hit after (now - duration) is not after now. kNow is Sunday 00:00 UTC.
TEST(Budgets, Windows) {
  struct Case {
    const char* schedule;
    Duration duration;
    Duration after_midnight;
    bool active;
  };
  const std::vector<Case> cases = {
      {"0 9 * * *", hours(8), hours(8) + minutes(59), false},
      {"0 9 * * *", hours(8), hours(9), true},
      {"0 9 * * *", hours(8), hours(16) + minutes(59), true},
      {"0 9 * * *", hours(8), hours(17), false},
      {"0 9 * * mon-fri", hours(8), hours(10), false},
      {"0 9 * * sun", hours(8), hours(10), true},
      {"@daily", hours(1), minutes(59), true},
      {"@daily", hours(1), hours(1), false},
      {"@daily", hours(24), hours(13), true},
  };
  for (const Case& c : cases) {
    api::Budget closed = count(0);
    closed.schedule = c.schedule;
    closed.duration = c.duration;
    const int32_t allowed =
        allowed_disruptions(pool_with({closed}), kEmpty, nodes(4), kNow + c.after_midnight);
    EXPECT_EQ(allowed, c.active ? 0 : kUnlimited)
        << c.schedule << " for " << to_string(c.duration) << " at +" << to_string(c.after_midnight);
  }
}

// Quirk 4: an error in any budget, even one for other reasons, closes the pool.
TEST(Budgets, ErrorsAllowNothing) {
  api::Budget broken = for_reasons(count(5), {"Drifted"});
  broken.schedule = "not a schedule";
  broken.duration = hours(1);
  EXPECT_EQ(allowed_disruptions(pool_with({percent(100), broken}), kEmpty, nodes(4), kNow), 0);
  api::Budget half = count(5);
  half.schedule = "@daily";
  EXPECT_EQ(allowed_disruptions(pool_with({half}), kEmpty, nodes(4), kNow), 0);
  api::Budget other_half = count(5);
  other_half.duration = hours(1);
  EXPECT_EQ(allowed_disruptions(pool_with({other_half}), kEmpty, nodes(4), kNow), 0);
}

TEST(Budgets, Reason) {
  EXPECT_EQ(budget_reason("p", kUnderutilized, 0, 5),
            "budget of pool p allows 0 of 5 nodes for Underutilized");
}

// A budget never allows less when it is wider, nor more than the nodes that stand for percentages.
RC_GTEST_PROP(Budgets, PercentIsMonotonicAndBounded, ()) {
  const int total = *rc::gen::inRange(0, 300);
  const int32_t narrow = *rc::gen::inRange(0, 101);
  const int32_t wide = *rc::gen::inRange(narrow, 101);
  const auto allowed = [&](int32_t value) {
    return allowed_disruptions(pool_with({percent(value)}), kEmpty, nodes(total), kNow);
  };
  RC_ASSERT(allowed(narrow) <= allowed(wide));
  RC_ASSERT(allowed(wide) <= total);
  RC_ASSERT(100 * allowed(narrow) >= narrow * total);
  RC_ASSERT(100 * (allowed(narrow) - 1) < std::max(narrow * total, 1));
}

}  // namespace
}  // namespace windlass::disruption

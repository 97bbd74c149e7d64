#include "disruption/costs.h"

#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace windlass::disruption {
namespace {

api::Pod pod(std::optional<int32_t> priority, const std::string& deletion_cost) {
  api::Pod made;
  made.spec.priority = priority;
  if (!deletion_cost.empty()) {
    made.meta.annotations["controller.kubernetes.io/pod-deletion-cost"] = deletion_cost;
  }
  return made;
}

// 4.3: 1 + deletion cost / 2^27 + priority / 2^25, within [-10, 10].
TEST(Costs, EvictionCost) {
  struct Case {
    std::optional<int32_t> priority;
    const char* deletion_cost;
    double expected;
  };
  const Case cases[] = {
      {std::nullopt, "", 1},
      {0, "0", 1},
      {33554432, "", 2},
      {-33554432, "", 0},
      {std::nullopt, "134217728", 2},
      {std::nullopt, "-268435456", -1},
      {16777216, "67108864", 2},
      {2000000000, "", 10},  // system-cluster-critical
      {-2147483648, "", -10},
      {std::nullopt, "high", 1},
  };
  for (const Case& c : cases) {
    EXPECT_DOUBLE_EQ(eviction_cost(pod(c.priority, c.deletion_cost)), c.expected)
        << c.priority.value_or(0) << " " << c.deletion_cost;
  }
}

// 4.3: cheap pods cannot make others cheaper, and a node of nothing else counts as empty.
TEST(Costs, RescheduleCost) {
  const api::Pod plain = pod(std::nullopt, "");
  const api::Pod worthless = pod(-335544320, "");
  EXPECT_DOUBLE_EQ(reschedule_cost({}), 1);
  EXPECT_DOUBLE_EQ(reschedule_cost({&plain, &plain}), 3);
  EXPECT_DOUBLE_EQ(reschedule_cost({&plain, &worthless}), 2);
  EXPECT_DOUBLE_EQ(reschedule_cost({&worthless, &worthless}), 1);
}

}  // namespace
}  // namespace windlass::disruption

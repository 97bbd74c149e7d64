#include "server/embedded/shadows.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sim/world_fixture.h"

namespace windlass::server::embedded {
namespace {

// A restart plays the time before it again; it must not be paid for twice.
TEST(Shadows, ARestartCountsNoCostTwice) {
  const sim::Scenario scenario = sim::long_scenario(1);
  const auto never = [] { return false; };
  auto first = Shadows::open(scenario, controllers::Policy::kWindlass, {});
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(first->run_until(scenario.start + minutes(20), never).ok());
  const std::vector<observe::PolicyCost> then = first->costs();
  ASSERT_EQ(then.size(), 2U);

  auto second = Shadows::open(scenario, controllers::Policy::kWindlass, first->saved());
  ASSERT_TRUE(second.ok());
  for (size_t i = 0; i < then.size(); ++i) EXPECT_EQ(second->costs()[i].usd, then[i].usd);
  ASSERT_TRUE(second->run_until(scenario.start + minutes(20), never).ok());
  for (size_t i = 0; i < then.size(); ++i) EXPECT_EQ(second->costs()[i].usd, then[i].usd);
  ASSERT_TRUE(second->run_until(scenario.start + minutes(30), never).ok());
  for (size_t i = 0; i < then.size(); ++i) EXPECT_GT(second->costs()[i].usd, then[i].usd);
}

}  // namespace
}  // namespace windlass::server::embedded

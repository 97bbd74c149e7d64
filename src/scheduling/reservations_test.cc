#include "scheduling/reservations.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "scheduling/solve.h"
#include "scheduling/test_world.h"

namespace windlass::scheduling {
namespace {

using namespace test;

catalog::Offering reserved(const std::string& id, int32_t left, const std::string& zone = "a") {
  catalog::Offering out{zone, std::string(api::kReserved), 1e-7, true};
  out.reservation_id = id;
  out.reservation_type = "default";
  out.reservation_left = left;
  return out;
}

catalog::InstanceType gpu_type(const std::string& name, std::vector<catalog::Offering> more) {
  std::vector<catalog::Offering> offerings = std::move(more);
  offerings.push_back({"a", "on-demand", 1.0, true});
  return instance_type(name, 8, 1, std::move(offerings));
}

// `count` pods of one GPU each over one type with these reservations.
void gpu_pods(World& world, int count, std::vector<catalog::Offering> reservations) {
  world.catalog().types = {gpu_type("gpu", std::move(reservations))};
  world.add(node_pool("gpu"));
  for (int i = 0; i < count; ++i) world.add(pod("p" + std::to_string(i), resources(1, 1, 1)));
}

std::vector<std::string> capacity_of(const Plan& plan) {
  std::vector<std::string> out;
  for (const NewClaim& claim : plan.claims) {
    out.push_back(claim.requirements.get(api::kCapacityTypeLabel).to_string() + " " +
                  claim.requirements.get(api::kReservationIdLabel).to_string());
  }
  return out;
}

using Strings = std::vector<std::string>;

// 2.7: a claim holds every reservation it may still take; what is held is gone for the others.
TEST(Reservations, StrictDefersPodsFallbackGoesOn) {
  World world;
  gpu_pods(world, 3, {reserved("cr-1", 2)});
  Plan plan = solve(world.problem);
  EXPECT_EQ(capacity_of(plan), (Strings{"In [reserved] In [cr-1]", "In [reserved] In [cr-1]"}));
  EXPECT_EQ(plan.claims[0].usd_per_hour, 1e-7);
  ASSERT_EQ(plan.unschedulable.size(), 1U);
  EXPECT_EQ(plan.unschedulable[0].reasons[0],
            "pool gpu: reserved capacity cr-1 is held by other new claims: the pod waits for it");

  world.problem.settings.strict_reservations = false;
  plan = solve(world.problem);
  EXPECT_EQ(capacity_of(plan), (Strings{"In [reserved] In [cr-1]", "In [reserved] In [cr-1]",
                                        "NotIn [reserved] Exists"}));
  EXPECT_EQ(plan.claims[2].usd_per_hour, 1.0);
}

TEST(Reservations, AllThatAreCompatibleAreHeld) {
  World world;
  gpu_pods(world, 2, {reserved("cr-1", 1), reserved("cr-2", 1, "b")});
  // The first claim may become either, so it holds both.
  EXPECT_EQ(capacity_of(solve(world.problem)), Strings{"In [reserved] In [cr-1 cr-2]"});
}

TEST(Reservations, AnEmptyReservationIsNoOffer) {
  World world;
  gpu_pods(world, 1, {reserved("cr-1", 0)});
  EXPECT_EQ(solve(world.problem).claims.at(0).usd_per_hour, 1.0);
}

// 2.3: waiting for a reservation at a higher weight keeps the pod out of lower pools.
TEST(Reservations, AHeldReservationBlocksLowerWeights) {
  World world;
  gpu_pods(world, 2, {reserved("cr-1", 1)});
  api::NodePool& first = world.add(node_pool("first"));
  first.weight = 10;
  first.requirements = {
      {std::string(api::kCapacityTypeLabel), api::Operator::kIn, {"reserved"}, {}}};
  const Plan plan = solve(world.problem);
  ASSERT_EQ(plan.claims.size(), 1U) << text(plan);
  EXPECT_EQ(plan.claims[0].pool, "first");
  EXPECT_EQ(plan.unschedulable.size(), 1U);
}

TEST(Reservations, APodMayAskForOne) {
  World world;
  gpu_pods(world, 1, {reserved("cr-1", 1), reserved("cr-2", 1)});
  world.pods()[0].spec.node_selector = {{std::string(api::kReservationIdLabel), "cr-2"}};
  EXPECT_EQ(capacity_of(solve(world.problem)), Strings{"In [reserved] In [cr-2]"});
  world.pods()[0].spec.node_selector = {{std::string(api::kReservationIdLabel), "cr-3"}};
  EXPECT_EQ(solve(world.problem).unschedulable.size(), 1U);
}

TEST(Reservations, LeftIsTheLeastThatTypesSay) {
  Reservations held;
  held.learn({{gpu_type("x", {reserved("cr-1", 3)}), gpu_type("y", {reserved("cr-1", 1)})}});
  EXPECT_EQ(held.left("cr-1"), 1);
  ReservationIds mine;
  held.exchange(mine, {"cr-1"});
  EXPECT_EQ(held.left("cr-1"), 0);
  held.exchange(mine, {"cr-1"});
  EXPECT_EQ(held.left("cr-1"), 0) << "held already";
  held.exchange(mine, {});
  EXPECT_EQ(held.left("cr-1"), 1) << "let go";
}

}  // namespace
}  // namespace windlass::scheduling

#include "disruption/price_filter.h"

#include <cmath>

#include <gtest/gtest.h>

#include "disruption/small_cluster.h"

namespace windlass::disruption {
namespace {

api::Requirements wanting(const std::vector<std::string>& capacity_types,
                          const std::vector<std::string>& zones) {
  api::Requirements wanted;
  if (!capacity_types.empty()) {
    wanted.add(api::kCapacityTypeLabel, api::Requirement(api::Operator::kIn, capacity_types));
  }
  if (!zones.empty()) wanted.add(api::kZoneLabel, api::Requirement(api::Operator::kIn, zones));
  return wanted;
}

// 4.4: the dearest available offering of the first capacity type: reserved, spot, on-demand.
TEST(PriceFilter, WorstLaunchPrice) {
  catalog::InstanceType type = small_type("t-04", 4);
  type.offerings = {{"a", "on-demand", 0.20, true}, {"b", "on-demand", 0.22, true},
                    {"a", "spot", 0.08, true},      {"b", "spot", 0.09, true},
                    {"c", "spot", 0.50, false},     {"d", "reserved", 0.001, true}};
  struct Case {
    std::vector<std::string> capacity_types;
    std::vector<std::string> zones;
    double expected;
  };
  const std::vector<Case> cases = {
      {{"on-demand", "spot"}, {}, 0.09},
      {{"on-demand", "spot"}, {"a"}, 0.08},
      {{"on-demand", "spot"}, {"c", "a"}, 0.08},
      {{"on-demand"}, {}, 0.22},
      {{"on-demand"}, {"a"}, 0.20},
      {{}, {}, 0.001},
      {{}, {"b"}, 0.09},
      {{"spot"}, {"c"}, INFINITY},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(worst_launch_price(type, wanting(c.capacity_types, c.zones)), c.expected);
  }
}

class Claim : public testing::Test {
 protected:
  scheduling::NewClaim claim(const std::vector<std::string>& capacity_types) const {
    scheduling::NewClaim made;
    made.requirements = wanting(capacity_types, {});
    for (const catalog::InstanceType& type : types.types) made.types.push_back(&type);
    return made;
  }
  static std::vector<std::string> names(const scheduling::NewClaim& claim) {
    std::vector<std::string> result;
    for (const catalog::InstanceType* type : claim.types) result.push_back(type->name);
    return result;
  }
  using Names = std::vector<std::string>;
  catalog::Catalog types = small_catalog();
};

TEST_F(Claim, KeepsOnlyTheCheaper) {
  scheduling::NewClaim made = claim({"on-demand"});
  EXPECT_TRUE(keep_cheaper_than(made, 0.4));
  EXPECT_EQ(names(made), (Names{"t-02", "t-04"})) << "an equal price is no gain";
  EXPECT_DOUBLE_EQ(made.usd_per_hour, 0.1);
  EXPECT_FALSE(keep_cheaper_than(made, 0.1));
  EXPECT_EQ(made.usd_per_hour, 0);
}

TEST_F(Claim, MinValuesMustSurvive) {
  scheduling::NewClaim made = claim({"on-demand"});
  made.requirements.add(api::kInstanceTypeLabel, api::Requirement(api::Operator::kExists, {}, 3));
  scheduling::NewClaim wide = made;
  EXPECT_TRUE(keep_cheaper_than(wide, 0.5));
  EXPECT_FALSE(keep_cheaper_than(made, 0.4));
}

// 4.4, same-type rule.
TEST_F(Claim, CheaperThanSameTypes) {
  scheduling::NewClaim made = claim({"on-demand"});
  EXPECT_TRUE(keep_cheaper_than_same_types(made, {{"t-08", 0.4}, {"t-16", 0.8}}));
  EXPECT_EQ(names(made), (Names{"t-02", "t-04"}));
  EXPECT_TRUE(keep_cheaper_than_same_types(made, {{"t-08", 0.4}}));
  EXPECT_EQ(names(made), (Names{"t-02", "t-04"})) << "t-08 is not on offer any more";
  EXPECT_FALSE(keep_cheaper_than_same_types(made, {{"t-02", 0.1}}));
}

// 4.4: [on-demand, spot] is forced to spot.
TEST_F(Claim, PinsToSpot) {
  scheduling::NewClaim made = claim({"on-demand", "spot"});
  for (catalog::Offering& offering : types.types[0].offerings) {
    if (offering.capacity_type == "spot") offering.available = false;
  }
  pin_capacity_type(made);
  EXPECT_EQ(names(made), (Names{"t-04", "t-08", "t-16"})) << "t-02 has no spot now";
  EXPECT_FALSE(admits(made, api::kOnDemand));
  EXPECT_DOUBLE_EQ(made.usd_per_hour, 0.08);

  scheduling::NewClaim fixed = claim({"on-demand"});
  pin_capacity_type(fixed);
  EXPECT_EQ(names(fixed), (Names{"t-02", "t-04", "t-08", "t-16"}));
}

TEST_F(Claim, PinsToOnDemandWhereThereIsNoSpot) {
  for (catalog::InstanceType& type : types.types) {
    std::erase_if(type.offerings, [](const auto& o) { return o.capacity_type == "spot"; });
  }
  scheduling::NewClaim made = claim({"on-demand", "spot"});
  pin_capacity_type(made);
  EXPECT_FALSE(admits(made, api::kSpot));
  EXPECT_EQ(names(made).size(), 4u);
}

}  // namespace
}  // namespace windlass::disruption

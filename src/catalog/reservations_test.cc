#include <gtest/gtest.h>

#include "catalog/catalog.h"

namespace windlass::catalog {
namespace {

const Catalog& stock() {
  static const Catalog catalog = built_in(CatalogOptions{});
  return catalog;
}

const Offering* reserved(const InstanceType& type, std::string_view id) {
  for (const Offering& offering : type.offerings) {
    if (offering.reservation_id == id) return &offering;
  }
  return nullptr;
}

api::Ec2NodeClass class_with(std::vector<api::CapacityReservation> reservations) {
  api::Ec2NodeClass out;
  out.reservations = std::move(reservations);
  return out;
}

// karpenter.md 2.7, 3.
TEST(Reservations, BecomeTheCheapestOfferings) {
  const Catalog catalog = with_reservations(
      stock(), class_with({{"cr-1", "us-east-1b", "g5.xlarge", "default", true, 2, std::nullopt}}));
  const InstanceType* type = catalog.find("g5.xlarge");
  const Offering* offering = reserved(*type, "cr-1");
  ASSERT_NE(offering, nullptr);
  api::Requirements on_demand;
  on_demand.add(api::kCapacityTypeLabel, {api::Operator::kIn, {"on-demand"}});
  EXPECT_DOUBLE_EQ(offering->usd_per_hour * 1e7, type->cheapest(on_demand)->usd_per_hour);
  EXPECT_EQ(offering->reservation_left, 2);
  EXPECT_TRUE(offering->available);
  EXPECT_EQ(type->cheapest({}), offering);
  EXPECT_TRUE(type->requirements.get(api::kCapacityTypeLabel).has("reserved"));
  EXPECT_TRUE(type->requirements.get(api::kCapacityTypeLabel).has("on-demand"));
  EXPECT_TRUE(type->requirements.get(api::kReservationIdLabel).has("cr-1"));
  EXPECT_TRUE(type->requirements.get(api::kReservationTypeLabel).has("default"));
  EXPECT_EQ(catalog.types.size(), stock().types.size());
  EXPECT_EQ(catalog.find("g5.2xlarge")->offerings, stock().find("g5.2xlarge")->offerings);
}

TEST(Reservations, WhatIsUsedUpOrEndingIsNotForSale) {
  struct Case {
    bool active;
    std::optional<int32_t> left;
    bool available;
    int32_t counted;
  };
  for (const Case& c : std::vector<Case>{{true, 0, false, 0},
                                         {false, 3, false, 3},
                                         {true, 3, true, 3},
                                         {true, std::nullopt, true, 1}}) {
    const Catalog catalog =
        with_reservations(stock(), class_with({{"cr-1", "us-east-1a", "g5.xlarge", "capacity-block",
                                                c.active, c.left, std::nullopt}}));
    const Offering* offering = reserved(*catalog.find("g5.xlarge"), "cr-1");
    ASSERT_NE(offering, nullptr);
    EXPECT_EQ(offering->available, c.available);
    EXPECT_EQ(offering->reservation_left, c.counted);
    EXPECT_EQ(offering->reservation_type, "capacity-block");
  }
}

TEST(Reservations, AZoneOfItsOwnBecomesAZoneOfTheType) {
  const Catalog catalog = with_reservations(
      stock(), class_with({{"cr-1", "us-east-1f", "g5.xlarge", "default", true, 1, std::nullopt},
                           {"cr-2", "us-east-1f", "none.such", "default", true, 1, std::nullopt}}));
  EXPECT_TRUE(catalog.find("g5.xlarge")->requirements.get(api::kZoneLabel).has("us-east-1f"));
  EXPECT_EQ(catalog.types.size(), stock().types.size());
}

TEST(Reservations, OrderOfTheListPlaysNoPart) {
  std::vector<api::CapacityReservation> list{
      {"cr-2", "us-east-1a", "g5.xlarge", "default", true, 1, std::nullopt},
      {"cr-1", "us-east-1a", "g5.xlarge", "default", true, 2, std::nullopt}};
  const Catalog one = with_reservations(stock(), class_with(list));
  std::swap(list[0], list[1]);
  const Catalog other = with_reservations(stock(), class_with(list));
  EXPECT_EQ(one.find("g5.xlarge")->offerings, other.find("g5.xlarge")->offerings);
}

}  // namespace
}  // namespace windlass::catalog

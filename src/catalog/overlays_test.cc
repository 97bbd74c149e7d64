#include <gtest/gtest.h>

#include "catalog/catalog.h"

namespace windlass::catalog {
namespace {

const Catalog& stock() {
  static const Catalog catalog = built_in(CatalogOptions{});
  return catalog;
}

api::NodeOverlay overlay(std::string name, int32_t weight,
                         std::vector<api::RequirementSpec> requirements) {
  api::NodeOverlay out;
  out.meta.name = std::move(name);
  out.weight = weight;
  out.requirements = std::move(requirements);
  return out;
}

api::RequirementSpec of_type(const char* name) {
  return {std::string(api::kInstanceTypeLabel), api::Operator::kIn, {name}, std::nullopt};
}

double price(const Catalog& catalog, const char* type, std::string_view capacity_type) {
  for (const Offering& offering : catalog.find(type)->offerings) {
    if (offering.capacity_type == capacity_type) return offering.usd_per_hour;
  }
  return -1;
}

// karpenter.md 1.5.
TEST(Overlays, PricesAreSetOrAdjusted) {
  const double before = price(stock(), "g5.xlarge", "on-demand");
  struct Case {
    std::optional<double> price;
    const char* adjustment;
    double after;
  };
  for (const Case& c : std::vector<Case>{{0.5, "", 0.5},
                                         {std::nullopt, "+10%", before * 1.1},
                                         {std::nullopt, "-100%", 0},
                                         {std::nullopt, "-0.1", before - 0.1},
                                         {std::nullopt, "+2", before + 2},
                                         {std::nullopt, "-1000", 0}}) {
    api::NodeOverlay o = overlay("o", 0, {of_type("g5.xlarge")});
    o.price_usd_per_hour = c.price;
    o.price_adjustment = c.adjustment;
    const Catalog catalog = with_overlays(stock(), {&o});
    EXPECT_NEAR(price(catalog, "g5.xlarge", "on-demand"), c.after, 1e-9) << c.adjustment;
    EXPECT_EQ(catalog.find("g5.2xlarge")->offerings, stock().find("g5.2xlarge")->offerings);
  }
}

TEST(Overlays, RequirementsOnOfferingsChooseAmongThem) {
  api::NodeOverlay o = overlay(
      "o", 0,
      {of_type("g5.xlarge"),
       {std::string(api::kCapacityTypeLabel), api::Operator::kNotIn, {"spot"}, std::nullopt},
       {std::string(api::kZoneLabel), api::Operator::kIn, {"us-east-1b"}, std::nullopt}});
  o.price_usd_per_hour = 7;
  const Catalog catalog = with_overlays(stock(), {&o});
  int changed = 0;
  for (const Offering& offering : catalog.find("g5.xlarge")->offerings) {
    const bool meant = offering.zone == "us-east-1b" && offering.capacity_type == "on-demand";
    EXPECT_EQ(offering.usd_per_hour == 7, meant) << offering.zone << offering.capacity_type;
    changed += meant ? 1 : 0;
  }
  EXPECT_EQ(changed, 1);
}

TEST(Overlays, TheHeavierOneWinsThingByThing) {
  api::NodeOverlay heavy = overlay("a", 10, {of_type("g5.xlarge")});
  heavy.price_usd_per_hour = 1;
  api::NodeOverlay light = overlay("b", 5, {of_type("g5.xlarge")});
  light.price_usd_per_hour = 2;
  light.capacity.set("example.com/slot", 4000);
  for (const auto& order : {std::vector<const api::NodeOverlay*>{&heavy, &light},
                            std::vector<const api::NodeOverlay*>{&light, &heavy}}) {
    const Catalog catalog = with_overlays(stock(), order);
    const InstanceType& type = *catalog.find("g5.xlarge");
    EXPECT_EQ(price(catalog, "g5.xlarge", "on-demand"), 1);
    EXPECT_EQ(type.capacity.milli("example.com/slot"), 4000);
    EXPECT_EQ(type.allocatable.milli("example.com/slot"), 4000);
    EXPECT_EQ(type.allocatable.milli(api::kCpu),
              stock().find("g5.xlarge")->allocatable.milli(api::kCpu));
  }
}

TEST(Overlays, OfOneWeightTheLaterNameHoldsAndTheOtherDoesNothing) {
  api::NodeOverlay a = overlay("a", 5, {of_type("g5.xlarge")});
  a.price_usd_per_hour = 1;
  a.capacity.set("example.com/slot", 4000);
  api::NodeOverlay b = overlay("b", 5, {of_type("g5.xlarge")});
  b.price_usd_per_hour = 2;
  const Catalog catalog = with_overlays(stock(), {&a, &b});
  EXPECT_EQ(price(catalog, "g5.xlarge", "on-demand"), 2);
  EXPECT_FALSE(catalog.find("g5.xlarge")->capacity.has("example.com/slot"));
  // Where they do not meet, both hold.
  b.requirements = {of_type("g5.2xlarge")};
  const Catalog apart = with_overlays(stock(), {&a, &b});
  EXPECT_EQ(price(apart, "g5.xlarge", "on-demand"), 1);
  EXPECT_EQ(price(apart, "g5.2xlarge", "on-demand"), 2);
}

TEST(Overlays, ThoseOfOnePoolDoNotReachTheCommonCatalogue) {
  api::NodeOverlay o = overlay(
      "o", 0, {{std::string(api::kNodePoolLabel), api::Operator::kIn, {"gpu"}, std::nullopt}});
  o.price_usd_per_hour = 7;
  const Catalog catalog = with_overlays(stock(), {&o});
  EXPECT_EQ(price(catalog, "g5.xlarge", "on-demand"), price(stock(), "g5.xlarge", "on-demand"));
}

TEST(Overlays, GpusCanBeShared) {
  api::NodeOverlay o = overlay(
      "o", 0, {{"karpenter.k8s.aws/instance-gpu-name", api::Operator::kIn, {"t4"}, std::nullopt}});
  o.capacity.set(api::kNvidiaGpu, 8000);
  const Catalog catalog = with_overlays(stock(), {&o});
  EXPECT_EQ(catalog.find("g4dn.xlarge")->allocatable.milli(api::kNvidiaGpu), 8000);
  EXPECT_EQ(catalog.find("g5.xlarge")->allocatable.milli(api::kNvidiaGpu), 1000);
}

}  // namespace
}  // namespace windlass::catalog

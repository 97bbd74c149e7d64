#include "cli/catalog_command.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace windlass::cli {
namespace {

const catalog::Catalog& stock() {
  static const catalog::Catalog catalog = catalog::built_in(catalog::CatalogOptions{});
  return catalog;
}

std::vector<std::string> names(const CatalogQuery& query) {
  const auto types = select_types(stock(), query);
  std::vector<std::string> out;
  if (!types.ok()) return {types.error().message()};
  for (const catalog::InstanceType* type : *types) out.push_back(type->name);
  return out;
}

TEST(ParseRequirement, Accepts) {
  using Op = api::Operator;
  const std::pair<const char*, api::RequirementSpec> cases[] = {
      {"kubernetes.io/arch=In:amd64,arm64",
       {"kubernetes.io/arch", Op::kIn, {"amd64", "arm64"}, {}}},
      {"a/b=NotIn:x", {"a/b", Op::kNotIn, {"x"}, {}}},
      {"a=Exists", {"a", Op::kExists, {}, {}}},
      {"a=DoesNotExist", {"a", Op::kDoesNotExist, {}, {}}},
      {"a=Gt:0", {"a", Op::kGt, {"0"}, {}}},
      {"a=Lte:16384", {"a", Op::kLte, {"16384"}, {}}},
      {"a=In:b:c", {"a", Op::kIn, {"b:c"}, {}}},
  };
  for (const auto& [text, expected] : cases) {
    const auto spec = parse_requirement(text);
    ASSERT_TRUE(spec.ok()) << spec.error().message();
    EXPECT_EQ(*spec, expected) << text;
  }
}

TEST(ParseRequirement, RefusalsNameWhatIsAccepted) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "KEY=OP"},
      {"kubernetes.io/arch", "KEY=OP"},
      {"=In:a", "KEY=OP"},
      {"a=in:b", "In, NotIn"},
      {"a=", "In, NotIn"},
      {"a=In", "a=In:VALUE"},
      {"a=In:", "a=In:VALUE"},
      {"a=In:b,,c", "a=In:VALUE"},
      {"a=Exists:b", "accepted: a=Exists"},
      {"a=Gt", "a=Gt:NUMBER"},
      {"a=Gt:x", "found \"x\""},
      {"a=Gt:1,2", "found \"1,2\""},
  };
  for (const auto& [text, expected] : cases) {
    const auto spec = parse_requirement(text);
    ASSERT_FALSE(spec.ok()) << text;
    EXPECT_NE(spec.error().message().find(expected), std::string::npos) << spec.error().message();
    EXPECT_NE(spec.error().message().find(std::string("requirement \"") + text), std::string::npos);
  }
}

TEST(SelectTypes, FiltersAndSorts) {
  EXPECT_EQ(names({}).size(), 1370U);
  EXPECT_EQ(names({.gpu = "h100"}), (std::vector<std::string>{"p5.48xlarge", "p5.4xlarge"}));
  EXPECT_EQ(names({.gpu = "h100", .capacity_type = "spot"}),
            (std::vector<std::string>{"p5.48xlarge"}));
  EXPECT_EQ(names({.gpu = "h100", .sort = "usd-per-hour"}),
            (std::vector<std::string>{"p5.4xlarge", "p5.48xlarge"}));
  // Nothing costs less a GPU than an xlarge with one; AMD's is the cheapest of them.
  const CatalogQuery per_gpu{
      .requirements = {"karpenter.k8s.aws/instance-gpu-count=Gt:0", "kubernetes.io/arch=In:amd64"},
      .sort = "usd-per-gpu-hour"};
  EXPECT_EQ(names(per_gpu).front(), "g4ad.xlarge");
  const CatalogQuery spot{.requirements = {"karpenter.sh/capacity-type=In:spot"}};
  EXPECT_EQ(names(spot).size(), 17U);
  EXPECT_TRUE(names({.requirements = {"topology.kubernetes.io/zone=In:eu-west-1a"}}).empty());
}

TEST(SelectTypes, TypesWithoutTheFigureComeLast) {
  const auto by_price = names({.sort = "usd-per-hour"});
  EXPECT_EQ(by_price.size(), 1370U);
  EXPECT_EQ(stock().find(by_price.back())->offerings.size(), 0U);
  EXPECT_EQ(names({.gpu = "l4", .sort = "gpus"}).back(), "gr6f.4xlarge") << "a share of one";
}

TEST(SelectTypes, UnknownNamesAreErrorsWithAHint) {
  const std::pair<CatalogQuery, const char*> cases[] = {
      {{.gpu = "h10"}, "did you mean \"h100\""},
      {{.gpu = "zzzzzzzz"}, "accepted: a100"},
      {{.requirements = {"karpenter.k8s.aws/instance-gpu-cout=Gt:0"}},
       "did you mean \"karpenter.k8s.aws/instance-gpu-count\""},
      {{.requirements = {"a/b=Exists"}}, "karpenter.k8s.aws/instance-family"},
      {{.requirements = {"nonsense"}}, "KEY=OP"},
  };
  for (const auto& [query, expected] : cases) {
    const auto types = select_types(stock(), query);
    ASSERT_FALSE(types.ok()) << expected;
    EXPECT_NE(types.error().message().find(expected), std::string::npos) << types.error().message();
  }
}

TEST(CatalogOutput, Table) {
  const auto types = select_types(stock(), {.gpu = "t4", .capacity_type = "spot"});
  ASSERT_TRUE(types.ok());
  EXPECT_EQ(catalog_table(*types, "spot"),
            "type         GPU           vCPU  memory  allocatable                  on-demand $/h  "
            "spot $/h  $/GPU-h spot\n"
            "g4dn.xlarge  1x t4 16 GiB     4  16 GiB  3.92 cpu, 14.1 GiB, 29 pods         0.5260  "
            "  0.2039        0.2039");
}

TEST(CatalogOutput, JsonHasTheFacts) {
  const auto types = select_types(stock(), {.gpu = "h100"});
  const auto json = parse_json(catalog_json(*types));
  ASSERT_TRUE(json.ok());
  const Json& p5 = json->at(0);
  EXPECT_EQ(p5["name"], "p5.48xlarge");
  EXPECT_EQ(p5["allocatable"]["memory"], "1938410Mi");
  EXPECT_EQ(p5["allocatable"]["cpu"], "191450m");
  EXPECT_EQ(p5["allocatable"]["nvidia.com/gpu"], "8");
  EXPECT_EQ(p5["labels"]["karpenter.k8s.aws/instance-gpu-memory"], "81920");
  EXPECT_EQ(p5["nvidia_gpu"]["count"], 8);
  EXPECT_DOUBLE_EQ(p5["on_demand_usd_per_hour"].get<double>(), 55.04);
  EXPECT_DOUBLE_EQ(p5["on_demand_usd_per_gpu_hour"].get<double>(), 6.88);
  EXPECT_EQ(p5["offerings"].size(), 6U);
  EXPECT_TRUE(json->at(1)["spot_usd_per_hour"].is_null());
}

}  // namespace
}  // namespace windlass::cli

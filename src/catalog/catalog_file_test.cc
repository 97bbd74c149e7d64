#include "catalog/catalog_file.h"

#include <gtest/gtest.h>

namespace windlass::catalog {
namespace {

constexpr std::string_view kTwo = R"([
  {"name": "small", "capacity": {"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": "1", "pods": 29},
   "overhead": {"cpu": "80m", "memory": "1Gi"},
   "requirements": {"karpenter.k8s.aws/instance-gpu-name": ["l4"],
                    "karpenter.k8s.aws/instance-gpu-memory": ["22888"],
                    "example.com/local-disk": []},
   "offerings": [{"zone": "b", "capacity_type": "spot", "price": 0.3, "odds": 0.5},
                 {"zone": "a", "capacity_type": "on-demand", "price": 0.8}]},
  {"name": "big", "capacity": {"cpu": "64"},
   "offerings": [{"zone": "a", "capacity_type": "on-demand", "price": 3, "available": false}]}
])";

TEST(CatalogFile, ReadsTypesInOrderOfName) {
  const auto catalog = read_catalog(kTwo, "types.json");
  ASSERT_TRUE(catalog.ok()) << catalog.error().message();
  ASSERT_EQ(catalog->types.size(), 2U);
  EXPECT_EQ(catalog->types[0].name, "big");
  EXPECT_EQ(catalog->types[0].cheapest({}), nullptr);  // not available
  const InstanceType& small = catalog->types[1];
  EXPECT_EQ(small.allocatable.milli("cpu"), 3920);
  EXPECT_EQ(small.gpu_name, "l4");
  EXPECT_EQ(small.gpu_count, 1);
  EXPECT_EQ(small.gpu_memory_mib, 22888);
  EXPECT_TRUE(small.requirements.get("example.com/local-disk").empty());
  EXPECT_EQ(small.requirements.get(api::kZoneLabel).to_string(), "In [a b]");
  EXPECT_EQ(small.requirements.get(api::kInstanceTypeLabel).to_string(), "In [small]");
  EXPECT_EQ(small.offerings[0].zone, "a");
  EXPECT_DOUBLE_EQ(small.offerings[1].odds, 0.5);
  ASSERT_NE(small.cheapest({}), nullptr);
  EXPECT_DOUBLE_EQ(small.cheapest({})->usd_per_hour, 0.3);
}

TEST(CatalogFile, NamesEverythingThatIsWrong) {
  struct Case {
    const char* text;
    const char* message;
  };
  const Case cases[] = {
      {"", "accepted is one array"},
      {"{}", "accepted is one array"},
      {"[]", "has no instance types"},
      {"[{", "types.json:1"},
      {R"([{"capacity": {}, "offerings": []}])", "[0].name"},
      {R"([{"name": "a", "capacity": {"cpu": "4x"}, "offerings": []}])", "capacity.cpu"},
      {R"([{"name": "a", "capacity": {}}])", "offerings"},
      {R"([{"name": "a", "capacity": {}, "offerings": [{"zone": "z", "capacity_type": "spto",
          "price": 1}]}])",
       "capacity_type"},
      {R"([{"name": "a", "capacity": {}, "offerings": [{"zone": "z", "capacity_type": "spot",
          "price": -1}]}])",
       "price"},
      {R"([{"name": "a", "capacity": {}, "offerings": [], "colour": 1}])", "colour"},
      {R"([{"name": "a", "capacity": {}, "offerings": []},
           {"name": "a", "capacity": {}, "offerings": []}])",
       "stands twice"},
  };
  for (const Case& c : cases) {
    const auto catalog = read_catalog(c.text, "types.json");
    ASSERT_FALSE(catalog.ok()) << c.text;
    EXPECT_NE(catalog.error().message().find(c.message), std::string::npos)
        << c.text << "\n"
        << catalog.error().message();
  }
}

}  // namespace
}  // namespace windlass::catalog

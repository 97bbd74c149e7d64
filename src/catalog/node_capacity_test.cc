#include "catalog/node_capacity.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace windlass::catalog {
namespace {

constexpr int64_t kMib = 1 << 20;
constexpr int64_t kGib = int64_t{1} << 30;

const Catalog& stock() {
  static const Catalog catalog = built_in(CatalogOptions{});
  return catalog;
}

// A catalogue of one type keeps the cases quick.
InstanceType under(const char* name, const api::Ec2NodeClass& node_class) {
  Catalog one;
  one.types.push_back(*stock().find(name));
  return for_node_class(one, node_class).types.front();
}

TEST(NodeClass, DefaultsChangeNothing) {
  const Catalog same = for_node_class(stock(), api::Ec2NodeClass{});
  for (size_t i = 0; i < same.types.size(); ++i) {
    ASSERT_EQ(same.types[i].allocatable, stock().types[i].allocatable) << same.types[i].name;
  }
}

TEST(NodeClass, MaxPodsAndPodsPerCore) {
  api::Ec2NodeClass node_class;
  node_class.max_pods = 110;
  InstanceType type = under("g4dn.xlarge", node_class);
  EXPECT_EQ(type.allocatable.milli("pods"), 110000);
  // AL2023 reserves by the network limit (29 pods), whatever maxPods is; Bottlerocket by maxPods.
  EXPECT_EQ(type.allocatable.milli("memory"), 14481 * kMib * 1000);
  node_class.ami_alias = "bottlerocket@latest";
  type = under("g4dn.xlarge", node_class);
  EXPECT_EQ(type.allocatable.milli("memory"), (14481 - 11 * (110 - 29)) * kMib * 1000);

  node_class.pods_per_core = 10;
  EXPECT_EQ(under("g4dn.xlarge", node_class).allocatable.milli("pods"), 110000);
  node_class.ami_alias = "al2023@latest";
  EXPECT_EQ(under("g4dn.xlarge", node_class).allocatable.milli("pods"), 40000);
  node_class.max_pods = 5;
  EXPECT_EQ(under("g4dn.xlarge", node_class).allocatable.milli("pods"), 5000);
}

TEST(NodeClass, ReservesReplaceDefaultsByKey) {
  api::Ec2NodeClass node_class;
  node_class.kube_reserved.set("cpu", 500);
  node_class.system_reserved.set("memory", kGib * 1000);
  node_class.system_reserved.set("cpu", 100);
  node_class.system_reserved.set("pid", 1000000);
  const InstanceType type = under("g4dn.xlarge", node_class);
  EXPECT_EQ(type.allocatable.milli("cpu"), 4000 - 500 - 100);
  EXPECT_EQ(type.allocatable.milli("memory"), (14481 - 1024) * kMib * 1000);
  EXPECT_FALSE(type.allocatable.has("pid"));
  EXPECT_EQ(type.overhead.milli("cpu"), 600);
}

TEST(NodeClass, EvictionThresholds) {
  struct Case {
    const char* memory;
    int64_t memory_mib;  // kept back
  };
  // Capacity of g4dn.xlarge: 16384 - ceil(16384 * 0.075) = 15155 MiB.
  const Case cases[] = {{"500Mi", 500}, {"100%", 0},  {"0", 0},
                        {"lots", 100},  {"-5%", 100}, {"", 100}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.memory);
    api::Ec2NodeClass node_class;
    node_class.eviction_hard["memory.available"] = c.memory;
    const int64_t reserved = 11 * 29 + 255;
    EXPECT_EQ(under("g4dn.xlarge", node_class).allocatable.milli("memory"),
              (15155 - reserved - c.memory_mib) * kMib * 1000);
  }
  api::Ec2NodeClass node_class;
  node_class.eviction_hard["memory.available"] = "5%";
  node_class.eviction_hard["nodefs.available"] = "25%";
  const InstanceType type = under("g4dn.xlarge", node_class);
  // ceil(15155 MiB * 5 %) = 794,558,464 bytes exactly.
  EXPECT_EQ(type.allocatable.milli("memory"), ((15155 - 11 * 29 - 255) * kMib - 794558464) * 1000);
  EXPECT_EQ(type.allocatable.milli("ephemeral-storage"), (20 - 1 - 5) * kGib * 1000);
}

TEST(NodeClass, EphemeralStorage) {
  api::Ec2NodeClass node_class;
  node_class.root_volume_bytes = 100 * kGib;
  EXPECT_EQ(under("g4dn.xlarge", node_class).allocatable.milli("ephemeral-storage"),
            (100 - 1 - 10) * kGib * 1000);
  node_class.raid0 = true;
  const InstanceType raid = under("g4dn.xlarge", node_class);
  EXPECT_EQ(raid.capacity.milli("ephemeral-storage"), 125'000'000'000'000);
  EXPECT_EQ(raid.allocatable.milli("ephemeral-storage"),
            (125'000'000'000 - kGib - 12'500'000'000) * 1000);
  // Without disks of its own the root volume stays.
  EXPECT_EQ(under("m5.xlarge", node_class).capacity.milli("ephemeral-storage"), 100 * kGib * 1000);
}

RC_GTEST_PROP(NodeClass, AllocatableIsCapacityLessOverhead, ()) {
  api::Ec2NodeClass node_class;
  node_class.max_pods = *rc::gen::inRange(1, 1000);
  node_class.pods_per_core = *rc::gen::inRange(0, 50);
  node_class.kube_reserved.set("cpu", *rc::gen::inRange(0, 5000));
  node_class.system_reserved.set("memory", *rc::gen::inRange<int64_t>(0, kGib) * 1000);
  node_class.raid0 = *rc::gen::arbitrary<bool>();
  node_class.eviction_hard["memory.available"] = std::to_string(*rc::gen::inRange(0, 100)) + "%";
  const auto index = *rc::gen::inRange<size_t>(0, stock().types.size());
  const InstanceType& plain = stock().types[index];
  const InstanceType type = under(plain.name.c_str(), node_class);
  for (const auto& [name, milli] : type.capacity) {
    RC_ASSERT(type.allocatable.milli(name) == milli - type.overhead.milli(name));
    RC_ASSERT(type.allocatable.milli(name) <= milli);
  }
  RC_ASSERT(type.capacity.milli("pods") <= *node_class.max_pods * 1000);
  RC_ASSERT(type.capacity.milli("nvidia.com/gpu") == plain.capacity.milli("nvidia.com/gpu"));
  RC_ASSERT(type.capacity.milli("memory") == plain.capacity.milli("memory"));
}

}  // namespace
}  // namespace windlass::catalog

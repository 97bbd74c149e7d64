#include "catalog/catalog.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "catalog/ec2_table.h"
#include "catalog/labels.h"
#include "catalog/shared_csv.h"

namespace windlass::catalog {
namespace {

constexpr int64_t kMib = 1 << 20;

const Catalog& stock() {
  static const Catalog catalog = built_in(CatalogOptions{});
  return catalog;
}

const InstanceType& type_named(std::string_view name) {
  const InstanceType* type = stock().find(name);
  EXPECT_NE(type, nullptr) << name;
  static const InstanceType none;
  return type == nullptr ? none : *type;
}

std::string label(const InstanceType& type, std::string_view key) {
  const api::Requirement& requirement = type.requirements.get(key);
  return requirement.values().size() == 1 ? *requirement.values().begin() : "";
}

api::Requirements wanting(std::string_view key, api::Operator op, std::vector<std::string> values) {
  api::Requirements requirements;
  requirements.add(key, api::Requirement(op, values));
  return requirements;
}

TEST(Catalog, HasEveryTypeOnceInOrder) {
  EXPECT_EQ(stock().types.size(), 1370U);
  const auto not_before = [](const InstanceType& a, const InstanceType& b) {
    return a.name >= b.name;
  };
  EXPECT_EQ(std::adjacent_find(stock().types.begin(), stock().types.end(), not_before),
            stock().types.end());
  for (const InstanceType& type : stock().types) EXPECT_EQ(stock().find(type.name), &type);
  EXPECT_EQ(stock().find("g5.3xlarge"), nullptr);
  EXPECT_EQ(stock().find(""), nullptr);
  EXPECT_EQ(stock().find("zz"), nullptr);
}

TEST(Catalog, AllocatableOfKnownTypes) {
  struct Golden {
    const char* name;
    int64_t cpu_milli;
    int64_t memory_mib;
    int64_t pods;
    int64_t gpus;
    int64_t efa;
    int64_t pod_eni;
    double on_demand;
  };
  // Karpenter's instance-type page, v1.14.
  const Golden goldens[] = {
      {"p5.48xlarge", 191450, 1938410, 100, 8, 32, 120, 55.04},
      {"g4dn.xlarge", 3920, 14481, 29, 1, 0, 39, 0.526},
      {"g5.12xlarge", 47810, 173400, 737, 4, 1, 107, 5.672},
      {"g6e.48xlarge", 191450, 1449132, 492, 8, 4, 82, 30.13118},
      {"p4d.24xlarge", 95690, 1082712, 737, 8, 4, 62, 21.957642},
      {"g4ad.xlarge", 3920, 14712, 8, 0, 0, 12, 0.37853},
      {"g6f.large", 1930, 7002, 20, 0, 0, 10, 0.202},
      {"g4dn.metal", 95690, 355262, 737, 8, 1, 107, 7.824},
      {"a1.medium", 940, 1392, 8, 0, 0, 10, 0.0255},
      {"m5.xlarge", 3920, 14162, 58, 0, 0, 18, 0.192},
      {"u-6tb1.112xlarge", 446810, 5811134, 737, 0, 0, 0, 54.6},
  };
  for (const Golden& golden : goldens) {
    SCOPED_TRACE(golden.name);
    const InstanceType& type = type_named(golden.name);
    EXPECT_EQ(type.allocatable.milli("cpu"), golden.cpu_milli);
    EXPECT_EQ(type.allocatable.milli("memory"), golden.memory_mib * kMib * 1000);
    EXPECT_EQ(type.allocatable.milli("pods"), golden.pods * 1000);
    EXPECT_EQ(type.allocatable.milli("ephemeral-storage"), 17 * 1024 * kMib * 1000);
    EXPECT_EQ(type.allocatable.milli("nvidia.com/gpu"), golden.gpus * 1000);
    EXPECT_EQ(type.gpu_count, golden.gpus);
    EXPECT_EQ(type.allocatable.milli("vpc.amazonaws.com/efa"), golden.efa * 1000);
    EXPECT_EQ(type.allocatable.milli("vpc.amazonaws.com/pod-eni"), golden.pod_eni * 1000);
    const Offering* offering =
        type.cheapest(wanting(api::kCapacityTypeLabel, api::Operator::kIn, {"on-demand"}));
    ASSERT_NE(offering, nullptr);
    EXPECT_DOUBLE_EQ(offering->usd_per_hour, golden.on_demand);
  }
}

TEST(Catalog, OtherAcceleratorsAreTheirOwnResources) {
  EXPECT_EQ(type_named("g4ad.16xlarge").allocatable.milli("amd.com/gpu"), 4000);
  EXPECT_EQ(type_named("inf2.48xlarge").allocatable.milli("aws.amazon.com/neuron"), 12000);
  EXPECT_EQ(type_named("trn2.48xlarge").allocatable.milli("aws.amazon.com/neuroncore"), 128000);
  EXPECT_EQ(type_named("dl1.24xlarge").allocatable.milli("habana.ai/gaudi"), 8000);
  EXPECT_EQ(type_named("dl1.24xlarge").gpu_count, 0);
  EXPECT_FALSE(type_named("m5.xlarge").capacity.has("nvidia.com/gpu"));
}

TEST(Catalog, GpuTypeLabels) {
  const InstanceType& type = type_named("g4dn.xlarge");
  const std::pair<const char*, const char*> expected[] = {
      {"node.kubernetes.io/instance-type", "g4dn.xlarge"},
      {"kubernetes.io/arch", "amd64"},
      {"kubernetes.io/os", "linux"},
      {"topology.kubernetes.io/region", "us-east-1"},
      {"karpenter.k8s.aws/instance-category", "g"},
      {"karpenter.k8s.aws/instance-family", "g4dn"},
      {"karpenter.k8s.aws/instance-generation", "4"},
      {"karpenter.k8s.aws/instance-size", "xlarge"},
      {"karpenter.k8s.aws/instance-cpu", "4"},
      {"karpenter.k8s.aws/instance-cpu-manufacturer", "intel"},
      {"karpenter.k8s.aws/instance-memory", "16384"},
      {"karpenter.k8s.aws/instance-hypervisor", "nitro"},
      {"karpenter.k8s.aws/instance-ebs-bandwidth", "3500"},
      {"karpenter.k8s.aws/instance-network-bandwidth", "5000"},
      {"karpenter.k8s.aws/instance-local-nvme", "125"},
      {"karpenter.k8s.aws/instance-gpu-name", "t4"},
      {"karpenter.k8s.aws/instance-gpu-manufacturer", "nvidia"},
      {"karpenter.k8s.aws/instance-gpu-count", "1"},
      {"karpenter.k8s.aws/instance-gpu-memory", "16384"},
      {"karpenter.k8s.aws/instance-capability-flex", "false"},
  };
  for (const auto& [key, value] : expected) EXPECT_EQ(label(type, key), value) << key;
  EXPECT_EQ(type.requirements.get("karpenter.k8s.aws/instance-accelerator-name").op(),
            api::Operator::kDoesNotExist);
  EXPECT_EQ(type.gpu_name, "t4");
  EXPECT_EQ(type.gpu_memory_mib, 16384);
  EXPECT_EQ(type.network_mbps, 5000);
  EXPECT_EQ(label(type_named("m7i-flex.large"), "karpenter.k8s.aws/instance-capability-flex"),
            "true");
}

// The first selector of the story this project retells.
TEST(Catalog, GpuCountAboveZeroAdmitsAmdButNoTypeWithoutGpus) {
  const auto wanted = wanting("karpenter.k8s.aws/instance-gpu-count", api::Operator::kGt, {"0"});
  const auto admits = [&](const char* name) {
    return type_named(name).requirements.why_incompatible(wanted, true).empty();
  };
  EXPECT_TRUE(admits("g4dn.xlarge"));
  EXPECT_TRUE(admits("g4ad.xlarge"));
  EXPECT_FALSE(admits("g6f.large"));
  EXPECT_FALSE(admits("m5.xlarge"));
  EXPECT_FALSE(admits("inf2.xlarge"));
}

TEST(Catalog, EveryLabelIsWellKnown) {
  for (const InstanceType& type : stock().types) {
    for (const auto& [key, requirement] : type.requirements) {
      ASSERT_TRUE(api::is_well_known_label(key)) << type.name << " " << key;
    }
  }
}

TEST(Catalog, OfferingsFollowTheOptions) {
  CatalogOptions options;
  options.zones = {"us-east-1b", "us-east-1a", "us-east-1b"};
  const Catalog both = built_in(options);
  const InstanceType& g4dn = *both.find("g4dn.xlarge");
  ASSERT_EQ(g4dn.offerings.size(), 4U);
  EXPECT_EQ(g4dn.offerings[0], (Offering{"us-east-1a", "on-demand", 0.526, true}));
  EXPECT_EQ(g4dn.offerings[1], (Offering{"us-east-1a", "spot", 0.2039, true}));
  EXPECT_EQ(g4dn.offerings[3].zone, "us-east-1b");
  // Neither a recorded nor a stated spot price: no spot offering, and none at all without both.
  EXPECT_EQ(both.find("g4dn.12xlarge")->offerings.size(), 2U);
  EXPECT_TRUE(both.find("p5e.48xlarge")->offerings.empty());
  EXPECT_EQ(both.find("p5e.48xlarge")->requirements.get(api::kZoneLabel).op(),
            api::Operator::kDoesNotExist);

  options.spot_default_fraction = 0.4;
  options.spot_prices = {{"g4dn.xlarge", 0.3}, {"p5e.48xlarge", 30.0}};
  const Catalog priced = built_in(options);
  const auto spot = wanting(api::kCapacityTypeLabel, api::Operator::kIn, {"spot"});
  EXPECT_DOUBLE_EQ(priced.find("g4dn.xlarge")->cheapest(spot)->usd_per_hour, 0.3);
  EXPECT_DOUBLE_EQ(priced.find("p5e.48xlarge")->cheapest(spot)->usd_per_hour, 30.0);
  EXPECT_DOUBLE_EQ(priced.find("p5.48xlarge")->cheapest(spot)->usd_per_hour, 20.2037);
  EXPECT_DOUBLE_EQ(priced.find("g4dn.12xlarge")->cheapest(spot)->usd_per_hour, 3.912 * 0.4);

  options.spot = false;
  const Catalog on_demand = built_in(options);
  for (const InstanceType& type : on_demand.types) EXPECT_EQ(type.cheapest(spot), nullptr);
}

TEST(Catalog, CheapestLooksAtZoneTypeAndAvailability) {
  InstanceType type;
  type.offerings = {{"b", "on-demand", 2, true},
                    {"a", "on-demand", 2, true},
                    {"a", "spot", 1, false},
                    {"c", "spot", 1.5, true}};
  EXPECT_EQ(type.cheapest({})->zone, "c");
  EXPECT_EQ(type.cheapest(wanting(api::kCapacityTypeLabel, api::Operator::kNotIn, {"spot"}))->zone,
            "a");
  EXPECT_EQ(type.cheapest(wanting(api::kZoneLabel, api::Operator::kIn, {"b"}))->zone, "b");
  EXPECT_EQ(type.cheapest(wanting(api::kZoneLabel, api::Operator::kIn, {"d"})), nullptr);
}

int64_t number(const CsvRow& row, std::string_view column) {
  const std::string& text = row.find(column)->second;
  return text.empty() ? 0 : parse_int(text).value();
}

// What the provider's page says of one type against what the formulas and labels make of it.
void expect_row(const InstanceType& type, const CsvRow& row) {
  const std::pair<const char*, const char*> resources[] = {
      {"nvidia_gpu", "nvidia.com/gpu"},
      {"amd_gpu", "amd.com/gpu"},
      {"neuron", "aws.amazon.com/neuron"},
      {"neuroncore", "aws.amazon.com/neuroncore"},
      {"gaudi", "habana.ai/gaudi"},
      {"efa", "vpc.amazonaws.com/efa"},
      {"pod_eni", "vpc.amazonaws.com/pod-eni"},
      {"pods", "pods"}};
  for (const auto& [column, resource] : resources) {
    EXPECT_EQ(type.allocatable.milli(resource), number(row, column) * 1000) << column;
  }
  EXPECT_EQ(type.allocatable.milli("cpu"), number(row, "alloc_cpu_milli"));
  EXPECT_EQ(type.allocatable.milli("memory"), number(row, "alloc_memory_mib") * kMib * 1000);
  EXPECT_EQ(row.find("alloc_ephemeral")->second, "17Gi");
  EXPECT_EQ(type.allocatable.milli("ephemeral-storage"), 17 * 1024 * kMib * 1000);
  const std::pair<const char*, const char*> labels[] = {{"category", "category"},
                                                        {"family", "family"},
                                                        {"generation", "generation"},
                                                        {"size", "size"},
                                                        {"vcpu", "cpu"},
                                                        {"memory_mib", "memory"},
                                                        {"cpu_manufacturer", "cpu-manufacturer"},
                                                        {"hypervisor", "hypervisor"},
                                                        {"network_mbps", "network-bandwidth"},
                                                        {"ebs_mbps", "ebs-bandwidth"},
                                                        {"local_nvme_gib", "local-nvme"},
                                                        {"gpu_name", "gpu-name"},
                                                        {"gpu_manufacturer", "gpu-manufacturer"},
                                                        {"gpu_count", "gpu-count"},
                                                        {"gpu_memory_mib", "gpu-memory"},
                                                        {"accelerator_name", "accelerator-name"},
                                                        {"accelerator_count", "accelerator-count"}};
  for (const auto& [column, suffix] : labels) {
    const std::string key = std::string("karpenter.k8s.aws/instance-") + suffix;
    EXPECT_EQ(label(type, key), row.find(column)->second) << column;
  }
  EXPECT_EQ(label(type, api::kArchLabel), row.find("arch")->second);
  const std::string& price = row.find("ondemand_usd_per_hour")->second;
  const Offering* offering =
      type.cheapest(wanting(api::kCapacityTypeLabel, api::Operator::kIn, {"on-demand"}));
  ASSERT_EQ(offering == nullptr, price.empty());
  if (offering == nullptr) return;
  EXPECT_EQ(offering->usd_per_hour, parse_double(price).value());
}

TEST(Catalog, ReproducesEveryRowOfTheReference) {
  const auto rows = read_shared_csv("ec2_instance_types.csv");
  if (!rows) GTEST_SKIP() << "no ../shared/data/ec2_instance_types.csv";
  ASSERT_EQ(rows->size(), stock().types.size());
  for (const CsvRow& row : *rows) {
    SCOPED_TRACE(row.find("name")->second);
    const InstanceType* type = stock().find(row.find("name")->second);
    ASSERT_NE(type, nullptr);
    expect_row(*type, row);
    if (testing::Test::HasFailure()) return;  // 1,370 times the same message helps nobody
  }
}

}  // namespace
}  // namespace windlass::catalog

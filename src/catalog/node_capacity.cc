#include "catalog/node_capacity.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include "base/quantity.h"
#include "base/text.h"

namespace windlass::catalog {
namespace {

constexpr int64_t kMilli = 1000;  // ResourceList counts thousandths of every unit
constexpr int64_t kMib = int64_t{1} << 20;
constexpr int64_t kGib = int64_t{1} << 30;

// What the provider assumes the hypervisor keeps of the nominal memory, in thousandths
// (VM_MEMORY_OVERHEAD_PERCENT, default 0.075), and what Graviton's firmware reserves.
constexpr int64_t kVmOverheadPerMille = 75;
constexpr int64_t kArmReservedMib = 64;

int64_t memory_capacity_mib(const Ec2Facts& facts) {
  const bool arm = std::string_view(facts.arch) == "arm64";
  const int64_t mib = facts.memory_mib - (arm ? kArmReservedMib : 0);
  return mib - (mib * kVmOverheadPerMille + 999) / 1000;
}

std::string_view device_resource(const Ec2Facts& facts) {
  const std::string_view maker = facts.device_manufacturer;
  if (maker == "nvidia") return api::kNvidiaGpu;
  if (maker == "amd") return "amd.com/gpu";
  if (maker == "habana") return "habana.ai/gaudi";
  if (maker == "aws") return "aws.amazon.com/neuron";
  return {};  // Qualcomm's have no resource that the provider knows
}

// 6 % of the first core, 1 % of the second, 0.5 % of the next two, 0.25 % of the rest.
int64_t reserved_cpu_milli(int64_t cpu) {
  const auto within = [cpu](int64_t from, int64_t to) {
    return std::clamp<int64_t>(cpu - from, 0, to - from);
  };
  return within(0, 1000) * 60 / 1000 + within(1000, 2000) * 10 / 1000 +
         within(2000, 4000) * 5 / 1000 + std::max<int64_t>(cpu - 4000, 0) * 25 / 10000;
}

bool family_is(const api::Ec2NodeClass& node_class, std::string_view family) {
  const std::string_view alias = node_class.ami_alias;
  const std::string_view name =
      node_class.ami_family.empty() ? alias.substr(0, alias.find('@')) : node_class.ami_family;
  return std::equal(name.begin(), name.end(), family.begin(), family.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

// An eviction threshold: a quantity of bytes or a percentage of the capacity, where 100 % means
// "off" to a kubelet.
std::optional<int64_t> threshold_bytes(std::string_view text, int64_t capacity_bytes) {
  if (text.ends_with('%')) {
    const Result<double> percent = parse_double(text.substr(0, text.size() - 1));
    if (!percent.ok() || *percent < 0 || *percent > 100) return std::nullopt;
    if (*percent == 100) return 0;
    return static_cast<int64_t>(std::ceil(static_cast<double>(capacity_bytes) / 100 * *percent));
  }
  const Result<Quantity> quantity = Quantity::parse(text);
  if (!quantity.ok() || quantity->units() < 0) return std::nullopt;
  return quantity->units();
}

int64_t eviction_bytes(const api::Ec2NodeClass& node_class, const char* signal,
                       int64_t capacity_bytes, int64_t default_bytes) {
  const auto it = node_class.eviction_hard.find(signal);
  if (it == node_class.eviction_hard.end()) return default_bytes;
  return threshold_bytes(it->second, capacity_bytes).value_or(default_bytes);
}

int64_t pods_of(const api::Ec2NodeClass& node_class, int64_t eni_pods, int64_t vcpu) {
  const int64_t pods = node_class.max_pods ? *node_class.max_pods : eni_pods;
  const int64_t per_core = node_class.pods_per_core.value_or(0);
  // Bottlerocket's settings have no podsPerCore, so the provider ignores it there.
  if (per_core <= 0 || family_is(node_class, "bottlerocket")) return pods;
  return std::min(pods, per_core * vcpu);
}

// The provider sizes RAID0 in decimal gigabytes and root volumes as the node class states them.
int64_t ephemeral_bytes(const api::Ec2NodeClass& node_class, int64_t local_nvme_gb) {
  if (node_class.raid0 && local_nvme_gb > 0) return local_nvme_gb * 1'000'000'000;
  return node_class.root_volume_bytes.value_or(20 * kGib);
}

// User values replace the defaults key by key, for kube reserved and eviction alike.
api::ResourceList overhead_of(const api::ResourceList& capacity,
                              const api::Ec2NodeClass& node_class, int64_t eni_pods) {
  const int64_t memory = capacity.milli(api::kMemory) / kMilli;
  const int64_t storage = capacity.milli(api::kEphemeralStorage) / kMilli;
  // Except on Bottlerocket the memory reserve follows the CNI's limit even where maxPods lowers
  // or raises the number of pods: that is how the AMIs' bootstrap scripts compute it.
  const int64_t pods =
      family_is(node_class, "bottlerocket") ? capacity.milli(api::kPods) / kMilli : eni_pods;
  api::ResourceList overhead;
  overhead.set(api::kCpu, reserved_cpu_milli(capacity.milli(api::kCpu)));
  overhead.set(api::kMemory, (11 * pods + 255) * kMib * kMilli);
  overhead.set(api::kEphemeralStorage, kGib * kMilli);
  for (const auto& [name, milli] : node_class.kube_reserved) overhead.set(name, milli);
  overhead += node_class.system_reserved;

  const int64_t tenth = (storage + 9) / 10;
  api::ResourceList eviction;
  eviction.set(api::kMemory,
               eviction_bytes(node_class, "memory.available", memory, 100 * kMib) * kMilli);
  eviction.set(api::kEphemeralStorage,
               eviction_bytes(node_class, "nodefs.available", storage, tenth) * kMilli);
  overhead += eviction;
  return overhead;
}

}  // namespace

api::ResourceList fixed_capacity(const Ec2Facts& facts) {
  api::ResourceList capacity;
  const auto set_known = [&capacity](std::string_view name, int64_t units) {
    if (units > 0) capacity.set(name, units * kMilli);
  };
  capacity.set(api::kCpu, facts.vcpu * kMilli);
  capacity.set(api::kMemory, memory_capacity_mib(facts) * kMib * kMilli);
  capacity.set(api::kPods, facts.eni_pods * kMilli);
  set_known("vpc.amazonaws.com/pod-eni", facts.branch_enis);
  set_known("vpc.amazonaws.com/efa", facts.efa_interfaces);
  const std::string_view device = device_resource(facts);
  if (!device.empty()) set_known(device, facts.device_count);
  set_known("aws.amazon.com/neuroncore", facts.neuron_cores);
  return capacity;
}

void apply_node_class(InstanceType& type, const api::Ec2NodeClass& node_class, int64_t eni_pods,
                      int64_t local_nvme_gb) {
  const int64_t vcpu = type.capacity.milli(api::kCpu) / kMilli;
  type.capacity.set(api::kPods, pods_of(node_class, eni_pods, vcpu) * kMilli);
  type.capacity.set(api::kEphemeralStorage, ephemeral_bytes(node_class, local_nvme_gb) * kMilli);
  type.overhead = overhead_of(type.capacity, node_class, eni_pods);
  type.allocatable = type.capacity;
  // Only what the node has can be reserved; a reserve of "pid" must not make a debt.
  for (const auto& [name, milli] : type.overhead) {
    if (type.capacity.has(name)) type.allocatable.set(name, type.capacity.milli(name) - milli);
  }
}

}  // namespace windlass::catalog

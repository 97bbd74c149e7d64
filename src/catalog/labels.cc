#include "catalog/labels.h"

#include <string>
#include <vector>

#include <fmt/format.h>

#include "api/karpenter.h"

namespace windlass::catalog {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }

const api::Requirement& absent() {
  static const api::Requirement requirement(api::Operator::kDoesNotExist, {});
  return requirement;
}

void put(api::Requirements& labels, std::string_view key, std::string_view value) {
  labels.add(key, api::Requirement(api::Operator::kIn, {std::string(value)}));
}

// Empty and 0 stand for "unknown or absent" in the table.
void put_known(api::Requirements& labels, std::string_view key, std::string_view value) {
  value.empty() ? labels.add(key, absent()) : put(labels, key, value);
}
void put_known(api::Requirements& labels, std::string_view key, int64_t value) {
  value == 0 ? labels.add(key, absent()) : put(labels, key, fmt::format_int(value).c_str());
}

void add_name_labels(api::Requirements& labels, std::string_view name) {
  const NameParts parts = parse_type_name(name);
  put_known(labels, "karpenter.k8s.aws/instance-category", parts.category);
  put_known(labels, "karpenter.k8s.aws/instance-generation", parts.generation);
  put_known(labels, "karpenter.k8s.aws/instance-family", parts.family);
  put_known(labels, "karpenter.k8s.aws/instance-size", parts.size);
  const bool flex = parts.family.find("-flex") != std::string_view::npos;
  put(labels, "karpenter.k8s.aws/instance-capability-flex", flex ? "true" : "false");
}

// Every type of the table has at most one kind of device; Karpenter labels GPUs only then.
void add_device_labels(api::Requirements& labels, const Ec2Facts& facts) {
  const bool gpu = facts.has_gpu();
  const bool accelerator = facts.has_accelerator();
  const std::string count = fmt::to_string(facts.device_count);
  put_known(labels, kGpuNameLabel, gpu ? facts.device : "");
  put_known(labels, "karpenter.k8s.aws/instance-gpu-manufacturer",
            gpu ? facts.device_manufacturer : "");
  // Not put_known(int): fractions of a GPU do carry the label, with the value 0.
  put_known(labels, kGpuCountLabel, gpu ? count : "");
  put_known(labels, kGpuMemoryLabel, facts.device_memory_mib);
  put_known(labels, "karpenter.k8s.aws/instance-accelerator-name", accelerator ? facts.device : "");
  put_known(labels, "karpenter.k8s.aws/instance-accelerator-manufacturer",
            accelerator ? facts.device_manufacturer : "");
  put_known(labels, "karpenter.k8s.aws/instance-accelerator-count", accelerator ? count : "");
}

}  // namespace

NameParts parse_type_name(std::string_view name) {
  NameParts parts;
  const size_t dot = name.find('.');
  if (dot == std::string_view::npos) return parts;
  parts.family = name.substr(0, dot);
  parts.size = name.substr(dot + 1);
  size_t letters = 0;
  while (letters < dot && is_lower(name[letters])) ++letters;
  size_t from = letters;
  // High-memory types carry their size before the generation: u-6tb1, generation 1.
  if (name.substr(letters).starts_with('-')) {
    size_t end = letters + 1;
    while (end < dot && is_digit(name[end])) ++end;
    if (end > letters + 1 && name.substr(end).starts_with("tb")) from = end + 2;
  }
  size_t end = from;
  while (end < dot && is_digit(name[end])) ++end;
  if (letters == 0 || end == from) return parts;
  parts.category = name.substr(0, letters);
  parts.generation = name.substr(from, end - from);
  return parts;
}

api::Requirements type_labels(const Ec2Facts& facts, std::string_view region) {
  api::Requirements labels;
  put(labels, api::kInstanceTypeLabel, facts.name);
  put(labels, api::kArchLabel, facts.arch);
  put(labels, api::kOsLabel, "linux");
  put(labels, api::kRegionLabel, region);
  labels.add("node.kubernetes.io/windows-build", absent());
  add_name_labels(labels, facts.name);
  add_device_labels(labels, facts);
  put_known(labels, "karpenter.k8s.aws/instance-cpu", facts.vcpu);
  put_known(labels, "karpenter.k8s.aws/instance-cpu-manufacturer", facts.cpu_manufacturer);
  put_known(labels, "karpenter.k8s.aws/instance-memory", facts.memory_mib);
  put_known(labels, "karpenter.k8s.aws/instance-ebs-bandwidth", facts.ebs_mbps);
  put_known(labels, "karpenter.k8s.aws/instance-network-bandwidth", facts.network_mbps);
  put_known(labels, kLocalNvmeLabel, facts.local_nvme_gb);
  // Bare metal has the label with an empty value, as the provider sets it.
  put(labels, "karpenter.k8s.aws/instance-hypervisor", facts.hypervisor);
  labels.add("karpenter.k8s.aws/instance-tenancy",
             api::Requirement(api::Operator::kIn, {"default", "dedicated"}));
  // Reserved capacity would put its ids here; the built-in offerings have none.
  labels.add("karpenter.k8s.aws/capacity-reservation-id", absent());
  labels.add("karpenter.k8s.aws/capacity-reservation-type", absent());
  return labels;
}

}  // namespace windlass::catalog

// The labels of an instance type as Karpenter and its AWS provider set them (reference:
// karpenter.sh documentation, scheduling labels; names as in sheet 1.7). A label that the type
// does not have is present as DoesNotExist: an absent key would let "gpu-count Gt 0" match a type
// without GPUs, because new claims may leave well-known labels undefined.
#pragma once

#include <string_view>

#include "api/requirements.h"
#include "catalog/ec2_table.h"

namespace windlass::catalog {

inline constexpr std::string_view kGpuNameLabel = "karpenter.k8s.aws/instance-gpu-name";
inline constexpr std::string_view kGpuCountLabel = "karpenter.k8s.aws/instance-gpu-count";
inline constexpr std::string_view kGpuMemoryLabel = "karpenter.k8s.aws/instance-gpu-memory";
inline constexpr std::string_view kLocalNvmeLabel = "karpenter.k8s.aws/instance-local-nvme";

// Category and generation of a type's name by the provider's pattern
// `(^[a-z]+)(\-[0-9]+tb)?([0-9]+).*\.`; both empty if it does not match.
struct NameParts {
  std::string_view category;    // "g"
  std::string_view generation;  // "4"
  std::string_view family;      // "g4dn"
  std::string_view size;        // "xlarge"
};
NameParts parse_type_name(std::string_view name);

// All but zone and capacity type, which the offerings decide. Not in the data, so not here:
// sustained clock speed, encryption in transit, zone id, nitro enclaves, placement groups.
api::Requirements type_labels(const Ec2Facts& facts, std::string_view region);

}  // namespace windlass::catalog

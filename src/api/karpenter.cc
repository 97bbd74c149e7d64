#include "api/karpenter.h"

namespace windlass::api {
namespace {

std::string label_of(const ObjectMeta& meta, std::string_view key) {
  const auto found = meta.labels.find(key);
  return found == meta.labels.end() ? std::string() : found->second;
}

}  // namespace

std::string NodeClaim::pool() const { return label_of(meta, kNodePoolLabel); }
std::string NodeClaim::instance_type() const { return label_of(meta, kInstanceTypeLabel); }
std::string NodeClaim::capacity_type() const { return label_of(meta, kCapacityTypeLabel); }
std::string NodeClaim::zone() const { return label_of(meta, kZoneLabel); }

}  // namespace windlass::api

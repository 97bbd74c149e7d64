#include "scheduling/interned_requirements.h"

#include "base/hash.h"

namespace windlass::scheduling {
namespace {

uint64_t hash_of(const api::Requirements& requirements) {
  Hash64 hash;
  for (const auto& [key, requirement] : requirements) {
    hash.add(key);
    hash.add(uint64_t{requirement.complement()});
    for (const std::string& value : requirement.values()) hash.add(value);
    hash.add(requirement.gte().value_or(0));
    hash.add(requirement.lte().value_or(0));
  }
  return hash.value();
}

}  // namespace

uint32_t InternedRequirements::intern(api::Requirements requirements) {
  std::vector<uint32_t>& bucket = by_hash_[hash_of(requirements)];
  for (const uint32_t id : bucket) {
    if (all_[id] == requirements) return id;
  }
  const auto id = static_cast<uint32_t>(all_.size());
  bucket.push_back(id);
  all_.push_back(std::move(requirements));
  return id;
}

}  // namespace windlass::scheduling

#include "disruption/drift.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/text.h"

namespace windlass::disruption {
namespace {

constexpr std::string_view kStatic = "NodePoolDrifted";
constexpr std::string_view kClass = "NodeClassDrift";
constexpr std::string_view kRequirements = "RequirementsDrifted";
constexpr std::string_view kImage = "AMIDrift";
constexpr std::string_view kReservation = "CapacityReservationDrift";
constexpr std::string_view kType = "InstanceTypeNotFound";
constexpr std::array kOwnReasons{kStatic, kClass, kRequirements, kImage, kReservation, kType};

// A type that is missing from one answer of the cloud may be back in the next.
constexpr Duration kTypeGrace = hours(1);

const std::string* find(const api::StringMap& map, std::string_view key) {
  const auto at = map.find(std::string(key));
  return at == map.end() ? nullptr : &at->second;
}

// Whether hash annotations tell two versions of the same thing apart. `now` is this version's hash.
bool hash_moved(const api::StringMap& claim, const api::StringMap& maker, std::string_view now,
                std::string_view hash_key, std::string_view version_key) {
  const std::string* hash = find(claim, hash_key);
  const std::string* version = find(claim, version_key);
  if (hash == nullptr || version == nullptr) return false;
  if (*version == kHashVersion) return *hash != now;
  const std::string* maker_hash = find(maker, hash_key);
  const std::string* maker_version = find(maker, version_key);
  return maker_hash != nullptr && maker_version != nullptr && *maker_version == *version &&
         *maker_hash != *hash;
}

bool allows_absence(const api::Requirement& requirement) {
  const api::Operator op = requirement.op();
  return op == api::Operator::kNotIn || op == api::Operator::kDoesNotExist;
}

bool put(api::StringMap& annotations, std::string_view key, std::string_view value) {
  std::string& held = annotations[std::string(key)];
  if (held == value) return false;
  held = value;
  return true;
}

}  // namespace

bool is_own_drift_reason(std::string_view reason) {
  return std::ranges::find(kOwnReasons, reason) != kOwnReasons.end();
}

DriftCheck::DriftCheck(const api::NodePool& pool, const api::Ec2NodeClass* node_class,
                       const catalog::Catalog* types)
    : pool_(pool),
      node_class_(node_class),
      types_(types),
      pool_hash_(template_hash(pool)),
      class_hash_(node_class == nullptr ? std::string() : node_class_hash(*node_class)),
      requirements_(api::Requirements::from_specs(pool.requirements)) {}

std::optional<Drift> DriftCheck::look(const api::NodeClaim& claim, Instant now) const {
  const catalog::InstanceType* type =
      types_ == nullptr ? nullptr : types_->find(claim.instance_type());
  if (auto drift = hashes(claim)) return drift;
  if (auto drift = requirements(claim, type)) return drift;
  if (auto drift = node_class(claim)) return drift;
  return instance_type(claim, type, now);
}

uint64_t drift_version(const api::NodePool& pool) {
  Hash64 hash;
  hash.add(template_hash(pool));
  hash.add(api::Requirements::from_specs(pool.requirements).to_string());
  for (const auto& [key, value] : pool.meta.annotations) {
    hash.add(key);
    hash.add(value);
  }
  return hash.value();
}

bool DriftCheck::stamp(api::NodeClaim& claim) const {
  const auto foreign = [&](std::string_view version_key) {
    const std::string* version = find(claim.meta.annotations, version_key);
    return version == nullptr || *version != kHashVersion;
  };
  bool changed = false;
  if (foreign(kPoolHashVersion)) {
    changed |= put(claim.meta.annotations, kPoolHash, pool_hash_);
    changed |= put(claim.meta.annotations, kPoolHashVersion, kHashVersion);
  }
  if (node_class_ != nullptr && foreign(kClassHashVersion)) {
    changed |= put(claim.meta.annotations, kClassHash, class_hash_);
    changed |= put(claim.meta.annotations, kClassHashVersion, kHashVersion);
  }
  return changed;
}

std::optional<Drift> DriftCheck::hashes(const api::NodeClaim& claim) const {
  if (hash_moved(claim.meta.annotations, pool_.meta.annotations, pool_hash_, kPoolHash,
                 kPoolHashVersion)) {
    return Drift{kStatic, fmt::format("the template of pool {} has changed", pool_.meta.name)};
  }
  if (node_class_ != nullptr && hash_moved(claim.meta.annotations, node_class_->meta.annotations,
                                           class_hash_, kClassHash, kClassHashVersion)) {
    return Drift{kClass, fmt::format("node class {} has changed", node_class_->meta.name)};
  }
  return std::nullopt;
}

// A label that the claim does not carry is looked up in its type; one that neither has is judged
// only where the provider would have set it.
std::optional<Drift> DriftCheck::requirements(const api::NodeClaim& claim,
                                              const catalog::InstanceType* type) const {
  for (const auto& [key, wanted] : requirements_) {
    const std::string* value = find(claim.meta.labels, key);
    bool met = true;
    if (value != nullptr) {
      met = wanted.has(*value);
    } else if (type != nullptr && type->requirements.has(key)) {
      met = wanted.intersects(type->requirements.get(key));
    } else if (type != nullptr && api::is_well_known_label(key)) {
      met = allows_absence(wanted);
    }
    if (met) continue;
    return Drift{kRequirements, fmt::format("pool {} wants {} {}, and the claim has {}",
                                            pool_.meta.name, key, wanted.to_string(),
                                            value == nullptr ? "another" : "\"" + *value + "\"")};
  }
  return std::nullopt;
}

std::optional<Drift> DriftCheck::node_class(const api::NodeClaim& claim) const {
  if (node_class_ == nullptr) return std::nullopt;
  const std::vector<std::string>& images = node_class_->ami_ids;
  if (!claim.image_id.empty() && !images.empty() &&
      std::ranges::find(images, claim.image_id) == images.end()) {
    return Drift{kImage, fmt::format("image {} is not among the node class' [{}]", claim.image_id,
                                     join(images, " "))};
  }
  const std::string* reservation = find(claim.meta.labels, api::kReservationIdLabel);
  if (claim.capacity_type() == api::kReserved && reservation != nullptr &&
      std::ranges::none_of(node_class_->reservations,
                           [&](const auto& held) { return held.id == *reservation; })) {
    return Drift{kReservation,
                 fmt::format("capacity reservation {} is not among the node class'", *reservation)};
  }
  return std::nullopt;
}

std::optional<Drift> DriftCheck::instance_type(const api::NodeClaim& claim,
                                               const catalog::InstanceType* type,
                                               Instant now) const {
  const std::string name = claim.instance_type();
  if (types_ == nullptr || name.empty() || now - claim.meta.created < kTypeGrace) {
    return std::nullopt;
  }
  if (type == nullptr) {
    return Drift{kType, fmt::format("instance type {} is not on offer any more", name)};
  }
  const std::string zone = claim.zone();
  const std::string capacity_type = claim.capacity_type();
  const bool offered = std::ranges::any_of(type->offerings, [&](const catalog::Offering& offer) {
    return (zone.empty() || offer.zone == zone) &&
           (capacity_type.empty() || offer.capacity_type == capacity_type);
  });
  if (offered) return std::nullopt;
  return Drift{kType, fmt::format("instance type {} is not on offer any more in {} as {}", name,
                                  zone.empty() ? "any zone" : zone,
                                  capacity_type.empty() ? "any capacity type" : capacity_type)};
}

}  // namespace windlass::disruption

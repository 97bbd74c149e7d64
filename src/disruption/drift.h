// Whether a NodeClaim still is what its pool and node class would make today (karpenter.md 4.7):
// static fields by hash, the pool's requirements, the instance type's being on offer, the image.
// Pure; made once a pool and asked for each of its claims.
//
// Worth knowing:
// - Karpenter's hash is a Go library's, so Windlass writes one of its own under the same
// annotations
//   with a version of its own. Whoever finds another version than its own rewrites, and calls
//   nothing drifted for it; a cluster can change hands either way.
// - Where pool and claim both carry the same foreign version, their values are compared as written.
// - weight, limits and everything under disruption never drift.
// - Subnets and security groups are the instance's and not known here; a Drifted condition that
//   gives such a reason is taken at its word by the caller.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/karpenter.h"
#include "base/time.h"
#include "catalog/catalog.h"

namespace windlass::disruption {

inline constexpr std::string_view kPoolHash = "karpenter.sh/nodepool-hash";
inline constexpr std::string_view kPoolHashVersion = "karpenter.sh/nodepool-hash-version";
inline constexpr std::string_view kClassHash = "karpenter.k8s.aws/ec2nodeclass-hash";
inline constexpr std::string_view kClassHashVersion = "karpenter.k8s.aws/ec2nodeclass-hash-version";
inline constexpr std::string_view kHashVersion = "windlass-v1";

// 16 hex digits over spec.template minus requirements (karpenter.md 1.1): lists count as sets,
// absent fields as absent, so neither order nor repetition drifts.
std::string template_hash(const api::NodePool& pool);
// The same over the node class' spec, minus the selector terms: what those choose is compared
// itself.
std::string node_class_hash(const api::Ec2NodeClass& node_class);

// Changes when something of the pool does that a DriftCheck looks at: not with its status.
uint64_t drift_version(const api::NodePool& pool);

struct Drift {
  std::string_view reason;  // NodePoolDrifted, NodeClassDrift, RequirementsDrifted, ...
  std::string why;          // "image ami-1 is not among the node class' [ami-2]"
};

// Whether a Drifted condition with this reason is one that DriftCheck gives, and so may take back.
bool is_own_drift_reason(std::string_view reason);

class DriftCheck {
 public:
  // Keeps the pointers. `node_class` and `types` may be null: nothing is said of what they hold.
  DriftCheck(const api::NodePool& pool, const api::Ec2NodeClass* node_class,
             const catalog::Catalog* types);

  // The first of: static fields, node class, requirements, image, reservation, instance type (after
  // the claim's first hour).
  [[nodiscard]] std::optional<Drift> look(const api::NodeClaim& claim, Instant now) const;

  // Puts this version's hashes on a claim that carries none, or those of another version. Whether
  // anything changed.
  bool stamp(api::NodeClaim& claim) const;

 private:
  [[nodiscard]] std::optional<Drift> hashes(const api::NodeClaim& claim) const;
  [[nodiscard]] std::optional<Drift> requirements(const api::NodeClaim& claim,
                                                  const catalog::InstanceType* type) const;
  [[nodiscard]] std::optional<Drift> node_class(const api::NodeClaim& claim) const;
  [[nodiscard]] std::optional<Drift> instance_type(const api::NodeClaim& claim,
                                                   const catalog::InstanceType* type,
                                                   Instant now) const;

  const api::NodePool& pool_;
  const api::Ec2NodeClass* node_class_;
  const catalog::Catalog* types_;
  std::string pool_hash_;
  std::string class_hash_;
  api::Requirements requirements_;
};

}  // namespace windlass::disruption

// Which resources are served: the built-in table and what CRDs add at run time. Everything else
// here asks the registry and knows no kind by name, but for what is particular (eviction, scale,
// ...). Internal to this room.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "server/kinds/kind_rules.h"
#include "server/schema/schema.h"

namespace windlass::server::rest {

// Where a kind keeps what autoscaling/v1 Scale shows, as CRDs write it: ".spec.replicas".
struct ScalePaths {
  std::string spec_replicas = ".spec.replicas";
  std::string status_replicas = ".status.replicas";
  std::string selector = ".spec.selector";  // a LabelSelector, a map or a string
};

struct Version {
  std::string name;                      // "v1"
  const schema::Shape* shape = nullptr;  // null: any object is taken as it is
  std::shared_ptr<const schema::CrdShape> owned_shape;
  kinds::Table table;
  bool served = true;
};

struct Resource {
  std::string group;
  std::string plural;
  std::string singular;
  std::string kind;
  std::string list_kind;
  std::vector<std::string> short_names;
  std::vector<std::string> categories;
  bool namespaced = true;
  std::vector<Version> versions;  // the preferred one first
  bool status = false;
  std::optional<ScalePaths> scale;
  std::vector<std::string> other_subresources;  // "eviction", "binding", ...
  bool virtual_only = false;                    // reviews: created and answered, never stored
  bool custom = false;                          // of a CRD
  std::vector<std::pair<std::string, std::string>> selectable;  // CRD: ("spec.color", same path)
  // Documents: where and in which version they are stored.
  std::string store_name;  // ObjectKey::resource
  std::string storage_api_version;

  [[nodiscard]] const Version* version(std::string_view name) const;  // served ones
  // The version documents are stored in; null for resources stored as another's (events.k8s.io).
  [[nodiscard]] const Version* storage() const;
  [[nodiscard]] bool has_subresource(std::string_view name) const;
};
using ResourcePtr = std::shared_ptr<const Resource>;

inline std::string api_version(std::string_view group, std::string_view version) {
  return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}
inline std::string store_name(std::string_view group, std::string_view plural) {
  return group.empty() ? std::string(plural) : std::string(plural) + "." + std::string(group);
}

class Registry {
 public:
  Registry();

  [[nodiscard]] ResourcePtr find(std::string_view group, std::string_view plural) const;
  [[nodiscard]] ResourcePtr by_kind(std::string_view group, std::string_view kind) const;
  [[nodiscard]] ResourcePtr by_store_name(std::string_view store_name) const;
  // By group and plural, in order.
  [[nodiscard]] const std::map<std::pair<std::string, std::string>, ResourcePtr>& all() const {
    return resources_;
  }
  // Group-versions with something served: core first, built-in groups in their order, then CRDs'
  // sorted; a group's versions from the preferred down.
  [[nodiscard]] std::vector<std::pair<std::string, std::vector<std::string>>> groups() const;
  [[nodiscard]] bool serves(std::string_view group, std::string_view version) const;

  // Takes a CRD (its Established condition is the caller's) or replaces it. Error: its schema is
  // not structural.
  Status set_crd(const Json& crd);
  void remove_crd(std::string_view group, std::string_view plural);
  // Counts up with every change: what is derived from the registry is stale when it differs.
  [[nodiscard]] uint64_t generation() const { return generation_; }

 private:
  std::map<std::pair<std::string, std::string>, ResourcePtr> resources_;
  std::map<std::string, ResourcePtr, std::less<>> by_store_name_;
  uint64_t generation_ = 1;
};

// Orders versions as Kubernetes does: v2 before v1 before v1beta2 before v1alpha1.
bool version_before(std::string_view a, std::string_view b);

}  // namespace windlass::server::rest

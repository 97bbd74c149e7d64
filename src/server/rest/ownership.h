// Who owns whom, by uid: kept up with every change so that garbage collection asks no list. A
// superset: nested templates' owner references may be in it, so callers look at the object itself.
// Internal to this room.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cluster/object_store.h"

namespace windlass::server::rest {

class Ownership {
 public:
  void see(const cluster::StoreEvent& event);
  // Those whose document names the uid as an owner, in order.
  [[nodiscard]] std::vector<cluster::ObjectKey> dependents(const std::string& uid) const;
  [[nodiscard]] std::optional<cluster::ObjectKey> object_of(const std::string& uid) const;

 private:
  void add(const cluster::Document& document);
  void remove(const cluster::Document& document);

  std::unordered_map<std::string, cluster::ObjectKey> objects_;
  std::map<std::string, std::set<cluster::ObjectKey>> dependents_;
};

// The uids in all "ownerReferences" of a compact document.
std::vector<std::string> owner_uids(std::string_view json);

}  // namespace windlass::server::rest

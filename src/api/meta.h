// What every Kubernetes object carries, and how objects are named.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"

namespace windlass::api {

// Found in by string_view, too.
using StringMap = std::map<std::string, std::string, std::less<>>;

struct OwnerReference {
  std::string api_version;
  std::string kind;
  std::string name;
  std::string uid;
  bool controller = false;
  bool operator==(const OwnerReference&) const = default;
};

struct ObjectMeta {
  std::string name;
  std::string namespace_name;  // empty for cluster-scoped kinds
  std::string uid;
  StringMap labels;
  StringMap annotations;
  std::vector<OwnerReference> owners;
  std::vector<std::string> finalizers;
  Instant created{};
  std::optional<Instant> deleted;  // deletionTimestamp
  int64_t generation = 0;
  uint64_t resource_version = 0;

  // "namespace/name", or "name" without a namespace. The key of every table in cluster/.
  [[nodiscard]] std::string key() const {
    return namespace_name.empty() ? name : namespace_name + "/" + name;
  }
};

// The object as it was read, so that fields Windlass doesn't know survive a write: encode() starts
// from it and puts the typed fields on top. Null for objects made here.
using RawObject = std::shared_ptr<const Json>;

struct Condition {
  std::string type;
  std::string status;  // True, False, Unknown
  std::string reason;
  std::string message;
  Instant changed{};  // lastTransitionTime
  bool operator==(const Condition&) const = default;
};

// Sets a condition; `changed` moves only when the status does. Returns whether anything changed.
bool set_condition(std::vector<Condition>& conditions, Condition condition);
const Condition* find_condition(const std::vector<Condition>& conditions, std::string_view type);
bool is_true(const std::vector<Condition>& conditions, std::string_view type);

}  // namespace windlass::api

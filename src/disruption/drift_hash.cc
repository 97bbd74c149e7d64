// The structural hashes of drift.h.
#include <algorithm>
#include <vector>

#include <nlohmann/json.hpp>

#include "api/object.h"
#include "base/hash.h"
#include "disruption/drift.h"

namespace windlass::disruption {
namespace {

// A list as a set: order and repetition play no part.
void add_set(Hash64& hash, std::string_view name, std::vector<std::string> items) {
  if (items.empty()) return;
  std::ranges::sort(items);
  items.erase(std::unique(items.begin(), items.end()), items.end());
  hash.add(name);
  hash.add(static_cast<uint64_t>(items.size()));
  for (const std::string& item : items) hash.add(item);
}

void add_map(Hash64& hash, std::string_view name, const api::StringMap& map) {
  if (map.empty()) return;
  hash.add(name);
  hash.add(static_cast<uint64_t>(map.size()));
  for (const auto& [key, value] : map) {
    hash.add(key);
    hash.add(value);
  }
}

std::vector<std::string> texts(const std::vector<api::Taint>& taints) {
  std::vector<std::string> out;
  for (const api::Taint& taint : taints) out.push_back(api::to_string(taint));
  return out;
}

bool is_zero(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return true;
    case Json::value_t::boolean:
      return !value.get<bool>();
    case Json::value_t::string:
      return value.get_ref<const std::string&>().empty();
    case Json::value_t::array:
    case Json::value_t::object:
      return value.empty();
    default:
      return value == 0;
  }
}

uint64_t structural(const Json& value) {
  Hash64 hash;
  if (value.is_object()) {
    for (const auto& [key, part] : value.items()) {  // sorted by key
      if (is_zero(part)) continue;
      hash.add(key);
      hash.add(structural(part));
    }
  } else if (value.is_array()) {
    std::vector<uint64_t> parts;
    for (const Json& part : value) parts.push_back(structural(part));
    std::ranges::sort(parts);
    parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
    for (const uint64_t part : parts) hash.add(part);
  } else {
    hash.add(value.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return hash.value();
}

}  // namespace

std::string template_hash(const api::NodePool& pool) {
  Hash64 hash;
  add_map(hash, "labels", pool.labels);
  add_map(hash, "annotations", pool.annotations);
  add_set(hash, "taints", texts(pool.taints));
  add_set(hash, "startupTaints", texts(pool.startup_taints));
  hash.add(pool.node_class.group);
  hash.add(pool.node_class.kind);
  hash.add(pool.node_class.name);
  if (pool.termination_grace) {
    hash.add("terminationGracePeriod");
    hash.add(pool.termination_grace->ns);
  }
  hash.add("expireAfter");
  if (pool.expire_after) {
    hash.add(pool.expire_after->ns);
  } else {
    hash.add("Never");
  }
  return hash.hex();
}

std::string node_class_hash(const api::Ec2NodeClass& node_class) {
  const Json whole = api::encode(node_class);
  Json spec = whole.value("spec", Json::object());
  for (const char* chosen : {"amiFamily", "amiSelectorTerms", "subnetSelectorTerms",
                             "securityGroupSelectorTerms", "capacityReservationSelectorTerms"}) {
    spec.erase(chosen);
  }
  Hash64 hash;
  hash.add(node_class.ami_family);  // an alias names it, too
  hash.add(structural(spec));
  return hash.hex();
}

}  // namespace windlass::disruption

#include "live/run/three_way.h"

#include <algorithm>
#include <array>
#include <string>

#include <nlohmann/json.hpp>

namespace windlass::live {
namespace {

// What makes a list's element the one it is.
std::string identity(const Json& element) {
  if (!element.is_object()) return element.dump();
  static constexpr std::array<std::array<const char*, 2>, 4> kKeys{
      {{"type", ""}, {"key", "effect"}, {"uid", ""}, {"name", ""}}};
  for (const auto& [first, second] : kKeys) {
    const auto it = element.find(first);
    if (it == element.end()) continue;
    std::string id = std::string(first) + "=" + it->dump();
    if (*second != '\0') id += element.value(second, Json()).dump();
    return id;
  }
  return element.dump();
}

const Json* find_same(const Json& list, const std::string& id) {
  const auto it =
      std::find_if(list.begin(), list.end(), [&](const Json& e) { return identity(e) == id; });
  return it == list.end() ? nullptr : &*it;
}

const Json kNothing;

Json merged_list(const Json& fresh, const Json& seen, const Json& wanted) {
  if (!fresh.is_array()) return wanted;
  Json out = Json::array();
  for (const Json& element : wanted) {
    const std::string id = identity(element);
    const Json* now = find_same(fresh, id);
    const Json* before = seen.is_array() ? find_same(seen, id) : nullptr;
    // One that somebody else took away and that we did not touch stays away.
    if (now == nullptr && before != nullptr && *before == element) continue;
    out.push_back(now == nullptr
                      ? element
                      : three_way(*now, before == nullptr ? kNothing : *before, element));
  }
  for (const Json& element : fresh) {
    const std::string id = identity(element);
    const bool known = seen.is_array() && find_same(seen, id) != nullptr;
    if (!known && find_same(wanted, id) == nullptr) out.push_back(element);
  }
  return out;
}

}  // namespace

Json three_way(const Json& fresh, const Json& seen, const Json& wanted) {
  if (seen == wanted) return fresh;
  if (wanted.is_array()) return merged_list(fresh, seen, wanted);
  if (!wanted.is_object()) return wanted;
  Json out = fresh.is_object() ? fresh : Json::object();
  for (const auto& [key, value] : wanted.items()) {
    const auto before = seen.is_object() ? seen.find(key) : seen.end();
    const Json& was = seen.is_object() && before != seen.end() ? *before : kNothing;
    if (!was.is_null() && was == value) continue;
    const auto now = out.find(key);
    Json merged = three_way(now == out.end() ? kNothing : *now, was, value);
    out[key] = std::move(merged);
  }
  if (seen.is_object()) {
    for (const auto& [key, value] : seen.items()) {
      if (!wanted.contains(key)) out.erase(key);
    }
  }
  return out;
}

Json merge_patch_of(const Json& from, const Json& to) {
  Json patch = Json::object();
  for (const auto& [key, value] : to.items()) {
    const auto before = from.find(key);
    if (before == from.end()) {
      // A merge patch cannot say null; a field that is null says nothing anyway.
      if (!value.is_null()) patch[key] = value;
      continue;
    }
    if (*before == value) continue;
    patch[key] = before->is_object() && value.is_object() ? merge_patch_of(*before, value) : value;
  }
  for (const auto& [key, value] : from.items()) {
    if (!to.contains(key)) patch[key] = nullptr;
  }
  return patch;
}

bool replaces_a_list(const Json& patch) {
  if (patch.is_array()) return true;
  return patch.is_object() && std::any_of(patch.begin(), patch.end(),
                                          [](const Json& value) { return replaces_a_list(value); });
}

}  // namespace windlass::live

// Reading JSON that may have any form: what is absent or of another type reads as nothing. Internal
// to this room; .cc files only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace windlass::server::rest {

inline const Json& null_json() {
  static const Json null;
  return null;
}
// The member, or null.
inline const Json& at(const Json& object, std::string_view key) {
  if (!object.is_object()) return null_json();
  const auto found = object.find(key);
  return found == object.end() ? null_json() : *found;
}
template <typename... Rest>
const Json& at(const Json& object, std::string_view key, Rest... rest) {
  return at(at(object, key), rest...);
}
inline std::string text_at(const Json& object, std::string_view key) {
  const Json& value = at(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}
inline std::optional<int64_t> integer_at(const Json& object, std::string_view key) {
  const Json& value = at(object, key);
  if (!value.is_number_integer()) return std::nullopt;
  return value.get<int64_t>();
}
inline bool flag_at(const Json& object, std::string_view key) {
  const Json& value = at(object, key);
  return value.is_boolean() && value.get<bool>();
}
// The member as an object, made if it is absent or something else.
inline Json& make_object(Json& object, std::string_view key) {
  Json& member = object[std::string(key)];
  if (!member.is_object()) member = Json::object();
  return member;
}
// The value at a simple path ".spec.replicas" (a leading dot is optional), or null.
inline const Json& at_path(const Json& object, std::string_view path) {
  const Json* value = &object;
  while (!path.empty()) {
    if (path.front() == '.') path.remove_prefix(1);
    const size_t end = std::min(path.find('.'), path.size());
    value = &at(*value, path.substr(0, end));
    path.remove_prefix(end);
  }
  return *value;
}
// Sets it, making objects on the way.
inline void set_path(Json& object, std::string_view path, Json to) {
  Json* value = &object;
  while (!path.empty()) {
    if (path.front() == '.') path.remove_prefix(1);
    const size_t end = std::min(path.find('.'), path.size());
    if (!value->is_object()) *value = Json::object();
    value = &(*value)[std::string(path.substr(0, end))];
    path.remove_prefix(end);
  }
  *value = std::move(to);
}

}  // namespace windlass::server::rest

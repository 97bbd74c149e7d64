// Private to this room: takes values out of what simdjson read, as long as it looks the way API
// servers write objects. Anything else (another type, a null in a list, a key twice, what a check
// of the API would refuse) makes it refuse the whole document, and api::decode, which knows what to
// say of it, reads it instead. So there is one set of rules and of messages, and the fast way only
// has to know what is plainly right.
#pragma once

#include <array>
#include <optional>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <vector>

#include "api/meta.h"
#include "api/resources.h"

namespace windlass::live::kube {

// Absent (or null, which reads alike) or a value.
using Plain = std::optional<simdjson::dom::element>;

class PlainJson {
 public:
  [[nodiscard]] bool ok() const { return ok_; }
  void refuse() { ok_ = false; }

  // The named fields of a map, in the order of the names; all absent where the map is.
  template <size_t N>
  std::array<Plain, N> fields(const Plain& map, const std::array<std::string_view, N>& names);
  // Calls `each(Plain)` for the elements of a list, none of which is null.
  template <typename Each>
  void items(const Plain& list, Each each);
  // Calls `each(key, Plain)` for the fields of a map.
  template <typename Each>
  void entries(const Plain& map, Each each);

  // Views are valid until the next document is read.
  std::optional<std::string_view> string(const Plain& value);
  std::string text(const Plain& value) { return std::string(string(value).value_or("")); }
  std::string_view required_string(const Plain& value);
  bool boolean(const Plain& value);  // absent: false
  std::optional<int64_t> integer(const Plain& value, int64_t low, int64_t high);
  std::optional<Instant> time(const Plain& value);
  std::vector<std::string> strings(const Plain& list);
  api::StringMap string_map(const Plain& map);
  api::StringMap labels(const Plain& map);
  api::ResourceList resources(const Plain& map);
  // A label's key where beta names become stable ones: those are left to api::decode.
  std::string label_key(std::string_view key);
  // Refuses a value that is not one of them.
  std::string_view one_of(const Plain& value, std::string_view absent,
                          std::initializer_list<std::string_view> accepted);

 private:
  bool ok_ = true;
};

template <size_t N>
std::array<Plain, N> PlainJson::fields(const Plain& map,
                                       const std::array<std::string_view, N>& names) {
  std::array<Plain, N> out;
  std::array<bool, N> had{};
  if (!map) return out;
  simdjson::dom::object object;
  if (map->get_object().get(object) != simdjson::SUCCESS) {
    refuse();
    return out;
  }
  for (const auto field : object) {
    for (size_t i = 0; i < N; ++i) {
      if (field.key != names[i]) continue;
      // Of a key that stands there twice, readers differ in which they take.
      if (had[i]) refuse();
      had[i] = true;
      if (!field.value.is_null()) out[i] = field.value;
      break;
    }
  }
  return out;
}

template <typename Each>
void PlainJson::items(const Plain& list, Each each) {
  if (!list) return;
  simdjson::dom::array array;
  if (list->get_array().get(array) != simdjson::SUCCESS) return refuse();
  for (const simdjson::dom::element item : array) {
    if (item.is_null()) return refuse();
    each(Plain(item));
  }
}

template <typename Each>
void PlainJson::entries(const Plain& map, Each each) {
  if (!map) return;
  simdjson::dom::object object;
  if (map->get_object().get(object) != simdjson::SUCCESS) return refuse();
  for (const auto field : object) {
    each(field.key, field.value.is_null() ? Plain() : Plain(field.value));
  }
}

// The document; nullopt where simdjson can't read it, or would read it otherwise than parse_json.
// It is valid until the next call on this thread.
Plain parse_plain(std::string_view json);
// metadata of a kind with or without namespaces.
api::ObjectMeta plain_meta(PlainJson& json, const Plain& meta, bool namespaced);

// One of status.conditions; the views as of PlainJson.
struct PlainCondition {
  std::string_view type, status, reason, message;
  Instant changed{};
};
PlainCondition plain_condition(PlainJson& json, const Plain& item);

}  // namespace windlass::live::kube

// Private to this room: puts typed values over the JSON an object was read from, so that fields
// nobody here knows, and spellings that mean the same ("1000m" for 1), stay as they were.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "api/meta.h"
#include "api/resources.h"
#include "base/quantity.h"

namespace windlass::api {

// Every put leaves an absent field absent if the value is what absence means, and removes a field
// that says something else then.
void put_string(Json& parent, const char* key, const std::string& value,
                std::string_view absent_means = "");
void put_int(Json& parent, const char* key, int64_t value, std::optional<int64_t> absent_means);
void put_int(Json& parent, const char* key, const std::optional<int32_t>& value);
void put_bool(Json& parent, const char* key, bool value, bool absent_means);
void put_seconds(Json& parent, const char* key, Duration value,
                 std::optional<Duration> absent_means);
void put_time(Json& parent, const char* key, const std::optional<Instant>& value);
void put_quantity(Json& parent, const char* key, const Quantity& value);
void put_resources(Json& parent, const char* key, const ResourceList& value);
void put_string_map(Json& parent, const char* key, const StringMap& value);
void put_strings(Json& parent, const char* key, const std::vector<std::string>& value);
// Karpenter's durations: nullopt is written as `none` ("Never"), or not at all if that is empty.
void put_duration(Json& parent, const char* key, const std::optional<Duration>& value,
                  const std::optional<Duration>& absent_means, std::string_view none);

// Lets `fill` write into the map at `key`; a map that was absent and stays empty is not made.
template <typename Fill>
void within(Json& parent, const char* key, Fill fill) {
  const auto found = parent.find(key);
  const bool was_there = found != parent.end();
  Json child = was_there && found->is_object() ? std::move(*found) : Json::object();
  fill(child);
  if (!child.empty() || was_there) parent[key] = std::move(child);
}

// Moves out of `old` the element whose `identity` is equal, the one at `index` if that is, or gives
// an empty map.
Json take_matching(Json& old, size_t index, const char* identity, const Json& fresh);

// A list of maps. `fill(Json& element, const T& item)` writes an item over the element it was read
// from, which is the one with the same field `identity`.
template <typename T, typename Fill>
void put_each(Json& parent, const char* key, const std::vector<T>& items, const char* identity,
              Fill fill) {
  const auto found = parent.find(key);
  const bool was_there = found != parent.end();
  if (items.empty() && !was_there) return;
  Json old = was_there && found->is_array() ? std::move(*found) : Json::array();
  Json list = Json::array();
  for (size_t i = 0; i < items.size(); ++i) {
    Json fresh = Json::object();
    fill(fresh, items[i]);
    Json element = take_matching(old, i, identity, fresh);
    fill(element, items[i]);
    list.push_back(std::move(element));
  }
  parent[key] = std::move(list);
}

}  // namespace windlass::api

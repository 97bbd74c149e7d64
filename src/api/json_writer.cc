#include "api/json_writer.h"

#include "base/time.h"

namespace windlass::api {
namespace {

const Json* field_of(const Json& parent, const char* key) {
  const auto found = parent.find(key);
  return found == parent.end() || found->is_null() ? nullptr : &*found;
}

// YAML gives small amounts as numbers.
std::optional<Quantity> quantity_of(const Json& value) {
  if (!value.is_string() && !value.is_number()) return std::nullopt;
  const auto parsed =
      Quantity::parse(value.is_string() ? value.get_ref<const std::string&>() : value.dump());
  if (!parsed.ok()) return std::nullopt;
  return *parsed;
}

// An absent value stays absent, an equal one as it is spelled.
template <typename T, typename Same>
void put(Json& parent, const char* key, T value, bool means_absent, Same same) {
  const Json* old = field_of(parent, key);
  if (old != nullptr && same(*old)) return;
  if (means_absent) {
    parent.erase(key);
  } else {
    parent[key] = std::move(value);
  }
}

bool same_duration(const Json& old, Duration value) {
  if (!old.is_string()) return false;
  const auto parsed = parse_duration(old.get_ref<const std::string&>());
  return parsed.ok() && *parsed == value;
}

}  // namespace

void put_string(Json& parent, const char* key, const std::string& value,
                std::string_view absent_means) {
  put(parent, key, value, value == absent_means, [&](const Json& old) { return old == value; });
}

void put_int(Json& parent, const char* key, int64_t value, std::optional<int64_t> absent_means) {
  put(parent, key, value, value == absent_means, [&](const Json& old) { return old == value; });
}

void put_int(Json& parent, const char* key, const std::optional<int32_t>& value) {
  if (value) {
    put_int(parent, key, *value, std::nullopt);
  } else {
    parent.erase(key);
  }
}

void put_bool(Json& parent, const char* key, bool value, bool absent_means) {
  put(parent, key, value, value == absent_means, [&](const Json& old) { return old == value; });
}

void put_seconds(Json& parent, const char* key, Duration value,
                 std::optional<Duration> absent_means) {
  std::optional<int64_t> absent;
  if (absent_means) absent = absent_means->ns / seconds(1).ns;
  put_int(parent, key, value.ns / seconds(1).ns, absent);
}

void put_time(Json& parent, const char* key, const std::optional<Instant>& value) {
  put(parent, key, value ? to_rfc3339(*value) : "", !value.has_value(), [&](const Json& old) {
    if (!value || !old.is_string()) return false;
    const auto parsed = parse_rfc3339(old.get_ref<const std::string&>());
    return parsed.ok() && *parsed == *value;
  });
}

void put_quantity(Json& parent, const char* key, const Quantity& value) {
  put(parent, key, value.to_string(), false,
      [&](const Json& old) { return quantity_of(old) == value; });
}

// ResourceList keeps amounts, not spellings: an amount that did not change is written as it was
// ("1Gi" and not 1073741824).
void put_resources(Json& parent, const char* key, const ResourceList& value) {
  const auto found = parent.find(key);
  const bool was_there = found != parent.end();
  if (value.empty() && !was_there) return;
  const Json old = was_there && found->is_object() ? std::move(*found) : Json::object();
  Json out = Json::object();
  for (const auto& [name, milli] : value) {
    const Json* spelled = field_of(old, name.c_str());
    const auto amount = spelled == nullptr ? std::nullopt : quantity_of(*spelled);
    const bool same = amount && amount->milli() == milli;
    out[name] = same ? *spelled : Json(Quantity::from_milli(milli).to_string());
  }
  parent[key] = std::move(out);
}

void put_string_map(Json& parent, const char* key, const StringMap& value) {
  if (value.empty() && !parent.contains(key)) return;
  parent[key] = value;
}

void put_strings(Json& parent, const char* key, const std::vector<std::string>& value) {
  if (value.empty() && !parent.contains(key)) return;
  parent[key] = value;
}

void put_duration(Json& parent, const char* key, const std::optional<Duration>& value,
                  const std::optional<Duration>& absent_means, std::string_view none) {
  const std::string text = value ? to_string(*value) : std::string(none);
  const bool means_absent = value == absent_means || text.empty();
  put(parent, key, text, means_absent,
      [&](const Json& old) { return old == text || (value && same_duration(old, *value)); });
}

// Lists seldom change their order, so the same place is tried first: that keeps long ones linear.
Json take_matching(Json& old, size_t index, const char* identity, const Json& fresh) {
  const auto same = [&](const Json& element) {
    if (!element.is_object()) return false;
    const Json* a = field_of(element, identity);
    const Json* b = field_of(fresh, identity);
    return a == nullptr || b == nullptr ? a == b : *a == *b;
  };
  const auto take = [](Json& element) {
    Json out = std::move(element);
    element = nullptr;
    return out;
  };
  if (index < old.size() && same(old[index])) return take(old[index]);
  for (Json& element : old) {
    if (same(element)) return take(element);
  }
  return Json::object();
}

}  // namespace windlass::api

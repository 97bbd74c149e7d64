#include "server/kinds/faults.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "server/kinds/fields.h"

namespace windlass::server::kinds {
namespace {

std::string shown_value(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string index(std::string_view path, size_t i) {
  return std::string(path) + "[" + std::to_string(i) + "]";
}

std::string key(std::string_view path, std::string_view name) {
  return std::string(path) + "[" + std::string(name) + "]";
}

void Faults::add(std::string_view reason, std::string field, std::string message,
                 std::string_view detail) {
  if (!detail.empty()) message += ": " + std::string(detail);
  found_.push_back({std::string(reason), std::move(field), std::move(message)});
}

void Faults::required(std::string field, std::string_view detail) {
  add("FieldValueRequired", std::move(field), "Required value", detail);
}

void Faults::invalid(std::string field, const Json& value, std::string_view detail) {
  add("FieldValueInvalid", std::move(field), "Invalid value: " + shown_value(value), detail);
}

void Faults::not_supported(std::string field, const Json& value,
                           const std::vector<std::string_view>& supported) {
  std::string list;
  for (const std::string_view one : supported) {
    list += list.empty() ? "supported values: " : ", ";
    list += "\"" + std::string(one) + "\"";
  }
  add("FieldValueNotSupported", std::move(field), "Unsupported value: " + shown_value(value), list);
}

void Faults::forbidden(std::string field, std::string_view detail) {
  add("FieldValueForbidden", std::move(field), "Forbidden", detail);
}

void Faults::duplicate(std::string field, const Json& value) {
  add("FieldValueDuplicate", std::move(field), "Duplicate value: " + shown_value(value), {});
}

void Faults::not_found(std::string field, const Json& value) {
  add("FieldValueNotFound", std::move(field), "Not found: " + shown_value(value), {});
}

void Faults::too_long(std::string field, size_t bytes_max) {
  add("FieldValueTooLong", std::move(field), "Too long",
      "may not be more than " + std::to_string(bytes_max) + " bytes");
}

void Faults::non_negative(std::string field, const Json& value) {
  if (value.is_number() && whole(value) < 0) {
    invalid(std::move(field), value, "must be greater than or equal to 0");
  }
}

void Faults::one_of(std::string field, const Json& value,
                    const std::vector<std::string_view>& supported) {
  if (value.is_null()) return;
  const bool known = std::any_of(supported.begin(), supported.end(),
                                 [&](std::string_view one) { return value == one; });
  if (!known) not_supported(std::move(field), value, supported);
}

void Faults::check(std::string field, const Json& value, std::string_view message) {
  if (!message.empty()) invalid(std::move(field), value, message);
}

void Faults::immutable(std::string field, const Json& before, const Json& after) {
  if (!same(before, after)) invalid(std::move(field), after, "field is immutable");
}

}  // namespace windlass::server::kinds

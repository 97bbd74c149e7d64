#include "server/kinds/fields.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "base/quantity.h"
#include "base/text.h"

namespace windlass::server::kinds {
namespace {

const Json& null_value() {
  static const Json value;
  return value;
}

// One requirement of a selector in the words of `kubectl -l`.
std::string requirement_text(const Json& expression) {
  const std::string key = text(at(expression, "key"));
  const std::string op = text(at(expression, "operator"));
  if (op == "Exists") return key;
  if (op == "DoesNotExist") return "!" + key;
  std::vector<std::string> values;
  for (const Json& value : items(at(expression, "values"))) values.push_back(text(value));
  std::sort(values.begin(), values.end());
  return key + (op == "In" ? " in (" : " notin (") + join(values, ",") + ")";
}

bool requirement_holds(const Json& expression, const Json& labels) {
  const std::string op = text(at(expression, "operator"));
  const Json& label = at(labels, text(at(expression, "key")));
  const bool present = label.is_string();
  if (op == "Exists") return present;
  if (op == "DoesNotExist") return !present;
  const Json& values = items(at(expression, "values"));
  const bool listed = present && std::find(values.begin(), values.end(), label) != values.end();
  if (op == "In") return listed;
  return op == "NotIn" && !listed;
}

}  // namespace

const Json& at(const Json& value, std::string_view key) {
  if (!value.is_object()) return null_value();
  const auto found = value.find(key);
  return found == value.end() ? null_value() : *found;
}

const Json& at(const Json& value, std::initializer_list<std::string_view> path) {
  const Json* here = &value;
  for (const std::string_view key : path) here = &at(*here, key);
  return *here;
}

const Json& items(const Json& value) {
  static const Json none = Json::array();
  return value.is_array() ? value : none;
}

const Json& members(const Json& value) {
  static const Json none = Json::object();
  return value.is_object() ? value : none;
}

std::string text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::string text_or(const Json& value, std::string_view otherwise) {
  std::string found = text(value);
  return found.empty() ? std::string(otherwise) : found;
}

std::string or_else_text(std::string text, std::string_view otherwise) {
  return text.empty() ? std::string(otherwise) : text;
}

int64_t whole(const Json& value, int64_t otherwise) {
  if (value.is_number_unsigned()) {
    const uint64_t number = value.get<uint64_t>();
    return number > static_cast<uint64_t>(INT64_MAX) ? INT64_MAX : static_cast<int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  if (!value.is_number_float()) return otherwise;
  const double number = value.get<double>();
  if (std::isnan(number)) return otherwise;
  if (number >= 9.2e18) return INT64_MAX;
  if (number <= -9.2e18) return INT64_MIN;
  return static_cast<int64_t>(number);
}

bool truth(const Json& value, bool otherwise) {
  return value.is_boolean() ? value.get<bool>() : otherwise;
}

std::string scalar_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "";
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string quantity_text(const Json& value) {
  if (value.is_null()) return "0";
  const std::string written = scalar_text(value);
  const Result<Quantity> quantity = Quantity::parse(written);
  return quantity.ok() ? quantity->to_string() : written;
}

Json& make_object(Json& value, std::string_view key) {
  if (!value.is_object()) value = Json::object();
  Json& member = value[std::string(key)];
  if (!member.is_object()) member = Json::object();
  return member;
}

void set_if_absent(Json& value, std::string_view key, const Json& otherwise) {
  if (value.is_object() && at(value, key).is_null()) value[std::string(key)] = otherwise;
}

void set_if_zero(Json& value, std::string_view key, const Json& otherwise) {
  if (!value.is_object()) return;
  const Json& now = at(value, key);
  if (now.is_null() || now == "" || now == 0) value[std::string(key)] = otherwise;
}

std::string condition(const Json& conditions, std::string_view type) {
  for (const Json& one : items(conditions)) {
    if (at(one, "type") == type) return text(at(one, "status"));
  }
  return "";
}

std::string labels_text(const Json& labels) {
  std::string all;
  for (const auto& [key, value] : members(labels).items()) {
    if (!all.empty()) all += ',';
    all += key + "=" + text(value);
  }
  return all;
}

std::string selector_text(const Json& selector) {
  std::vector<std::pair<std::string, std::string>> parts;  // by key
  for (const auto& [key, value] : members(at(selector, "matchLabels")).items()) {
    parts.emplace_back(key, key + "=" + text(value));
  }
  for (const Json& expression : items(at(selector, "matchExpressions"))) {
    parts.emplace_back(text(at(expression, "key")), requirement_text(expression));
  }
  std::stable_sort(parts.begin(), parts.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> words;
  for (auto& part : parts) words.push_back(std::move(part.second));
  return join(words, ",");
}

bool selects(const Json& selector, const Json& labels) {
  if (!selector.is_object()) return false;
  for (const auto& [key, value] : members(at(selector, "matchLabels")).items()) {
    if (at(labels, key) != value) return false;
  }
  const Json& expressions = items(at(selector, "matchExpressions"));
  return std::all_of(expressions.begin(), expressions.end(),
                     [&](const Json& expression) { return requirement_holds(expression, labels); });
}

bool same(const Json& a, const Json& b) {
  const auto nothing = [](const Json& value) {
    return value.is_null() || (value.is_structured() && value.empty());
  };
  if (nothing(a) || nothing(b)) return nothing(a) && nothing(b);
  if (a.is_array() && b.is_array()) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), same);
  }
  if (!a.is_object() || !b.is_object()) return a == b;
  for (const auto& [key, value] : a.items()) {
    if (!same(value, at(b, key))) return false;
  }
  for (const auto& [key, value] : b.items()) {
    if (!a.contains(key) && !nothing(value)) return false;
  }
  return true;
}

}  // namespace windlass::server::kinds

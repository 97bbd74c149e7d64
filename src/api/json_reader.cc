#include "api/json_reader.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/utf8.h"

namespace windlass::api {
namespace {

constexpr size_t kExcerpt = 64;

// A key that could be a struct's field stands behind a dot; others (label names, resources) in
// brackets, as in Kubernetes' own paths.
bool is_plain(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

}  // namespace

std::string describe(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return "nothing";
    case Json::value_t::object:
      return "a map";
    case Json::value_t::array:
      return "a list";
    case Json::value_t::boolean:
      return value.get<bool>() ? "the boolean true" : "the boolean false";
    case Json::value_t::string:
      return fmt::format("the string \"{}\"",
                         printable(value.get_ref<const std::string&>(), kExcerpt));
    default:
      return fmt::format("the number {}", value.dump());
  }
}

std::string ReadLog::joined_errors() const {
  std::string out;
  for (const ReadFinding& finding : errors) {
    if (!out.empty()) out += "; ";
    out += finding.path.empty() ? finding.text : finding.path + ": " + finding.text;
  }
  return out;
}

Reader::Reader(const Json& value, std::string path, ReadLog& log)
    : value_(value.is_null() ? nullptr : &value), path_(std::move(path)), log_(&log) {}

const Json& Reader::json() const {
  WL_ASSERT(present());
  return *value_;
}

void Reader::error(std::string text) const { log_->errors.push_back({path_, std::move(text)}); }
void Reader::warning(std::string text) const { log_->warnings.push_back({path_, std::move(text)}); }

void Reader::wrong_type(std::string_view accepted) const {
  error(fmt::format("found {} (accepted: {})", describe(*value_), accepted));
}

// Cut before it is compared: an enum value is never long, and the distance costs the product.
void Reader::not_one_of(const std::vector<std::string_view>& names) const {
  const std::string found = value_->get<std::string>();
  const std::string_view near = nearest_name(printable(found, kExcerpt), names);
  error(fmt::format("found \"{}\" (accepted: {}){}", printable(found, kExcerpt),
                    fmt::join(names, ", "),
                    near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
}

// Every field of a map that is none would say so; once is enough.
bool Reader::expect_map() {
  if (!present() || value_->is_object()) return present();
  if (!reported_not_a_map_) wrong_type("a map");
  reported_not_a_map_ = true;
  return false;
}

Reader Reader::child(const Json* value, std::string_view key, bool free_key) const {
  std::string path = path_;
  if (free_key && !is_plain(key)) {
    path += fmt::format("[{}]", printable(key, kExcerpt));
  } else {
    if (!path.empty()) path += '.';
    path += is_plain(key) ? std::string(key) : printable(key, kExcerpt);
  }
  return Reader(value != nullptr && value->is_null() ? nullptr : value, std::move(path), log_);
}

Reader Reader::at(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  const Json* found = nullptr;
  if (expect_map()) {
    const auto field = value_->find(key);
    if (field != value_->end()) found = &*field;
  }
  return child(found, key, false);
}

Reader Reader::required(std::string_view key) {
  Reader field = at(key);
  if (!field.present()) field.error("is missing");
  return field;
}

const Reader& Reader::must() const {
  if (!present()) error("is missing");
  return *this;
}

bool Reader::has(std::string_view key) const {
  if (!present() || !value_->is_object()) return false;
  const auto field = value_->find(key);
  return field != value_->end() && !field->is_null();
}

std::vector<Reader> Reader::items() const {
  std::vector<Reader> out;
  if (!present()) return out;
  if (!value_->is_array()) {
    wrong_type("a list");
    return out;
  }
  out.reserve(value_->size());
  for (const Json& item : *value_) {
    out.push_back(
        Reader(item.is_null() ? nullptr : &item, fmt::format("{}[{}]", path_, out.size()), log_));
  }
  return out;
}

std::vector<std::pair<std::string, Reader>> Reader::entries() const {
  std::vector<std::pair<std::string, Reader>> out;
  if (!present()) return out;
  if (!value_->is_object()) {
    wrong_type("a map");
    return out;
  }
  for (const auto& [key, value] : value_->items()) out.emplace_back(key, child(&value, key, true));
  return out;
}

std::optional<std::string> Reader::string() const {
  if (!present()) return std::nullopt;
  if (value_->is_string()) return value_->get<std::string>();
  const bool plain = value_->is_number() || value_->is_boolean();
  wrong_type(plain ? "a string; put it in quotes" : "a string");
  return std::nullopt;
}

std::optional<int64_t> Reader::integer(int64_t low, int64_t high) const {
  if (!present()) return std::nullopt;
  std::optional<int64_t> value;
  if (value_->is_number_unsigned()) {
    const auto wide = value_->get<uint64_t>();
    if (wide <= static_cast<uint64_t>(INT64_MAX)) value = static_cast<int64_t>(wide);
  } else if (value_->is_number_integer()) {
    value = value_->get<int64_t>();
  } else if (value_->is_number_float()) {
    // 8.0 is the same number as 8, and YAML readers write it so.
    const double real = value_->get<double>();
    if (std::trunc(real) == real && std::abs(real) < 9e15) value = static_cast<int64_t>(real);
  }
  if (value && *value >= low && *value <= high) return value;
  const std::string range = high == INT64_MAX || high == INT32_MAX
                                ? (low == INT64_MIN || low == INT32_MIN
                                       ? "a whole number"
                                       : fmt::format("a whole number of at least {}", low))
                                : fmt::format("a whole number from {} to {}", low, high);
  wrong_type(range);
  return std::nullopt;
}

std::optional<int32_t> Reader::int32(int32_t low, int32_t high) const {
  const auto value = integer(low, high);
  if (!value) return std::nullopt;
  return static_cast<int32_t>(*value);
}

std::optional<double> Reader::number(double low, double high) const {
  if (!present()) return std::nullopt;
  if (value_->is_number()) {
    const double value = value_->get<double>();
    if (value >= low && value <= high) return value;
  }
  if (std::isinf(high)) {
    wrong_type(std::isinf(low) ? "a number" : fmt::format("a number of at least {}", low));
  } else {
    wrong_type(fmt::format("a number from {} to {}", low, high));
  }
  return std::nullopt;
}

// Kubernetes takes no other spelling: "true" in quotes is a string.
std::optional<bool> Reader::boolean() const {
  if (!present()) return std::nullopt;
  if (value_->is_boolean()) return value_->get<bool>();
  wrong_type("true or false, without quotes");
  return std::nullopt;
}

std::optional<Duration> Reader::duration() const {
  const auto text = string();
  if (!text) return std::nullopt;
  const auto parsed = parse_duration(*text);
  if (parsed.ok() && parsed->ns >= 0) return *parsed;
  wrong_type("a duration of 0 or more, like 30s, 5m, 1h30m");
  return std::nullopt;
}

std::optional<Instant> Reader::time() const {
  const auto text = string();
  if (!text) return std::nullopt;
  const auto parsed = parse_rfc3339(*text);
  if (parsed.ok()) return *parsed;
  wrong_type("a time in RFC 3339, like 2026-03-01T00:00:00Z");
  return std::nullopt;
}

std::optional<Quantity> Reader::quantity() const {
  if (!present()) return std::nullopt;
  if (value_->is_string() || value_->is_number()) {
    const auto parsed = Quantity::parse(value_->is_string() ? value_->get_ref<const std::string&>()
                                                            : value_->dump());
    if (parsed.ok()) return *parsed;
  }
  wrong_type("a quantity: a number and an optional unit, like 4, 500m, 1.5Gi");
  return std::nullopt;
}

std::vector<std::string> Reader::strings() const {
  std::vector<std::string> out;
  for (const Reader& item : items()) {
    if (!item.present()) item.error("is null (accepted: a string)");
    if (auto text = item.string()) out.push_back(std::move(*text));
  }
  return out;
}

StringMap Reader::string_map() const {
  StringMap out;
  for (const auto& [key, value] : entries()) {
    // Go reads null as the zero value.
    if (auto text = value.present() ? value.string() : std::optional<std::string>("")) {
      out.emplace(key, std::move(*text));
    }
  }
  return out;
}

ResourceList Reader::resources() const {
  ResourceList out;
  for (const auto& [name, value] : entries()) {
    const auto amount = value.must().quantity();
    if (!amount) continue;
    if (*amount < Quantity()) {
      value.error(fmt::format("found {} (accepted: 0 or more)", amount->to_string()));
    } else {
      out.set(name, amount->milli());
    }
  }
  return out;
}

std::string Reader::required_string() const {
  if (!present()) {
    error("is missing");
    return "";
  }
  const auto text = string();
  if (text && text->empty()) error("is empty");
  return text.value_or("");
}

void Reader::allow(std::vector<std::string_view> keys) {
  known_.insert(known_.end(), keys.begin(), keys.end());
}

void Reader::report_unknown_keys(bool as_errors) const {
  if (!present() || !value_->is_object()) return;
  const std::vector<std::string_view> known(known_.begin(), known_.end());
  for (const auto& [key, value] : value_->items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    // The distance to a key of any length would cost as much as an attacker likes.
    const std::string_view near = key.size() > kExcerpt ? "" : nearest_name(key, known);
    std::string text = "unknown field";
    if (!near.empty()) text += fmt::format("; did you mean \"{}\"?", near);
    const Reader field = child(&value, key, false);
    as_errors ? field.error(std::move(text)) : field.warning(std::move(text));
  }
}

}  // namespace windlass::api

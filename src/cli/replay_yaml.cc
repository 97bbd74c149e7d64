// JSON as YAML that a person may read on and change: blocks, except for short maps of scalars.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/replay_scenario.h"

namespace windlass::cli {
namespace {

bool is_scalar(const Json& value) { return !value.is_structured() || value.empty(); }

// Quoted unless it is plainly a word; a JSON string is a YAML string as well.
std::string scalar(const Json& value) {
  if (!value.is_string()) return value.dump();
  const std::string& text = value.get_ref<const std::string&>();
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const bool plain =
      text.size() > 5 && is_letter(text.front()) && std::ranges::all_of(text, [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') ||
               std::string_view("-_./").find(c) != std::string_view::npos;
      });
  return plain ? text : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// "on", "true" and their like would be read as something else.
std::string key_text(const std::string& key) {
  std::string lower;
  bool plain = key.size() > 3;
  for (const char c : key) {
    const bool upper = c >= 'A' && c <= 'Z';
    plain = plain && (upper || (c >= 'a' && c <= 'z'));
    lower += upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  plain = plain && lower != "true" && lower != "false" && lower != "null";
  return plain ? key : Json(key).dump();
}

bool fits_on_a_line(const Json& value) {
  if (is_scalar(value)) return true;
  if (value.size() > 6) return false;
  return std::ranges::all_of(value, [](const Json& child) { return is_scalar(child); });
}

std::string on_a_line(const Json& value) {
  if (is_scalar(value)) return scalar(value);
  std::string out;
  for (const auto& [key, child] : value.items()) {
    if (!out.empty()) out += ", ";
    out += value.is_object() ? key_text(key) + ": " + scalar(child) : scalar(child);
  }
  return value.is_object() ? "{" + out + "}" : "[" + out + "]";
}

// Nesting is as deep as the models file's, which parse_json and parse_yaml bound.
void write(const Json& value, size_t indent, bool begun, std::string& out) {
  for (const auto& [key, child] : value.items()) {
    if (!begun) out.append(indent, ' ');
    begun = false;
    out += value.is_object() ? key_text(key) + ":" : "-";
    if (fits_on_a_line(child)) {
      out += " " + on_a_line(child) + "\n";
    } else if (value.is_array() && child.is_object()) {
      out += " ";
      write(child, indent + 2, true, out);
    } else {
      out += "\n";
      write(child, indent + 2, false, out);
    }
  }
}

}  // namespace

std::string yaml_text(const Json& value) {
  if (fits_on_a_line(value)) return on_a_line(value) + "\n";
  std::string out;
  write(value, 0, false, out);
  return out;
}

}  // namespace windlass::cli

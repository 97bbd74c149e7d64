#include "server/patch/field_set.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/utf8.h"

namespace windlass::server::patch {
namespace {

std::string dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A step as it is compared here: keys sorted, numbers in one spelling. None: of a kind that is not
// known. Error: of a known kind, but malformed.
Result<std::optional<std::string>> canonical_step(const std::string& step) {
  if (step.starts_with("f:") || step.starts_with("i:")) return std::optional<std::string>(step);
  const bool is_key = step.starts_with("k:");
  if (!is_key && !step.starts_with("v:")) return std::optional<std::string>();
  Result<Json> value = parse_json(std::string_view(step).substr(2));
  if (!value) return value.error().in(fmt::format("fieldsV1: \"{}\"", printable(step, 80)));
  if (is_key && !value->is_object()) {
    return Error(fmt::format("fieldsV1: \"{}\": a key is an object", printable(step, 80)));
  }
  return std::optional<std::string>(is_key ? key_step(*value) : value_step(*value));
}

std::string spelled(const std::string& step) {
  const std::string rest = step.substr(2);
  if (step.starts_with("f:")) return "." + rest;
  if (step.starts_with("v:")) return "[=" + rest + "]";
  if (step.starts_with("i:")) return "[" + rest + "]";
  const Result<Json> keys = parse_json(rest);  // made by key_step
  std::string text;
  for (const auto& [name, value] : keys->items()) {
    text += (text.empty() ? "" : ",") + name + "=" + dump(value);
  }
  return "[" + text + "]";
}

void collect(const FieldSet& set, const std::string& path, std::vector<std::string>& paths) {
  if (set.member) paths.push_back(path);
  for (const auto& [step, child] : set.children) collect(child, path + spelled(step), paths);
}

}  // namespace

const FieldSet* FieldSet::at(const std::string& step) const {
  const auto found = children.find(step);
  return found == children.end() ? nullptr : &found->second;
}

void FieldSet::adopt(const std::string& step, FieldSet child) {
  if (child.empty()) return;
  const auto [at, is_new] = children.try_emplace(step);
  at->second = is_new ? std::move(child) : unite(std::move(at->second), child);
}

FieldSet unite(FieldSet a, const FieldSet& b) {
  a.member = a.member || b.member;
  for (const auto& [step, child] : b.children) a.adopt(step, child);
  return a;
}

FieldSet intersect(const FieldSet& a, const FieldSet& b) {
  FieldSet both;
  both.member = a.member && b.member;
  for (const auto& [step, child] : a.children) {
    if (const FieldSet* other = b.at(step)) both.adopt(step, intersect(child, *other));
  }
  return both;
}

FieldSet subtract(const FieldSet& a, const FieldSet& b) {
  FieldSet rest;
  rest.member = a.member && !b.member;
  for (const auto& [step, child] : a.children) {
    const FieldSet* const other = b.at(step);
    rest.adopt(step, other == nullptr ? child : subtract(child, *other));
  }
  return rest;
}

std::string canonical_text(const Json& value) {
  if (value.is_number_float()) {
    const double number = value.get<double>();
    const bool exact = std::abs(number) < 9e15;  // beyond that a double has no units
    if (exact && number == std::trunc(number)) {
      return std::to_string(static_cast<int64_t>(number));
    }
  }
  return dump(value);
}

std::string field_step(std::string_view name) { return "f:" + std::string(name); }

std::string key_step(const Json& keys) {
  std::string text;
  for (const auto& [name, value] : keys.items()) {
    text += (text.empty() ? "" : ",") + dump(name) + ":" + canonical_text(value);
  }
  return "k:{" + text + "}";
}

std::string value_step(const Json& value) { return "v:" + canonical_text(value); }

Result<FieldSet> parse_fields(const Json& fields) {
  if (!fields.is_object()) {
    return Error(fmt::format("fieldsV1: an object was expected, not a {}", fields.type_name()));
  }
  FieldSet set;
  for (const auto& [step, below] : fields.items()) {
    if (step == ".") {
      set.member = true;
      continue;
    }
    const Result<std::optional<std::string>> canonical = canonical_step(step);
    if (!canonical) return canonical.error();
    if (!canonical->has_value()) continue;
    Result<FieldSet> child = parse_fields(below);
    if (!child) return child;
    // {} alone says that the path itself is in the set.
    if (below.empty()) child->member = true;
    set.adopt(**canonical, *std::move(child));
  }
  return set;
}

Json to_json(const FieldSet& set) {
  Json fields = Json::object();
  if (set.member && !set.children.empty()) fields["."] = Json::object();
  for (const auto& [step, child] : set.children) fields[step] = to_json(child);
  return fields;
}

std::vector<std::string> paths_of(const FieldSet& set) {
  std::vector<std::string> paths;
  collect(set, "", paths);
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace windlass::server::patch

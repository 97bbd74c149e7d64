// Validation of custom resources by the schema as it was written: what OpenAPI v3 has of it, list
// types, embedded objects, and the CEL rules of cel.h's subset. Words and reasons are Kubernetes'.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <re2/re2.h>

#include "base/text.h"
#include "base/utf8.h"
#include "server/schema/cel.h"
#include "server/schema/formats.h"
#include "server/schema/regex_cache.h"
#include "server/schema/schema.h"

namespace windlass::server::schema {
namespace {

constexpr int64_t kRuleSteps = 2'000'000;  // of all rules of one write: well under a second
constexpr size_t kMaxFaults = 100;

const Json* member(const Json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}
std::string text(const Json& schema, std::string_view name) {
  const Json* value = member(schema, name);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}
bool flag(const Json& schema, std::string_view name) {
  const Json* value = member(schema, name);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}
std::string below(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
}

// The JSON type's name in OpenAPI.
std::string_view type_name(const Json& value) {
  switch (value.type()) {
    case Json::value_t::object:
      return "object";
    case Json::value_t::array:
      return "array";
    case Json::value_t::string:
      return "string";
    case Json::value_t::boolean:
      return "boolean";
    case Json::value_t::null:
      return "null";
    case Json::value_t::number_float:
      return "number";
    default:
      return "integer";
  }
}
// A value as messages show it: scalars as they are, the rest by its type.
std::string shown(const Json& value) {
  if (value.is_structured()) return fmt::format("\"{}\"", type_name(value));
  if (!value.is_string()) return value.dump();
  return Json(printable(value.get_ref<const std::string&>(), 200)).dump();
}

bool is_whole(const Json& value) {
  if (value.is_number_integer()) return true;
  return value.is_number_float() && std::floor(value.get<double>()) == value.get<double>();
}

bool fits_type(const Json& schema, const Json& value) {
  if (flag(schema, "x-kubernetes-int-or-string")) return value.is_string() || is_whole(value);
  const std::string type = text(schema, "type");
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return is_whole(value);
  if (type == "number") return value.is_number();
  return true;
}

// Code points, as lengths count.
size_t length_of(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

cel::Program program_of(const std::string& rule, std::string* error) {
  thread_local std::map<std::string, Result<cel::Program>> kept;
  auto found = kept.find(rule);
  if (found == kept.end()) {
    if (kept.size() >= 512) kept.clear();
    found = kept.emplace(rule, cel::compile(rule)).first;
  }
  if (found->second.ok()) return *found->second;
  if (error != nullptr) *error = found->second.error().message();
  return {};
}

// What becomes of a fault whose value is as it was before the write.
enum class Unchanged { kForgiven, kRefused };

class Validator {
 public:
  struct Fault {
    FieldFault what;
    Unchanged when_unchanged = Unchanged::kForgiven;
  };
  std::vector<Fault> faults;
  std::vector<FieldFault> duplicates;  // in lists that are sets or maps

  void check(const Json& schema, const Json& value, const Json* old, const std::string& path) {
    if (faults.size() >= kMaxFaults || !schema.is_object()) return;
    if (value.is_null() && flag(schema, "nullable")) return;
    const size_t known = faults.size();
    // Null where no type forbids it: preserve-unknown without a type.
    if (!fits_type(schema, value)) {
      wrong_type(schema, value, path);
    } else {
      check_restrictions(schema, value, path);
      if (value.is_object()) check_members(schema, value, old, path);
      if (value.is_array()) check_elements(schema, value, old, path);
      check_rules(schema, value, old, path);
    }
    if (faults.size() > known && old != nullptr && *old == value) forgive(known);
  }

 private:
  void add(std::string_view reason, const std::string& field, std::string message,
           Unchanged when_unchanged = Unchanged::kForgiven) {
    if (faults.size() >= kMaxFaults) return;
    faults.push_back({{std::string(reason), field, std::move(message)}, when_unchanged});
  }
  // The faults from `known` on are of a value that this write leaves as it was.
  void forgive(size_t known) {
    const auto from = faults.begin() + static_cast<std::ptrdiff_t>(known);
    faults.erase(std::remove_if(from, faults.end(),
                                [](const Fault& fault) {
                                  return fault.when_unchanged == Unchanged::kForgiven;
                                }),
                 faults.end());
  }
  void invalid(const std::string& path, const Json& value, std::string_view what) {
    add("FieldValueInvalid", path, fmt::format("Invalid value: {}: {}", shown(value), what));
  }
  // "PATH in body WHAT"
  void in_body(const std::string& path, const Json& value, std::string_view what) {
    invalid(path, value, fmt::format("{} in body {}", path, what));
  }

  void wrong_type(const Json& schema, const Json& value, const std::string& path) {
    const std::string type =
        flag(schema, "x-kubernetes-int-or-string") ? "integer,string" : text(schema, "type");
    add("FieldValueTypeInvalid", path,
        fmt::format("Invalid value: \"{0}\": {1} in body must be of type {2}: \"{0}\"",
                    type_name(value), path, type));
  }

  // All that holds of a value itself, also inside a junctor, which has no types.
  void check_restrictions(const Json& schema, const Json& value, const std::string& path) {
    check_enum(schema, value, path);
    if (const std::string format = text(schema, "format");
        !format.empty() && !fits_format(format, value)) {
      in_body(path, value, fmt::format("must be of type {}: {}", format, shown(value)));
    }
    if (value.is_number()) check_number(schema, value, path);
    if (value.is_string()) check_text(schema, value, path);
    if (value.is_object()) {
      check_count(schema, "Properties", value.size(), value, path);
      check_required(schema, value, path);
    }
    if (value.is_array()) check_count(schema, "Items", value.size(), value, path);
    check_junctors(schema, value, path);
  }

  void check_enum(const Json& schema, const Json& value, const std::string& path) {
    const Json* allowed = member(schema, "enum");
    if (allowed == nullptr || !allowed->is_array() ||
        std::find(allowed->begin(), allowed->end(), value) != allowed->end()) {
      return;
    }
    std::vector<std::string> names;
    for (const Json& one : *allowed) names.push_back(one.dump());
    std::sort(names.begin(), names.end());
    add("FieldValueNotSupported", path,
        fmt::format("Unsupported value: {}: supported values: {}", shown(value),
                    join(names, ", ")));
  }

  void check_number(const Json& schema, const Json& value, const std::string& path) {
    const Json* minimum = member(schema, "minimum");
    const Json* maximum = member(schema, "maximum");
    const bool above = flag(schema, "exclusiveMinimum");
    const bool under = flag(schema, "exclusiveMaximum");
    if (minimum != nullptr && minimum->is_number() &&
        (value < *minimum || (above && value == *minimum))) {
      in_body(
          path, value,
          fmt::format("should be greater than {}{}", above ? "" : "or equal to ", minimum->dump()));
    }
    if (maximum != nullptr && maximum->is_number() &&
        (value > *maximum || (under && value == *maximum))) {
      in_body(
          path, value,
          fmt::format("should be less than {}{}", under ? "" : "or equal to ", maximum->dump()));
    }
    const Json* step = member(schema, "multipleOf");
    if (step == nullptr || !step->is_number() || step->get<double>() <= 0) return;
    const double times = value.get<double>() / step->get<double>();
    if (std::floor(times) != times) {
      in_body(path, value, fmt::format("should be a multiple of {}", step->dump()));
    }
  }

  void check_text(const Json& schema, const Json& value, const std::string& path) {
    const auto& written = value.get_ref<const std::string&>();
    const Json* longest = member(schema, "maxLength");
    const Json* shortest = member(schema, "minLength");
    const size_t length = longest != nullptr || shortest != nullptr ? length_of(written) : 0;
    if (longest != nullptr && longest->is_number() && Json(length) > *longest) {
      add("FieldValueTooLong", path,
          fmt::format("Too long: may not be more than {} bytes", longest->dump()));
    }
    if (shortest != nullptr && shortest->is_number() && Json(length) < *shortest) {
      in_body(path, value, fmt::format("should be at least {} chars long", shortest->dump()));
    }
    const std::string pattern = text(schema, "pattern");
    if (pattern.empty()) return;
    const auto compiled = compiled_pattern(pattern);
    if (compiled != nullptr && !RE2::PartialMatch(written, *compiled)) {
      in_body(path, value, fmt::format("should match '{}'", pattern));
    }
  }

  // `what`: Items or Properties.
  void check_count(const Json& schema, const std::string& what, size_t count, const Json& value,
                   const std::string& path) {
    const std::string plural = what == "Items" ? "items" : "properties";
    const Json* most = member(schema, "max" + what);
    const Json* fewest = member(schema, "min" + what);
    if (most != nullptr && most->is_number() && Json(count) > *most) {
      add("FieldValueTooMany", path,
          fmt::format("Too many: {}: must have at most {} {}", count, most->dump(), plural));
    }
    if (fewest != nullptr && fewest->is_number() && Json(count) < *fewest) {
      in_body(path, value, fmt::format("should have at least {} {}", fewest->dump(), plural));
    }
  }

  void check_required(const Json& schema, const Json& value, const std::string& path) {
    const Json* required = member(schema, "required");
    if (required == nullptr || !required->is_array()) return;
    for (const Json& name : *required) {
      if (!name.is_string() || value.contains(name.get<std::string>())) continue;
      add("FieldValueRequired", below(path, name.get<std::string>()), "Required value");
    }
  }

  // Whether a value fits a schema inside a junctor; its members are looked at, too.
  static bool fits(const Json& schema, const Json& value) {
    Validator inner;
    inner.check(schema, value, nullptr, "");
    return inner.faults.empty() && inner.duplicates.empty();
  }

  void check_junctors(const Json& schema, const Json& value, const std::string& path) {
    const auto count = [&](const char* name, size_t& of) {
      const Json* list = member(schema, name);
      of = list != nullptr && list->is_array() ? list->size() : 0;
      size_t fitting = 0;
      for (size_t i = 0; i < of; ++i) fitting += fits((*list)[i], value) ? 1 : 0;
      return fitting;
    };
    size_t of = 0;
    const std::string quoted = fmt::format("\"{}\"", path);
    // Its parts are checked here and now: twice at every level would be 2^levels of work.
    if (const Json* all = member(schema, "allOf"); all != nullptr && all->is_array()) {
      for (const Json& part : *all) check(part, value, nullptr, path);
    }
    if (count("anyOf", of) == 0 && of > 0) {
      invalid(path, value, quoted + " must validate at least one schema (anyOf)");
    }
    if (const size_t fitting = count("oneOf", of); fitting != 1 && of > 0) {
      invalid(path, value,
              fmt::format("{} must validate one and only one schema (oneOf). Found {} valid",
                          quoted, fitting == 0 ? "none" : std::to_string(fitting)));
    }
    const Json* denied = member(schema, "not");
    if (denied != nullptr && fits(*denied, value)) {
      invalid(path, value, quoted + " must not validate the schema (not)");
    }
  }

  void check_members(const Json& schema, const Json& value, const Json* old,
                     const std::string& path) {
    const Json* properties = member(schema, "properties");
    const Json* additional = member(schema, "additionalProperties");
    for (const auto& [name, inner] : value.items()) {
      const Json* property = properties == nullptr ? nullptr : member(*properties, name);
      const Json* inner_schema = property != nullptr ? property : additional;
      if (inner_schema == nullptr) continue;
      check(*inner_schema, inner, old == nullptr ? nullptr : member(*old, name), below(path, name));
    }
    if (!flag(schema, "x-kubernetes-embedded-resource")) return;
    for (const char* name : {"apiVersion", "kind"}) {
      if (text(value, name).empty()) {
        add("FieldValueRequired", below(path, name), "Required value: must not be empty",
            Unchanged::kRefused);
      }
    }
  }

  void check_elements(const Json& schema, const Json& value, const Json* old,
                      const std::string& path) {
    const std::string list_type = text(schema, "x-kubernetes-list-type");
    const Json* items = member(schema, "items");
    const Json* keys = list_type == "map" ? member(schema, "x-kubernetes-list-map-keys") : nullptr;
    std::map<std::string, const Json*> old_by_key;
    if (keys != nullptr && old != nullptr && old->is_array()) {
      for (const Json& element : *old) old_by_key.emplace(identity(element, keys), &element);
    }
    std::set<std::string> seen;
    for (size_t i = 0; i < value.size(); ++i) {
      const std::string here = fmt::format("{}[{}]", path, i);
      const Json* before = nullptr;
      if (keys != nullptr || list_type == "set") {
        const std::string id = identity(value[i], keys);
        if (!seen.insert(id).second && duplicates.size() < kMaxFaults) {
          duplicates.push_back(
              {"FieldValueDuplicate", here, fmt::format("Duplicate value: {}", id)});
        }
        const auto found = old_by_key.find(id);
        if (found != old_by_key.end()) before = found->second;
      }
      if (items != nullptr) check(*items, value[i], before, here);
    }
  }
  // What tells elements of a list apart: the whole value in a set, the keys in a map.
  static std::string identity(const Json& element, const Json* keys) {
    if (keys == nullptr || !element.is_object()) return element.dump();
    Json id = Json::object();
    for (const Json& key : *keys) {
      const Json* part = key.is_string() ? member(element, key.get<std::string>()) : nullptr;
      if (part != nullptr) id[key.get<std::string>()] = *part;
    }
    return id.dump();
  }

  void check_rules(const Json& schema, const Json& value, const Json* old,
                   const std::string& path) {
    const Json* rules = member(schema, "x-kubernetes-validations");
    if (rules == nullptr || !rules->is_array()) return;
    for (const Json& rule : *rules) {
      const std::string written = text(rule, "rule");
      const cel::Program program = program_of(written, nullptr);
      if (program.root == nullptr) continue;  // outside the subset: unsupported_rules() names it
      // A rule about a change holds only where there was something before.
      if (program.uses_old_self && old == nullptr) continue;
      auto holds = cel::evaluate(program, value, old, steps_);
      if (holds.ok() && *holds != false) continue;
      std::string message = message_of(rule, value, old);
      if (!holds.ok()) {
        message = fmt::format("rule evaluation error: {} evaluating rule: {}",
                              holds.error().message(), message);
      }
      // A rule that can't be evaluated, or that looks at the change, is as strict as ever.
      const bool forgiven = holds.ok() && !program.uses_old_self;
      invalid_by_rule(rule, value, path, message,
                      forgiven ? Unchanged::kForgiven : Unchanged::kRefused);
    }
  }

  std::string message_of(const Json& rule, const Json& value, const Json* old) {
    const std::string expression = text(rule, "messageExpression");
    const cel::Program program =
        expression.empty() ? cel::Program{} : program_of(expression, nullptr);
    if (program.root != nullptr && (!program.uses_old_self || old != nullptr)) {
      auto message = cel::evaluate(program, value, old, steps_);
      if (message.ok() && message->is_string()) return printable(message->get<std::string>(), 2048);
    }
    const std::string message = text(rule, "message");
    return message.empty() ? "failed rule: " + text(rule, "rule") : message;
  }

  void invalid_by_rule(const Json& rule, const Json& value, const std::string& path,
                       const std::string& message, Unchanged when) {
    const std::string reason = text(rule, "reason");
    std::string field = text(rule, "fieldPath");  // ".spec.x", from here
    if (!field.empty() && field.front() == '.') field.erase(0, 1);
    field = field.empty() ? path : below(path, field);
    if (reason == "FieldValueRequired") {
      return add(reason, field, "Required value: " + message, when);
    }
    if (reason == "FieldValueForbidden") return add(reason, field, "Forbidden: " + message, when);
    if (reason == "FieldValueDuplicate") {
      return add(reason, field, fmt::format("Duplicate value: \"{}\"", type_name(value)), when);
    }
    add("FieldValueInvalid", field,
        fmt::format("Invalid value: \"{}\": {}", type_name(value), message), when);
  }

  int64_t steps_ = kRuleSteps;
};

void collect_unsupported(const Json& schema, std::set<std::string>& found) {
  if (schema.is_array()) {
    for (const Json& element : schema) collect_unsupported(element, found);
  }
  if (!schema.is_object()) return;
  if (const Json* rules = member(schema, "x-kubernetes-validations"); rules && rules->is_array()) {
    for (const Json& rule : *rules) {
      std::string why;
      const std::string written = text(rule, "rule");
      if (program_of(written, &why).root == nullptr)
        found.insert(fmt::format("{} ({})", written, why));
    }
  }
  for (const auto& [name, inner] : schema.items()) collect_unsupported(inner, found);
}

}  // namespace

std::vector<FieldFault> validate(const Shape& shape, const Json& object, const Json* old) {
  if (shape.written == nullptr) return {};
  Validator validator;
  validator.check(*shape.written, object, old, "");
  std::vector<FieldFault> found;
  for (Validator::Fault& fault : validator.faults) found.push_back(std::move(fault.what));
  if (validator.duplicates.empty()) return found;
  // An object that had a double anywhere may keep it, and get others: so Kubernetes has it.
  Validator before;
  if (old != nullptr) before.check(*shape.written, *old, nullptr, "");
  if (!before.duplicates.empty()) return found;
  found.insert(found.end(), validator.duplicates.begin(), validator.duplicates.end());
  return found;
}

std::vector<std::string> unsupported_rules(const Shape& shape) {
  std::set<std::string> found;
  if (shape.written != nullptr) collect_unsupported(*shape.written, found);
  return {found.begin(), found.end()};
}

}  // namespace windlass::server::schema

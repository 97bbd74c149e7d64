// Checks against a shape that need no written schema: unknown and doubled fields, wrong JSON types,
// and pruning. All walk the value, so that a shape that contains itself is no danger, and values
// nest 256 deep at most.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/quantity.h"
#include "base/text.h"
#include "base/time.h"
#include "base/utf8.h"
#include "base/yaml_tree.h"
#include "server/schema/base64.h"
#include "server/schema/schema.h"

namespace windlass::server::schema {
namespace {

std::string below(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
}

void find_unknown(const Shape& shape, const Json& value, const std::string& path,
                  std::vector<std::string>& found) {
  if (shape.kind == Kind::kObject && value.is_object()) {
    for (const auto& [name, member] : value.items()) {
      if (const Field* field = shape.field(name)) {
        find_unknown(*field->shape, member, below(path, name), found);
      } else if (!shape.preserve_unknown) {
        found.push_back(below(path, name));
      }
    }
  } else if (shape.kind == Kind::kMap && value.is_object()) {
    for (const auto& [name, member] : value.items()) {
      find_unknown(*shape.element, member, below(path, name), found);
    }
  } else if (shape.kind == Kind::kList && value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i) {
      find_unknown(*shape.element, value[i], fmt::format("{}[{}]", path, i), found);
    }
  }
}

// --- doubled keys ---

// Follows a JSON text through its maps and lists, without building a value.
class DuplicateFinder : public nlohmann::json_sax<Json> {
 public:
  std::vector<std::string> found;

  bool null() override { return scalar(); }
  bool boolean(bool) override { return scalar(); }
  bool number_integer(number_integer_t) override { return scalar(); }
  bool number_unsigned(number_unsigned_t) override { return scalar(); }
  bool number_float(number_float_t, const string_t&) override { return scalar(); }
  bool string(string_t&) override { return scalar(); }
  bool binary(binary_t&) override { return scalar(); }
  bool start_object(std::size_t) override { return open(false); }
  bool start_array(std::size_t) override { return open(true); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }
  bool key(string_t& name) override {
    Level& level = levels_.back();
    level.step = level.prefix.empty() ? name : level.prefix + "." + name;
    if (!level.keys.insert(name).second && reported_.insert(level.step).second) {
      found.push_back(level.step);
    }
    return true;
  }

 private:
  struct Level {
    bool list = false;
    size_t index = 0;
    std::string prefix;  // where this map or list stands
    std::string step;    // where its current member stands
    std::set<std::string> keys;
  };
  static constexpr size_t kMaxDepth = 256;

  // Where the value that comes next stands.
  std::string place() const {
    if (levels_.empty()) return "";
    const Level& level = levels_.back();
    return level.list ? fmt::format("{}[{}]", level.prefix, level.index) : level.step;
  }
  bool scalar() {
    if (!levels_.empty()) ++levels_.back().index;
    return true;
  }
  bool open(bool list) {
    if (levels_.size() >= kMaxDepth) return false;
    std::string prefix = place();
    levels_.push_back({list, 0, std::move(prefix), "", {}});
    return true;
  }
  bool close() {
    levels_.pop_back();
    return scalar();
  }

  std::vector<Level> levels_;
  std::set<std::string> reported_;
};

// Aliases are not followed: what they repeat is reported where it stands.
void find_yaml_duplicates(const YamlNode& node, const std::string& path,
                          std::vector<std::string>& found) {
  if (node.kind == YamlNode::Kind::kList) {
    for (size_t i = 0; i < node.items.size(); ++i) {
      find_yaml_duplicates(*node.items[i], fmt::format("{}[{}]", path, i), found);
    }
  }
  if (node.kind != YamlNode::Kind::kMap) return;
  std::set<std::string> keys;
  for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
    const std::string here = below(path, node.items[i]->text);
    if (!keys.insert(node.items[i]->text).second &&
        std::find(found.begin(), found.end(), here) == found.end()) {
      found.push_back(here);
    }
    find_yaml_duplicates(*node.items[i + 1], here, found);
  }
}

// --- types ---

// Which Go type a shape is, as the messages of Go's decoder name it.
std::string go_type(const Shape& shape) {
  switch (shape.kind) {
    case Kind::kAny:
      return "interface {}";
    case Kind::kBoolean:
      return "bool";
    case Kind::kInteger:
      return shape.format.empty() ? "int64" : shape.format;
    case Kind::kNumber:
      return "float64";
    case Kind::kString:
      return "string";
    case Kind::kIntOrString:
      return "intstr.IntOrString";
    case Kind::kQuantity:
      return "resource.Quantity";
    case Kind::kTime:
      return "v1.Time";
    case Kind::kMicroTime:
      return "v1.MicroTime";
    case Kind::kBytes:
      return "[]uint8";
    case Kind::kMap:
      return "map[string]" + go_type(*shape.element);
    case Kind::kList:
      return "[]" + go_type(*shape.element);
    case Kind::kObject:
      break;
  }
  // io.k8s.api.core.v1.PodSpec is v1.PodSpec.
  const size_t last = shape.name.rfind('.');
  const size_t second =
      last == shape.name.npos || last == 0 ? last : shape.name.rfind('.', last - 1);
  return second == shape.name.npos ? shape.name : shape.name.substr(second + 1);
}

std::string json_word(const Json& value) {
  switch (value.type()) {
    case Json::value_t::object:
      return "object";
    case Json::value_t::array:
      return "array";
    case Json::value_t::string:
      return "string";
    case Json::value_t::boolean:
      return "bool";
    default:
      return "number";
  }
}

// Where a value stands, for messages: the innermost struct and the field names from the root.
struct Place {
  const Shape* owner = nullptr;
  std::string path;

  std::string wrong(const std::string& what, const Shape& shape) const {
    if (owner == nullptr) {
      return fmt::format("json: cannot unmarshal {} into Go value of type {}", what,
                         go_type(shape));
    }
    return fmt::format("json: cannot unmarshal {} into Go struct field {}.{} of type {}", what,
                       owner->name.substr(owner->name.rfind('.') + 1), path, go_type(shape));
  }
};

std::string number_fault(const Shape& shape, const Json& value, const Place& place) {
  if (!value.is_number()) return place.wrong(json_word(value), shape);
  if (shape.kind == Kind::kNumber) return "";
  bool fits = value.is_number_integer();
  if (value.is_number_unsigned()) fits = value.get<uint64_t>() <= INT64_MAX;
  if (fits && shape.format == "int32") {
    const int64_t number = value.get<int64_t>();
    fits = number >= INT32_MIN && number <= INT32_MAX;
  }
  return fits ? "" : place.wrong("number " + value.dump(), shape);
}

std::string text_fault(const Shape& shape, const Json& value, const Place& place) {
  const auto* text = value.get_ptr<const std::string*>();
  if (shape.kind == Kind::kQuantity) {
    const std::string written = text != nullptr ? *text : value.dump();
    if ((text != nullptr || value.is_number()) && Quantity::parse(written).ok()) return "";
    return "quantities must match the regular expression "
           "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  }
  if (text == nullptr) return place.wrong(json_word(value), shape);
  if (shape.kind == Kind::kBytes) {
    const size_t at = base64_fault_at(*text);
    return at == text->npos ? "" : fmt::format("illegal base64 data at input byte {}", at);
  }
  if ((shape.kind == Kind::kTime || shape.kind == Kind::kMicroTime) && !parse_rfc3339(*text).ok()) {
    const std::string_view layout = shape.kind == Kind::kTime ? "2006-01-02T15:04:05Z07:00"
                                                              : "2006-01-02T15:04:05.000000Z07:00";
    const std::string shown = printable(*text, 80);
    return fmt::format("parsing time \"{}\" as \"{}\": cannot parse \"{}\" as \"2006\"", shown,
                       layout, shown);
  }
  return "";
}

std::string find_type_fault(const Shape& shape, const Json& value, const Place& place);

std::string container_fault(const Shape& shape, const Json& value, const Place& place) {
  if (shape.kind == Kind::kList) {
    if (!value.is_array()) return place.wrong(json_word(value), shape);
    for (const Json& element : value) {
      if (auto fault = find_type_fault(*shape.element, element, place); !fault.empty())
        return fault;
    }
    return "";
  }
  if (!value.is_object()) return place.wrong(json_word(value), shape);
  for (const auto& [name, member] : value.items()) {
    const Field* field = shape.kind == Kind::kObject ? shape.field(name) : nullptr;
    if (shape.kind == Kind::kObject && field == nullptr) continue;
    const Shape& inner = field != nullptr ? *field->shape : *shape.element;
    const Shape* owner = field != nullptr && !shape.name.empty() ? &shape : place.owner;
    auto fault = find_type_fault(inner, member, {owner, below(place.path, name)});
    if (!fault.empty()) return fault;
  }
  return "";
}

std::string find_type_fault(const Shape& shape, const Json& value, const Place& place) {
  if (value.is_null()) return "";
  // What a CRD's schema says is validation's to report (422, not 400), but not its metadata.
  if (shape.written != nullptr) {
    const bool walk =
        (shape.kind == Kind::kList && value.is_array()) ||
        ((shape.kind == Kind::kObject || shape.kind == Kind::kMap) && value.is_object());
    return walk ? container_fault(shape, value, place) : "";
  }
  switch (shape.kind) {
    case Kind::kAny:
      return "";
    case Kind::kBoolean:
      return value.is_boolean() ? "" : place.wrong(json_word(value), shape);
    case Kind::kInteger:
    case Kind::kNumber:
      return number_fault(shape, value, place);
    case Kind::kIntOrString: {
      static const Shape kInt32 = [] {
        Shape int32;
        int32.kind = Kind::kInteger;
        int32.format = "int32";
        return int32;
      }();
      return value.is_string() ? "" : number_fault(kInt32, value, place);
    }
    case Kind::kString:
    case Kind::kQuantity:
    case Kind::kTime:
    case Kind::kMicroTime:
    case Kind::kBytes:
      return text_fault(shape, value, place);
    case Kind::kObject:
    case Kind::kMap:
    case Kind::kList:
      return container_fault(shape, value, place);
  }
  return "";
}

}  // namespace

std::vector<std::string> unknown_fields(const Shape& shape, const Json& object) {
  std::vector<std::string> found;
  find_unknown(shape, object, "", found);
  return found;
}

std::vector<std::string> duplicate_fields(std::string_view text) {
  const std::string_view start = trim(text);
  if (start.starts_with('{') || start.starts_with('[')) {
    DuplicateFinder finder;
    Json::sax_parse(start, &finder);
    return finder.found;
  }
  std::vector<std::string> found;
  const YamlTree tree = read_yaml_tree(text, 1);
  if (tree.root != nullptr && !tree.problem) find_yaml_duplicates(*tree.root, "", found);
  return found;
}

std::string type_fault(const Shape& shape, const Json& object) {
  return find_type_fault(shape, object, {});
}

void prune(const Shape& shape, Json& object) {
  if (shape.kind == Kind::kList && object.is_array()) {
    for (Json& element : object) prune(*shape.element, element);
  }
  const bool map = shape.kind == Kind::kMap;
  if ((!map && shape.kind != Kind::kObject) || !object.is_object()) return;
  for (auto member = object.begin(); member != object.end();) {
    const Field* field = map ? nullptr : shape.field(member.key());
    const Shape* inner = map ? shape.element : field != nullptr ? field->shape : nullptr;
    const bool known = inner != nullptr;
    const bool kept = known ? !member->is_null() || inner->nullable || inner->kind == Kind::kAny
                            : shape.preserve_unknown;
    if (!kept && map && inner->kind == Kind::kString && inner->written == nullptr) {
      *member = "";  // as Go reads null into map[string]string
      ++member;
    } else if (!kept) {
      member = object.erase(member);
    } else {
      if (known) prune(*inner, *member);
      ++member;
    }
  }
}

}  // namespace windlass::server::schema

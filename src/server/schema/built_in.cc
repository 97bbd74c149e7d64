// Built-in shapes, read from the generated table at the first use (about a millisecond).
//
// A line of the table is the type's name and then words:
//   @GROUP           it is a kind of this group ("@" alone: core); its version and kind are in its
//   name !atomic          server-side apply takes it as one value NAME!?:NUMBER:TYPE;...   a field:
//   `!` required, `?` absent when zero, the protobuf number (with
//                    the numbers of inlined messages in front, "2.4"; 0: none), its type, and
//                    m[=KEY] merge, r retainKeys, p replace, k=KEYS list map, s list set, a atomic
// Types: a letter of kLetters, [T list, ]T list in a message of its own, {T map, .Name a type of
// the same package, package.Name another one.
#include <algorithm>
#include <deque>
#include <map>
#include <tuple>

#include "base/assert.h"
#include "base/text.h"
#include "server/schema/shape.h"

namespace windlass::server::schema {
namespace {

constexpr std::string_view kTypes[] = {
#include "server/schema/built_in_types.inc"
};

constexpr std::string_view kMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.";
constexpr std::string_view kExtensions =
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.";

struct Letter {
  char letter;
  Kind kind;
  std::string_view package;  // of named types
  std::string_view name;
  std::string_view format;
};
constexpr Letter kLetters[] = {
    {'s', Kind::kString, "", "", ""},
    {'y', Kind::kBytes, "", "", "byte"},
    {'i', Kind::kInteger, "", "", "int32"},
    {'l', Kind::kInteger, "", "", "int64"},
    {'d', Kind::kNumber, "", "", "double"},
    {'b', Kind::kBoolean, "", "", ""},
    {'t', Kind::kTime, kMeta, "Time", "date-time"},
    {'u', Kind::kMicroTime, kMeta, "MicroTime", "date-time"},
    {'q', Kind::kQuantity, "io.k8s.apimachinery.pkg.api.resource.", "Quantity", ""},
    {'x', Kind::kIntOrString, "io.k8s.apimachinery.pkg.util.intstr.", "IntOrString",
     "int-or-string"},
    {'a', Kind::kAny, "io.k8s.apimachinery.pkg.runtime.", "RawExtension", ""},
    {'f', Kind::kAny, kMeta, "FieldsV1", ""},
    {'p', Kind::kAny, kMeta, "Patch", ""},
    {'j', Kind::kAny, kExtensions, "JSON", ""},
    {'A', Kind::kAny, kExtensions, "JSONSchemaPropsOrArray", ""},
    {'B', Kind::kAny, kExtensions, "JSONSchemaPropsOrBool", ""},
    {'S', Kind::kAny, kExtensions, "JSONSchemaPropsOrStringArray", ""},
};

std::string full_name(std::string_view short_name) {
  constexpr std::string_view kMetaShort = "meta.v1.", kExtensionsShort = "apiextensions.v1.";
  if (short_name.starts_with(kMetaShort)) {
    return std::string(kMeta) + std::string(short_name.substr(kMetaShort.size()));
  }
  if (short_name.starts_with(kExtensionsShort)) {
    return std::string(kExtensions) + std::string(short_name.substr(kExtensionsShort.size()));
  }
  return "io.k8s.api." + std::string(short_name);
}

// All shapes. Made once, never changed after; the shapes' addresses stay.
class Registry {
 public:
  Registry() {
    for (const Letter& letter : kLetters) {
      Shape& shape = shapes_.emplace_back();
      shape.kind = letter.kind;
      shape.format = letter.format;
      if (!letter.name.empty()) shape.name = std::string(letter.package) + std::string(letter.name);
      shape.preserve_unknown = letter.kind == Kind::kAny;
      letters_[letter.letter] = &shape;
    }
    // Types refer to each other in circles: first all names, then the fields.
    for (std::string_view line : kTypes) {
      Shape& shape = shapes_.emplace_back();
      shape.kind = Kind::kObject;
      const std::string_view name = line.substr(0, line.find(' '));
      shape.name = full_name(name);
      named_.emplace(name, &shape);
    }
    for (std::string_view line : kTypes) read_line(line);
    // The unions of JSONSchemaProps: their element is what protobuf has inside.
    for (char letter : {'A', 'B', 'S'}) {
      const_cast<Shape*>(letters_.at(letter))->element =
          named_.at("apiextensions.v1.JSONSchemaProps");
    }
    for (auto& [key, shape] : kinds_) {
      list_.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), shape});
    }
  }

  const Shape* find(std::string_view group, std::string_view version, std::string_view kind) const {
    const auto found = kinds_.find(std::tuple(group, version, kind));
    return found == kinds_.end() ? nullptr : found->second;
  }
  const Shape* named(std::string_view name) const { return named_.find(name)->second; }
  const std::vector<BuiltInKind>& list() const { return list_; }

 private:
  void read_line(std::string_view line) {
    const std::vector<std::string_view> words = split(line, ' ');
    const std::string_view name = words[0];
    Shape& shape = *named_.find(name)->second;
    const size_t last = name.rfind('.');
    const std::string_view package = name.substr(0, last);
    for (size_t i = 1; i < words.size(); ++i) {
      const std::string_view word = words[i];
      if (word.front() == '@') {
        const size_t version = package.rfind('.') + 1;
        kinds_[{std::string(word.substr(1)), std::string(package.substr(version)),
                std::string(name.substr(last + 1))}] = &shape;
      } else if (word == "!atomic") {
        shape.atomic = true;
      } else {
        shape.fields.push_back(read_field(word, package));
      }
    }
  }

  Field read_field(std::string_view word, std::string_view package) {
    const std::vector<std::string_view> parts = split(word, ':');
    WL_ASSERT(parts.size() == 3);
    Field field;
    std::string_view name = parts[0];
    for (; name.back() == '!' || name.back() == '?'; name.remove_suffix(1)) {
      (name.back() == '!' ? field.required : field.absent_when_zero) = true;
    }
    field.name = name;
    for (std::string_view number : split(parts[1], '.')) {
      field.proto_inside.push_back(static_cast<uint32_t>(parse_int(number).value()));
    }
    field.proto_number = field.proto_inside.back();
    field.proto_inside.pop_back();
    const std::vector<std::string_view> notes = split(parts[2], ';');
    Shape* own = nullptr;
    field.shape = read_type(notes[0], package, &own);
    for (size_t i = 1; i < notes.size(); ++i) read_note(notes[i], field, own);
    return field;
  }

  void read_note(std::string_view note, Field& field, Shape* own) {
    const size_t equals = note.find('=');
    const std::string_view value = equals == note.npos ? "" : note.substr(equals + 1);
    switch (note.front()) {
      case 'm':
        field.patch_merge = true;
        field.patch_merge_key = value;
        return;
      case 'r':
        field.patch_retain_keys = true;
        return;
      case 'p':
        field.patch_replace = true;
        return;
      default:
        break;
    }
    WL_ASSERT(own != nullptr);
    if (note.front() == 'a') own->atomic = true;
    if (note.front() == 's') own->list_type = ListType::kSet;
    if (note.front() != 'k') return;
    own->list_type = ListType::kMap;
    for (std::string_view key : split(value, ',')) own->list_map_keys.emplace_back(key);
  }

  // `own`: the shape if it belongs to this field alone, so that notes may go into it.
  const Shape* read_type(std::string_view type, std::string_view package, Shape** own) {
    if (type.front() == '[' || type.front() == ']' || type.front() == '{') {
      Shape* inner = nullptr;
      Shape& shape = shapes_.emplace_back();
      shape.kind = type.front() == '{' ? Kind::kMap : Kind::kList;
      shape.proto_wrapped = type.front() == ']';
      shape.element = read_type(type.substr(1), package, &inner);
      *own = &shape;
      return &shape;
    }
    if (type.size() == 1) return letters_.at(type.front());
    const std::string name =
        type.front() == '.' ? std::string(package) + std::string(type) : std::string(type);
    *own = named_.find(name)->second;
    return *own;
  }

  std::deque<Shape> shapes_;
  std::map<char, const Shape*> letters_;
  std::map<std::string, Shape*, std::less<>> named_;
  std::map<std::tuple<std::string, std::string, std::string>, const Shape*, std::less<>> kinds_;
  std::vector<BuiltInKind> list_;
};

const Registry& registry() {
  static const Registry kRegistry;
  return kRegistry;
}

}  // namespace

const Field* Shape::field(std::string_view field_name) const {
  const auto found =
      std::lower_bound(fields.begin(), fields.end(), field_name,
                       [](const Field& field, std::string_view name) { return field.name < name; });
  return found != fields.end() && found->name == field_name ? &*found : nullptr;
}

const Shape* built_in(std::string_view group, std::string_view version, std::string_view kind) {
  if (const Shape* shape = registry().find(group, version, kind)) return shape;
  // Every group has its own name for the options and events of requests; they are all the same.
  if (kind == "DeleteOptions" || kind == "WatchEvent") {
    return registry().find("meta.k8s.io", "v1", kind);
  }
  if (kind == "Status" && group == "meta.k8s.io") return registry().find("", "v1", kind);
  return nullptr;
}

const std::vector<BuiltInKind>& built_in_kinds() { return registry().list(); }

const Shape* object_meta() { return registry().named("meta.v1.ObjectMeta"); }

}  // namespace windlass::server::schema

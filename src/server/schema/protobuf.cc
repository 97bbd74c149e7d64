// Protobuf bodies of the API, read by the shapes alone: no generated code. The wire format is
// protobuf's (encoding.md); what is in the envelope and in the special types is apimachinery's.
//
// The body is untrusted: every read is bounded by its message, nesting is capped, a text that isn't
// UTF-8 is refused (JSON could not hold it).
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/time.h"
#include "base/utf8.h"
#include "server/schema/base64.h"
#include "server/schema/schema.h"

namespace windlass::server::schema {
namespace {

constexpr int kMaxDepth = 100;
constexpr std::string_view kMagic("k8s\0", 4);

enum class Wire : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// One field of a message: its number and its value in the form the wire has it.
struct WireField {
  uint32_t number = 0;
  Wire wire = Wire::kVarint;
  uint64_t number_value = 0;  // kVarint, kFixed64, kFixed32
  std::string_view bytes;     // kBytes
};

class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  bool varint(uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < 70 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      if (shift == 63 && byte > 1) return false;
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  bool fixed(size_t bytes, uint64_t& value) {
    if (rest_.size() < bytes) return false;
    value = 0;
    for (size_t i = 0; i < bytes; ++i) {
      value |= static_cast<uint64_t>(static_cast<uint8_t>(rest_[i])) << (8 * i);
    }
    rest_.remove_prefix(bytes);
    return true;
  }

  // False: malformed. Groups, which nothing here uses, are malformed too.
  bool next(WireField& field) {
    uint64_t tag = 0;
    if (!varint(tag) || tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFF) return false;
    field.number = static_cast<uint32_t>(tag >> 3);
    field.wire = static_cast<Wire>(tag & 7);
    switch (field.wire) {
      case Wire::kVarint:
        return varint(field.number_value);
      case Wire::kFixed64:
        return fixed(8, field.number_value);
      case Wire::kFixed32:
        return fixed(4, field.number_value);
      case Wire::kBytes: {
        uint64_t size = 0;
        if (!varint(size) || size > rest_.size()) return false;
        field.bytes = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return true;
      }
    }
    return false;
  }

 private:
  std::string_view rest_;
};

using Numbers = std::span<const uint32_t>;

// Decodes values into JSON; the first error stays and stops everything.
class Decoder {
 public:
  Result<Json> body(std::string_view body, int depth);

 private:
  bool fail(std::string message) {
    if (error_.empty()) error_ = std::move(message);
    return false;
  }
  bool malformed(std::string_view what) { return fail(fmt::format("malformed {}", what)); }

  bool message(const Shape& shape, Numbers inside, std::string_view bytes, Json& out, int depth);
  bool known_field(const Field& field, const WireField& wire, Json& out, int depth);
  bool value(const Shape& shape, const WireField& wire, Json& out, int depth);
  bool scalar(const Shape& shape, const WireField& wire, Json& out);
  bool text(std::string_view bytes, Json& out);
  bool time(const Shape& shape, std::string_view bytes, Json& out);
  bool int_or_string(std::string_view bytes, Json& out);
  bool quantity(std::string_view bytes, Json& out);
  bool any(const Shape& shape, std::string_view bytes, Json& out, int depth);
  bool list(const Shape& shape, const WireField& wire, Json& out, int depth);
  bool map_entry(const Shape& shape, std::string_view bytes, Json& out, int depth);

  std::string error_;
};

bool is_varint_kind(Kind kind) { return kind == Kind::kBoolean || kind == Kind::kInteger; }

bool Decoder::text(std::string_view bytes, Json& out) {
  if (invalid_utf8_at(bytes) != bytes.npos) return fail("a text that is not UTF-8");
  out = bytes;
  return true;
}

bool Decoder::scalar(const Shape& shape, const WireField& wire, Json& out) {
  if (is_varint_kind(shape.kind)) {
    if (wire.wire != Wire::kVarint) return malformed("number");
    if (shape.kind == Kind::kBoolean) {
      out = wire.number_value != 0;
    } else if (shape.format == "int32") {
      out = static_cast<int32_t>(wire.number_value);
    } else {
      out = static_cast<int64_t>(wire.number_value);
    }
    return true;
  }
  if (wire.wire != Wire::kFixed64) return malformed("number");
  double number = 0;
  std::memcpy(&number, &wire.number_value, sizeof number);
  if (number - number != 0) return fail("a number that is not finite");
  out = number;
  return true;
}

bool Decoder::time(const Shape& shape, std::string_view bytes, Json& out) {
  WireReader reader(bytes);
  int64_t whole = 0, nanos = 0;
  for (WireField field; !reader.at_end();) {
    if (!reader.next(field)) return malformed("time");
    if (field.wire != Wire::kVarint) return malformed("time");
    if (field.number == 1) whole = static_cast<int64_t>(field.number_value);
    if (field.number == 2) nanos = static_cast<int32_t>(field.number_value);
  }
  if (bytes.empty()) {
    out = nullptr;  // Go's zero time
    return true;
  }
  constexpr int64_t kMaxSeconds = INT64_MAX / 1'000'000'000 - 1;
  if (whole > kMaxSeconds || whole < -kMaxSeconds || nanos < 0 || nanos > 999'999'999) {
    return fail("a time out of range");
  }
  std::string written = to_rfc3339(Instant{whole * 1'000'000'000});
  if (shape.kind == Kind::kMicroTime) {
    written.pop_back();  // the Z
    written += fmt::format(".{:06}Z", nanos / 1000);
  }
  out = std::move(written);
  return true;
}

bool Decoder::int_or_string(std::string_view bytes, Json& out) {
  WireReader reader(bytes);
  uint64_t type = 0;
  int32_t number = 0;
  std::string_view written;
  for (WireField field; !reader.at_end();) {
    if (!reader.next(field)) return malformed("int-or-string");
    if (field.wire != (field.number == 3 ? Wire::kBytes : Wire::kVarint)) {
      return malformed("int-or-string");
    }
    if (field.number == 1) type = field.number_value;
    if (field.number == 2) number = static_cast<int32_t>(field.number_value);
    if (field.number == 3) written = field.bytes;
  }
  if (type > 1) return malformed("int-or-string");
  if (type == 1) return text(written, out);
  out = number;
  return true;
}

bool Decoder::quantity(std::string_view bytes, Json& out) {
  WireReader reader(bytes);
  std::string_view written = "0";
  for (WireField field; !reader.at_end();) {
    if (!reader.next(field) || (field.number == 1 && field.wire != Wire::kBytes)) {
      return malformed("quantity");
    }
    if (field.number == 1 && !field.bytes.empty()) written = field.bytes;
  }
  return text(written, out);
}

// The types whose JSON has no form of its own: JSON in a message, or one of two.
bool Decoder::any(const Shape& shape, std::string_view bytes, Json& out, int depth) {
  const bool is_union = shape.element != nullptr;
  WireReader reader(bytes);
  for (WireField field; !reader.at_end();) {
    if (!reader.next(field)) return malformed("message");
    if (is_union && field.number == 1 && field.wire == Wire::kVarint) {
      if (out.is_null()) out = field.number_value != 0;  // JSONSchemaPropsOrBool.allows
      continue;
    }
    if (field.wire != Wire::kBytes) return malformed("message");
    const bool schema = field.number == 1 || shape.name.ends_with("OrBool");
    if (is_union && schema) {
      out = Json::object();
      if (!message(*shape.element, {}, field.bytes, out, depth + 1)) return false;
    } else if (is_union) {
      if (!out.is_array()) out = Json::array();
      Json& element = out.emplace_back();
      const bool fine = shape.name.ends_with("OrStringArray")
                            ? text(field.bytes, element)
                            : message(*shape.element, {}, field.bytes, element, depth + 1);
      if (!fine) return false;
    } else if (field.number == 1) {
      if (depth > kMaxDepth) return fail("nested too deep");
      auto inner =
          field.bytes.starts_with(kMagic) ? body(field.bytes, depth + 1) : parse_json(field.bytes);
      if (!inner.ok()) return fail(inner.error().message());
      out = std::move(*inner);
    }
  }
  return true;
}

bool Decoder::list(const Shape& shape, const WireField& wire, Json& out, int depth) {
  if (!out.is_array()) out = Json::array();
  if (wire.wire != Wire::kBytes ||
      (!is_varint_kind(shape.element->kind) && shape.element->kind != Kind::kNumber)) {
    return value(*shape.element, wire, out.emplace_back(), depth);
  }
  // Packed numbers.
  const bool fixed = shape.element->kind == Kind::kNumber;
  WireReader reader(wire.bytes);
  while (!reader.at_end()) {
    WireField field;
    field.wire = fixed ? Wire::kFixed64 : Wire::kVarint;
    const bool fine =
        fixed ? reader.fixed(8, field.number_value) : reader.varint(field.number_value);
    if (!fine) return malformed("list");
    if (!scalar(*shape.element, field, out.emplace_back())) return false;
  }
  return true;
}

bool Decoder::map_entry(const Shape& shape, std::string_view bytes, Json& out, int depth) {
  if (!out.is_object()) out = Json::object();
  Json key = "";
  Json member;
  WireReader reader(bytes);
  for (WireField field; !reader.at_end();) {
    if (!reader.next(field)) return malformed("map");
    if (field.number == 1) {
      if (field.wire != Wire::kBytes) return malformed("map");
      if (!text(field.bytes, key)) return false;
    } else if (field.number == 2 && !value(*shape.element, field, member, depth)) {
      return false;
    }
  }
  if (member.is_null()) {  // an empty value may be left away
    WireField empty;
    empty.wire = is_varint_kind(shape.element->kind)    ? Wire::kVarint
                 : shape.element->kind == Kind::kNumber ? Wire::kFixed64
                                                        : Wire::kBytes;
    if (!value(*shape.element, empty, member, depth)) return false;
  }
  out[key.get_ref<const std::string&>()] = std::move(member);
  return true;
}

// A message that stands for a list has the elements as its field 1.
bool read_wrapped(std::string_view bytes, std::vector<WireField>& elements) {
  WireReader reader(bytes);
  for (WireField field; !reader.at_end();) {
    if (!reader.next(field)) return false;
    if (field.number == 1) elements.push_back(field);
  }
  return true;
}

bool Decoder::value(const Shape& shape, const WireField& wire, Json& out, int depth) {
  if (is_varint_kind(shape.kind) || shape.kind == Kind::kNumber) return scalar(shape, wire, out);
  if (wire.wire != Wire::kBytes) return malformed("field");
  switch (shape.kind) {
    case Kind::kString:
      return text(wire.bytes, out);
    case Kind::kBytes:
      out = base64_encode(wire.bytes);
      return true;
    case Kind::kQuantity:
      return quantity(wire.bytes, out);
    case Kind::kTime:
    case Kind::kMicroTime:
      return time(shape, wire.bytes, out);
    case Kind::kIntOrString:
      return int_or_string(wire.bytes, out);
    case Kind::kAny:
      return any(shape, wire.bytes, out, depth);
    case Kind::kMap:
      return map_entry(shape, wire.bytes, out, depth);
    case Kind::kObject:
      return message(shape, {}, wire.bytes, out, depth + 1);
    default:
      break;
  }
  std::vector<WireField> elements;
  if (!shape.proto_wrapped || !read_wrapped(wire.bytes, elements)) return malformed("list");
  if (!out.is_array()) out = Json::array();
  for (const WireField& element : elements) {
    if (!value(*shape.element, element, out.emplace_back(), depth)) return false;
  }
  return true;
}

bool is_zero(const Json& value) {
  if (value.is_number()) return value == 0;
  if (value.is_string()) return value.get_ref<const std::string&>().empty();
  return value.is_boolean() && !value.get<bool>();
}

bool Decoder::known_field(const Field& field, const WireField& wire, Json& out, int depth) {
  const Shape& inner = *field.shape;
  Json& slot = out[field.name];
  const bool repeated = inner.kind == Kind::kList && !inner.proto_wrapped;
  const bool fine = repeated ? list(inner, wire, slot, depth) : value(inner, wire, slot, depth);
  if (!fine) {
    // A path for whoever has to find it; of a deep one the innermost names do.
    if (error_.size() < 200) error_ = fmt::format("{}: {}", field.name, error_);
    return false;
  }
  const bool no_value = slot.is_null() && inner.kind != Kind::kAny;
  if (no_value || (field.absent_when_zero && is_zero(slot))) out.erase(field.name);
  return true;
}

bool Decoder::message(const Shape& shape, Numbers inside, std::string_view bytes, Json& out,
                      int depth) {
  if (depth > kMaxDepth) return fail("nested too deep");
  if (!out.is_object()) out = Json::object();
  WireReader reader(bytes);
  for (WireField wire; !reader.at_end();) {
    if (!reader.next(wire)) return malformed("message");
    for (const Field& field : shape.fields) {
      if (field.proto_number == 0 || field.proto_inside.size() < inside.size()) continue;
      if (!std::equal(inside.begin(), inside.end(), field.proto_inside.begin())) continue;
      if (field.proto_inside.size() == inside.size()) {
        if (field.proto_number != wire.number) continue;
        if (!known_field(field, wire, out, depth)) return false;
        break;
      }
      if (field.proto_inside[inside.size()] != wire.number) continue;
      if (wire.wire != Wire::kBytes) return malformed("message");
      const Numbers deeper(field.proto_inside.data(), inside.size() + 1);
      if (!message(shape, deeper, wire.bytes, out, depth + 1)) return false;
      break;
    }
  }
  return true;
}

// runtime.Unknown: typeMeta 1 {apiVersion 1, kind 2}, raw 2, contentEncoding 3, contentType 4.
struct Envelope {
  std::string_view api_version, kind, raw, encoding, type;
};
bool read_envelope(std::string_view bytes, Envelope& envelope) {
  WireReader reader(bytes);
  std::string_view meta;
  for (WireField field; !reader.at_end();) {
    if (!reader.next(field) || field.wire != Wire::kBytes) return false;
    if (field.number == 1) meta = field.bytes;
    if (field.number == 2) envelope.raw = field.bytes;
    if (field.number == 3) envelope.encoding = field.bytes;
    if (field.number == 4) envelope.type = field.bytes;
  }
  WireReader inner(meta);
  for (WireField field; !inner.at_end();) {
    if (!inner.next(field) || field.wire != Wire::kBytes) return false;
    if (field.number == 1) envelope.api_version = field.bytes;
    if (field.number == 2) envelope.kind = field.bytes;
  }
  return true;
}

Result<Json> Decoder::body(std::string_view bytes, int depth) {
  Envelope envelope;
  if (!bytes.starts_with(kMagic)) return Error("not a protobuf body: it doesn't start with k8s");
  if (!read_envelope(bytes.substr(kMagic.size()), envelope)) {
    return Error("malformed protobuf envelope");
  }
  if (!envelope.encoding.empty()) {
    return Error(
        fmt::format("content encoding \"{}\" is not known", printable(envelope.encoding, 40)));
  }
  if (envelope.type == "application/json") return parse_json(envelope.raw);
  const size_t slash = envelope.api_version.find('/');
  const bool core = slash == envelope.api_version.npos;
  const std::string_view group = core ? "" : envelope.api_version.substr(0, slash);
  const std::string_view version =
      core ? envelope.api_version : envelope.api_version.substr(slash + 1);
  const Shape* shape = built_in(group, version, envelope.kind);
  if (shape == nullptr) {
    return Error(fmt::format("no kind \"{}\" is registered for version \"{}\" in protobuf",
                             printable(envelope.kind, 80), printable(envelope.api_version, 80)));
  }
  Json out = Json::object();
  if (!message(*shape, {}, envelope.raw, out, depth)) {
    return Error(fmt::format("{} as protobuf: {}", envelope.kind, error_));
  }
  out["apiVersion"] = envelope.api_version;
  out["kind"] = envelope.kind;
  return out;
}

}  // namespace

Result<Json> decode_protobuf(std::string_view body) { return Decoder().body(body, 0); }

}  // namespace windlass::server::schema

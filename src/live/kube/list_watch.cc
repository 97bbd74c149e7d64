#include "live/kube/list_watch.h"

#include <algorithm>
#include <simdjson.h>

#include <fmt/format.h>

#include "base/text.h"
#include "base/utf8.h"

namespace windlass::live::kube {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::string_view kInitialEventsEnd = "k8s.io/initial-events-end";

Error fault(std::string_view where, simdjson::error_code code) {
  return Error(fmt::format("{}: {}", where, simdjson::error_message(code)));
}

// The text of a string value; null reads as "".
simdjson::error_code read_text(ondemand::value value, std::string& out) {
  std::string_view text;
  const auto code = value.get_string().get(text);
  if (code == simdjson::INCORRECT_TYPE) {
    bool is_null = false;
    if (const auto failed = value.is_null().get(is_null)) return failed;
    return is_null ? simdjson::SUCCESS : code;
  }
  if (code == simdjson::SUCCESS) out.assign(text);
  return code;
}

simdjson::error_code read_annotations(ondemand::value value, WireObject& out) {
  ondemand::object annotations;
  if (const auto code = value.get_object().get(annotations)) {
    return code == simdjson::INCORRECT_TYPE ? simdjson::SUCCESS : code;
  }
  for (auto entry : annotations) {
    std::string_view key;
    if (const auto code = entry.unescaped_key().get(key)) return code;
    if (key != kInitialEventsEnd) continue;
    std::string text;
    ondemand::value inner;
    if (const auto code = entry.value().get(inner)) return code;
    if (const auto code = read_text(inner, text)) return code;
    out.initial_events_end = text == "true";
  }
  return simdjson::SUCCESS;
}

simdjson::error_code read_metadata(ondemand::object metadata, bool bookmark, WireObject& out) {
  std::string name;
  std::string namespace_name;
  for (auto field : metadata) {
    std::string_view key;
    if (const auto code = field.unescaped_key().get(key)) return code;
    std::string* target = key == "name"              ? &name
                          : key == "namespace"       ? &namespace_name
                          : key == "uid"             ? &out.uid
                          : key == "resourceVersion" ? &out.resource_version
                                                     : nullptr;
    const bool annotations = bookmark && key == "annotations";
    if (target == nullptr && !annotations) continue;
    ondemand::value value;
    if (const auto code = field.value().get(value)) return code;
    if (const auto code = annotations ? read_annotations(value, out) : read_text(value, *target)) {
      return code;
    }
  }
  if (!name.empty()) out.key = namespace_name.empty() ? name : namespace_name + "/" + name;
  return simdjson::SUCCESS;
}

Status read_object(ondemand::value value, bool bookmark, WireObject& out) {
  ondemand::object object;
  if (const auto code = value.get_object().get(object)) return fault("object", code);
  std::string_view json;
  if (const auto code = object.raw_json().get(json)) return fault("object", code);
  out.json = trim(json);
  if (const auto code = object.reset().error()) return fault("object", code);
  ondemand::object metadata;
  if (const auto code = object.find_field("metadata").get_object().get(metadata)) {
    return fault("metadata", code);
  }
  if (const auto code = read_metadata(metadata, bookmark, out)) return fault("metadata", code);
  if (!bookmark && out.key.empty()) return Error("metadata.name is missing");
  return {};
}

Status read_list_metadata(ondemand::value value, WireList& out) {
  ondemand::object metadata;
  if (const auto code = value.get_object().get(metadata)) return fault("metadata", code);
  for (auto field : metadata) {
    std::string_view key;
    if (const auto code = field.unescaped_key().get(key)) return fault("metadata", code);
    std::string* target = key == "resourceVersion" ? &out.resource_version
                          : key == "continue"      ? &out.continue_token
                                                   : nullptr;
    if (target == nullptr) continue;
    ondemand::value text;
    if (const auto code = field.value().get(text)) return fault("metadata", code);
    if (const auto code = read_text(text, *target)) return fault("metadata", code);
  }
  return {};
}

Status read_items(ondemand::value value, const std::function<bool(const WireObject&)>& each) {
  ondemand::array items;
  if (const auto code = value.get_array().get(items)) {
    // Go writes a list that was never filled as null.
    bool is_null = false;
    if (code == simdjson::INCORRECT_TYPE && !value.is_null().get(is_null) && is_null) return {};
    return fault("items", code);
  }
  size_t index = 0;
  for (auto item : items) {
    ondemand::value element;
    WireObject object;
    if (const auto code = item.get(element)) return fault(fmt::format("items[{}]", index), code);
    if (const Status read = read_object(element, false, object); !read) {
      return read.error().in(fmt::format("items[{}]", index));
    }
    if (!each(object)) return Error("stopped");
    ++index;
  }
  return {};
}

simdjson::padded_string_view padded(std::string& text) {
  text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  return simdjson::padded_string_view(text.data(), text.size(), text.capacity());
}

// code, reason and message of a Status object.
simdjson::error_code read_status_fields(ondemand::value value, WireEvent& out) {
  ondemand::object status;
  if (const auto code = value.get_object().get(status)) return code;
  for (auto field : status) {
    std::string_view key;
    if (const auto code = field.unescaped_key().get(key)) return code;
    if (key != "code" && key != "reason" && key != "message") continue;
    ondemand::value inner;
    if (const auto code = field.value().get(inner)) return code;
    int64_t number = 0;
    if (key == "code") {
      if (inner.get_int64().get(number) == simdjson::SUCCESS) {
        out.code = static_cast<int>(std::clamp<int64_t>(number, 0, 999));
      }
    } else if (const auto code = read_text(inner, key == "reason" ? out.reason : out.message)) {
      return code;
    }
  }
  return simdjson::SUCCESS;
}

}  // namespace

Result<WireList> read_list(std::string& body, const std::function<bool(const WireObject&)>& each) {
  ondemand::parser parser;
  ondemand::document document;
  ondemand::object root;
  if (const auto code = parser.iterate(padded(body)).get(document)) return fault("list", code);
  if (const auto code = document.get_object().get(root)) return fault("list", code);
  WireList out;
  bool has_metadata = false;
  for (auto field : root) {
    std::string_view key;
    if (const auto code = field.unescaped_key().get(key)) return fault("list", code);
    if (key != "metadata" && key != "items" && key != "kind") continue;
    ondemand::value value;
    if (const auto code = field.value().get(value)) return fault(key, code);
    if (key == "kind") {
      // A Status has metadata, too; as an empty list it would end all that is known.
      std::string kind;
      if (const auto code = read_text(value, kind)) return fault(key, code);
      if (!kind.ends_with("List")) return Error("list: its kind is " + printable(kind, 32));
      continue;
    }
    const bool metadata = key == "metadata";
    has_metadata = has_metadata || metadata;
    if (const Status read = metadata ? read_list_metadata(value, out) : read_items(value, each);
        !read) {
      return read.error();
    }
  }
  if (!has_metadata) return Error("list: no metadata");
  return out;
}

struct WireReader::Impl {
  ondemand::parser parser;
  std::string buffer;
};

WireReader::WireReader() : impl_(std::make_unique<Impl>()) {}
WireReader::~WireReader() = default;

Result<WireEvent> WireReader::read(std::string_view line) {
  using Type = WireEvent::Type;
  impl_->buffer.assign(line);
  ondemand::document document;
  ondemand::object root;
  if (const auto code = impl_->parser.iterate(padded(impl_->buffer)).get(document)) {
    return fault("event", code);
  }
  if (const auto code = document.get_object().get(root)) return fault("event", code);
  std::string_view type;
  if (const auto code = root.find_field_unordered("type").get_string().get(type)) {
    return fault("event type", code);
  }
  WireEvent out;
  if (type == "ADDED") {
    out.type = Type::kAdded;
  } else if (type == "MODIFIED") {
    out.type = Type::kModified;
  } else if (type == "DELETED") {
    out.type = Type::kDeleted;
  } else if (type == "BOOKMARK") {
    out.type = Type::kBookmark;
  } else if (type == "ERROR") {
    out.type = Type::kError;
  } else {
    return Error(fmt::format("event: unknown type \"{}\"", printable(type, 32)));
  }
  ondemand::value object;
  if (const auto code = root.find_field_unordered("object").get(object)) {
    return fault("event object", code);
  }
  if (out.type == Type::kError) {
    if (const auto code = read_status_fields(object, out)) return fault("status", code);
    return out;
  }
  if (const Status read = read_object(object, out.type == Type::kBookmark, out.object); !read) {
    return read.error();
  }
  return out;
}

bool is_earlier_version(std::string_view a, std::string_view b) {
  const auto numeric = [](std::string_view text) {
    return !text.empty() && text[0] != '0' &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (!numeric(a) || !numeric(b)) return false;
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace windlass::live::kube

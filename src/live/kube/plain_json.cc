#include "live/kube/plain_json.h"

#include <algorithm>
#include <charconv>

#include "api/names.h"
#include "base/quantity.h"

namespace windlass::live::kube {
namespace {

// As deep as parse_json goes; what is deeper is left to it.
constexpr size_t kMaxDepth = 256;
constexpr size_t kFirstCapacity = 64 << 10;

// simdjson takes the second half of a surrogate pair by itself, parse_json does not.
bool may_hold_surrogates(std::string_view json) {
  for (size_t at = json.find("\\u"); at != std::string_view::npos; at = json.find("\\u", at + 2)) {
    if (at + 2 < json.size() && (json[at + 2] == 'd' || json[at + 2] == 'D')) return true;
  }
  return false;
}

// Kept from one document to the next: a tape and a buffer that are big enough.
struct Parser {
  simdjson::dom::parser parser;
  std::string buffer;
  bool ready = false;
};

api::OwnerReference read_owner(PlainJson& json, const Plain& item) {
  const auto [api_version, kind, name, uid, controller] =
      json.fields<5>(item, {"apiVersion", "kind", "name", "uid", "controller"});
  api::OwnerReference out;
  out.api_version = json.required_string(api_version);
  out.kind = json.required_string(kind);
  out.name = json.required_string(name);
  out.uid = json.text(uid);
  out.controller = json.boolean(controller);
  return out;
}

}  // namespace

Plain parse_plain(std::string_view json) {
  thread_local Parser kept;
  if (may_hold_surrogates(json)) return std::nullopt;
  if (!kept.ready) {
    if (kept.parser.allocate(kFirstCapacity, kMaxDepth) != simdjson::SUCCESS) return std::nullopt;
    kept.ready = true;
  }
  kept.buffer.reserve(json.size() + simdjson::SIMDJSON_PADDING);
  kept.buffer.assign(json);
  simdjson::dom::element root;
  if (kept.parser.parse(kept.buffer.data(), kept.buffer.size(), false).get(root) !=
          simdjson::SUCCESS ||
      root.is_null()) {
    return std::nullopt;
  }
  return root;
}

std::optional<std::string_view> PlainJson::string(const Plain& value) {
  std::string_view out;
  if (!value) return std::nullopt;
  if (value->get_string().get(out) == simdjson::SUCCESS) return out;
  refuse();
  return std::nullopt;
}

std::string_view PlainJson::required_string(const Plain& value) {
  const std::string_view out = string(value).value_or("");
  if (out.empty()) refuse();
  return out;
}

bool PlainJson::boolean(const Plain& value) {
  bool out = false;
  if (value && value->get_bool().get(out) != simdjson::SUCCESS) refuse();
  return out;
}

std::optional<int64_t> PlainJson::integer(const Plain& value, int64_t low, int64_t high) {
  if (!value) return std::nullopt;
  int64_t out = 0;
  if (value->is_int64() && value->get_int64().get(out) == simdjson::SUCCESS && out >= low &&
      out <= high) {
    return out;
  }
  refuse();
  return std::nullopt;
}

std::optional<Instant> PlainJson::time(const Plain& value) {
  const auto written = string(value);
  if (!written) return std::nullopt;
  const auto parsed = parse_rfc3339(*written);
  if (parsed.ok()) return *parsed;
  refuse();
  return std::nullopt;
}

std::vector<std::string> PlainJson::strings(const Plain& list) {
  std::vector<std::string> out;
  items(list, [&](const Plain& item) { out.push_back(text(item)); });
  return out;
}

api::StringMap PlainJson::string_map(const Plain& map) {
  api::StringMap out;
  entries(map, [&](std::string_view key, const Plain& value) {
    const size_t before = out.size();
    // Servers write maps in order.
    out.emplace_hint(out.end(), key, text(value));
    if (out.size() == before) refuse();
  });
  return out;
}

api::StringMap PlainJson::labels(const Plain& map) {
  api::StringMap out = string_map(map);
  for (const auto& [key, value] : out) {
    if (!api::is_qualified_name(key) || !api::is_label_value(value)) refuse();
  }
  return out;
}

api::ResourceList PlainJson::resources(const Plain& map) {
  api::ResourceList out;
  entries(map, [&](std::string_view name, const Plain& value) {
    const auto amount = Quantity::parse(required_string(value));
    if (!amount.ok() || *amount < Quantity() || out.has(name)) return refuse();
    out.set(name, amount->milli());
  });
  return out;
}

std::string PlainJson::label_key(std::string_view key) {
  if (key.starts_with("beta.kubernetes.io/") ||
      key.starts_with("failure-domain.beta.kubernetes.io/")) {
    refuse();
  }
  return std::string(key);
}

std::string_view PlainJson::one_of(const Plain& value, std::string_view absent,
                                   std::initializer_list<std::string_view> accepted) {
  const std::string_view found = string(value).value_or(absent);
  if (value && std::find(accepted.begin(), accepted.end(), found) == accepted.end()) refuse();
  return found;
}

api::ObjectMeta plain_meta(PlainJson& json, const Plain& meta, bool namespaced) {
  const auto [name, namespace_name, uid, labels, annotations, owners, finalizers, created, deleted,
              generation, version] =
      json.fields<11>(meta, {"name", "namespace", "uid", "labels", "annotations", "ownerReferences",
                             "finalizers", "creationTimestamp", "deletionTimestamp", "generation",
                             "resourceVersion"});
  api::ObjectMeta out;
  out.name = json.required_string(name);
  if (!api::is_dns_subdomain(out.name)) json.refuse();
  if (namespaced) {
    out.namespace_name = json.text(namespace_name);
    if (out.namespace_name.empty()) out.namespace_name = "default";
  }
  out.uid = json.text(uid);
  out.labels = json.labels(labels);
  out.annotations = json.string_map(annotations);
  json.items(owners, [&](const Plain& item) { out.owners.push_back(read_owner(json, item)); });
  out.finalizers = json.strings(finalizers);
  out.created = json.time(created).value_or(Instant{});
  out.deleted = json.time(deleted);
  out.generation = json.integer(generation, 0, INT64_MAX).value_or(0);
  // Versions that are no integers count as 0, as in api::decode.
  const std::string_view digits = json.string(version).value_or("");
  uint64_t number = 0;
  const auto [at, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (code == std::errc() && at == digits.data() + digits.size()) out.resource_version = number;
  return out;
}

PlainCondition plain_condition(PlainJson& json, const Plain& item) {
  const auto [type, status, reason, message, changed] =
      json.fields<5>(item, {"type", "status", "reason", "message", "lastTransitionTime"});
  PlainCondition out;
  out.type = json.required_string(type);
  out.status = json.string(status).value_or("Unknown");
  out.reason = json.string(reason).value_or("");
  out.message = json.string(message).value_or("");
  out.changed = json.time(changed).value_or(Instant{});
  return out;
}

}  // namespace windlass::live::kube

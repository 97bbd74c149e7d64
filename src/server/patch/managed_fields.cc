#include "server/patch/managed_fields.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "server/patch/patch.h"

namespace windlass::server::patch {
namespace {

constexpr size_t kMaxUpdaters = 10;
constexpr const char* kAncientChanges = "ancient-changes";

std::string text(const Json& entry, const char* key) {
  const auto found = entry.find(key);
  return found != entry.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Seconds since 1970; entries without a time are the oldest.
int64_t second_of(const Owned& owned) {
  const Result<Instant> time = parse_rfc3339(owned.time);
  return time ? time->ns / 1'000'000'000 : 0;
}

Status read_entry(const Json& entry, ManagedFields& managed) {
  if (!entry.is_object()) return Error("not an object");
  const std::string operation = text(entry, "operation");
  if (operation != "Apply" && operation != "Update") {
    return Error(
        fmt::format("operation must be Apply or Update, not \"{}\"", printable(operation, 40)));
  }
  const std::string api_version = text(entry, "apiVersion");
  if (api_version.empty()) return Error("apiVersion must not be empty");
  const std::string fields_type = text(entry, "fieldsType");
  if (fields_type != "FieldsV1") {
    return Error(
        fmt::format("fieldsType must be FieldsV1, not \"{}\"", printable(fields_type, 40)));
  }
  Owned owned{api_version, text(entry, "time"), {}};
  if (!owned.time.empty() && !parse_rfc3339(owned.time)) {
    return Error(fmt::format("time: \"{}\" is no RFC 3339 time", printable(owned.time, 40)));
  }
  if (const auto fields = entry.find("fieldsV1"); fields != entry.end() && !fields->is_null()) {
    Result<FieldSet> set = parse_fields(*fields);
    if (!set) return set.error();
    owned.fields = *std::move(set);
  }
  const bool apply = operation == "Apply";
  const Owner owner{apply, text(entry, "manager"), apply ? std::string() : api_version,
                    text(entry, "subresource")};
  managed.insert_or_assign(owner, std::move(owned));
  return {};
}

Json write_entry(const Owner& owner, const Owned& owned) {
  Json entry = {{"apiVersion", owned.api_version},
                {"fieldsType", "FieldsV1"},
                {"fieldsV1", to_json(owned.fields)},
                {"manager", owner.manager},
                {"operation", owner.apply ? "Apply" : "Update"}};
  if (!owned.time.empty()) entry["time"] = owned.time;
  if (!owner.subresource.empty()) entry["subresource"] = owner.subresource;
  return entry;
}

const FieldSet& unowned() {
  static const FieldSet set = [] {
    FieldSet all;
    all.children["f:apiVersion"].member = true;
    all.children["f:kind"].member = true;
    FieldSet& metadata = all.children["f:metadata"];
    metadata.member = true;
    for (const char* name : {"name", "namespace", "creationTimestamp", "selfLink", "uid",
                             "clusterName", "generation", "managedFields", "resourceVersion"}) {
      metadata.children[field_step(name)].member = true;
    }
    return all;
  }();
  return set;
}

}  // namespace

Owner owner_of(const Manager& manager, bool apply) {
  return {apply, manager.name, apply ? std::string() : manager.api_version, manager.subresource};
}

Result<ManagedFields> read_managed_fields(const Json& entries) {
  ManagedFields managed;
  if (entries.is_null()) return managed;
  if (!entries.is_array()) return Error("metadata.managedFields: not a list");
  for (size_t i = 0; i < entries.size(); ++i) {
    const Status read = read_entry(entries[i], managed);
    if (!read) return read.error().in(fmt::format("metadata.managedFields[{}]", i));
  }
  return managed;
}

Json write_managed_fields(const ManagedFields& managed) {
  std::vector<const ManagedFields::value_type*> entries;
  for (const auto& entry : managed) entries.push_back(&entry);
  const auto before = [](const auto* a, const auto* b) {
    const auto key = [](const auto* e) {
      return std::make_tuple(!e->first.apply, second_of(e->second), e->first.manager,
                             e->second.api_version, e->first.subresource);
    };
    return key(a) < key(b);
  };
  std::sort(entries.begin(), entries.end(), before);
  Json list = Json::array();
  for (const auto* entry : entries) list.push_back(write_entry(entry->first, entry->second));
  return list;
}

Json managed_fields_of(const Json& object) {
  if (!object.is_object()) return nullptr;
  const auto metadata = object.find("metadata");
  if (metadata == object.end() || !metadata->is_object()) return nullptr;
  return metadata->value("managedFields", Json());
}

void set_managed_fields(Json& object, const ManagedFields& managed) {
  if (!object.is_object()) return;
  const auto metadata = object.find("metadata");
  if (managed.empty()) {
    if (metadata != object.end() && metadata->is_object()) metadata->erase("managedFields");
    return;
  }
  if (metadata == object.end() || !metadata->is_object()) object["metadata"] = Json::object();
  object["metadata"]["managedFields"] = write_managed_fields(managed);
}

FieldSet without_unowned(const FieldSet& fields) { return subtract(fields, unowned()); }

void disown(ManagedFields& managed, const FieldSet& fields, const Owner* except) {
  for (auto entry = managed.begin(); entry != managed.end();) {
    if (except == nullptr || !(entry->first == *except)) {
      entry->second.fields = subtract(entry->second.fields, fields);
    }
    entry = entry->second.fields.empty() ? managed.erase(entry) : std::next(entry);
  }
}

void cap_updaters(ManagedFields& managed) {
  std::vector<std::pair<int64_t, Owner>> updaters;
  for (const auto& [owner, owned] : managed) {
    if (!owner.apply) updaters.emplace_back(second_of(owned), owner);
  }
  if (updaters.size() <= kMaxUpdaters) return;
  std::sort(updaters.begin(), updaters.end());
  // The oldest two of one version are the first to share an entry.
  std::map<std::string, Owner> first_of_version;
  size_t count = updaters.size();
  for (const auto& [second, owner] : updaters) {
    if (count <= kMaxUpdaters) return;
    const auto [first, is_first] = first_of_version.emplace(owner.api_version, owner);
    if (is_first) continue;
    const Owner bucket{false, kAncientChanges, owner.api_version, ""};
    // Where the bucket is there already, the first one of the version stays.
    if (!managed.contains(bucket)) {
      managed[bucket] = std::move(managed[first->second]);
      managed.erase(first->second);
    }
    Owned& into = managed[bucket];
    const Owned& from = managed[owner];
    into.fields = unite(std::move(into.fields), from.fields);
    into.time = from.time;  // the younger of the two
    if (!(owner == bucket)) managed.erase(owner);
    --count;
  }
}

std::string time_of(Instant now) {
  const int64_t second = now.ns / 1'000'000'000 - (now.ns % 1'000'000'000 < 0 ? 1 : 0);
  return to_rfc3339(Instant{second * 1'000'000'000});
}

}  // namespace windlass::server::patch

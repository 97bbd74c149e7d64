// Server-side apply: lay the configuration over the live object, take out what this manager no
// longer names, and find who else owned what thereby changed.
#include <nlohmann/json.hpp>

#include "server/patch/last_applied.h"
#include "server/patch/managed_fields.h"
#include "server/patch/patch.h"
#include "server/patch/typed_fields.h"
#include "server/patch/typed_merge.h"

namespace windlass::server::patch {
namespace {

using schema::Shape;

// Everything that was there before the first apply belongs to an entry of this name.
constexpr const char* kBeforeFirstApply = "before-first-apply";
// The name under which kubectl applies; only it knows of its annotation.
constexpr const char* kKubectl = "kubectl";

Json bare(Json object) {
  if (object.is_object() && object.contains("metadata") && object["metadata"].is_object()) {
    object["metadata"].erase("managedFields");
  }
  return object;
}

// The live object that a create starts from.
Json empty_object(const Json& config) {
  Json object = Json::object();
  for (const char* key : {"apiVersion", "kind"}) {
    if (config.contains(key)) object[key] = config[key];
  }
  return object;
}

// What the manager applied last time and doesn't now, unless it is in `owned` (everyone's fields,
// the new ones of this manager included): the paths to remove from `merged`.
FieldSet abandoned(const Json& merged, const FieldSet& last, const FieldSet& owned,
                   const Shape& shape) {
  if (last.empty()) return {};
  const FieldSet before = with_named(last, &shape);
  const FieldSet all = with_named(fields_of(merged, &shape), &shape);
  const auto fields_without = [&](const FieldSet& doomed) {
    const Json rest = remove_fields(merged, doomed, &shape, Emptied::kNull);
    return with_named(fields_of(rest, &shape), &shape);
  };
  // Taking away whole items and members takes what others own in them; that comes back, and so does
  // what nobody owned: it must stay unless its holder went.
  const FieldSet kept = unite(fields_without(before), with_named(owned, &shape));
  const FieldSet left = fields_without(subtract(all, kept));
  return intersect(subtract(all, left), before);
}

struct Clash {
  Owner owner;
  FieldSet fields;
};

std::vector<Clash> clashes(const ManagedFields& managed, const Owner& self,
                           const FieldSet& changed) {
  std::vector<Clash> found;
  for (const auto& [owner, owned] : managed) {
    if (owner == self) continue;
    FieldSet fields = intersect(owned.fields, changed);
    if (!fields.empty()) found.push_back({owner, std::move(fields)});
  }
  return found;
}

std::vector<ApplyConflict> conflicts_of(const std::vector<Clash>& found,
                                        const ManagedFields& managed) {
  std::vector<ApplyConflict> conflicts;
  for (const auto& [owner, fields] : found) {
    const std::string& version = managed.at(owner).api_version;
    for (std::string& path : paths_of(fields)) {
      conflicts.push_back(
          {owner.manager, version, owner.apply, std::move(path), owner.subresource});
    }
  }
  return conflicts;
}

Result<ManagedFields> live_managers(const Json& live, const Json& live_bare, const Json& empty,
                                    const Shape& shape, const Manager& manager) {
  Result<ManagedFields> managed = read_managed_fields(managed_fields_of(live));
  if (!managed || !managed->empty() || live.is_null()) return managed;
  Manager first = manager;
  first.name = kBeforeFirstApply;
  const Changes there = compare(&empty, &live_bare, &shape);
  FieldSet fields = without_unowned(unite(there.added, there.modified));
  if (!fields.empty()) {
    managed->emplace(owner_of(first, false),
                     Owned{manager.api_version, time_of(manager.now), std::move(fields)});
  }
  return managed;
}

}  // namespace

Result<Applied> apply(const Json& live, const Json& config, const Shape& shape,
                      const Manager& manager, bool force) {
  if (!config.is_object()) return Error("an apply configuration is an object");
  if (!managed_fields_of(config).is_null()) return Error("metadata.managedFields must be nil");
  if (const Status good = check_config(config, &shape); !good) {
    return good.error().in("failed to create typed patch object");
  }
  const Json empty = empty_object(config);
  const Json live_bare = live.is_object() ? bare(live) : empty;
  Result<ManagedFields> read = live_managers(live, live_bare, empty, shape, manager);
  if (!read) return read.error().in("failed to decode managed fields");
  ManagedFields& managed = *read;

  const Owner self = owner_of(manager, true);
  const FieldSet last = managed[self].fields;
  managed[self].api_version = manager.api_version;
  managed[self].fields = fields_of(config, &shape);
  FieldSet owned;
  for (const auto& [owner, entry] : managed) owned = unite(std::move(owned), entry.fields);

  const Json laid_over = merge_config(live_bare, config, &shape);
  const FieldSet doomed = abandoned(laid_over, last, owned, shape);
  const Json outcome = remove_fields(laid_over, doomed, &shape, Emptied::kNull);
  const Changes changes = compare(&live_bare, &outcome, &shape);
  const FieldSet changed = unite(changes.added, changes.modified);

  std::vector<Clash> found = clashes(managed, self, changed);
  if (!force && !found.empty() && manager.name == kKubectl) {
    // What kubectl applied from the client's side it may go on applying; but all or nothing.
    const FieldSet allowed = last_applied_fields(live_bare, shape);
    std::vector<Clash> others;
    for (const Clash& clash : found) {
      FieldSet fields = subtract(clash.fields, allowed);
      if (!fields.empty()) others.push_back({clash.owner, std::move(fields)});
    }
    found = std::move(others);
  }
  if (!force && !found.empty()) return Applied{nullptr, conflicts_of(found, managed)};

  if (outcome != live_bare || live.is_null()) managed[self].time = time_of(manager.now);
  disown(managed, unite(changed, changes.removed), &self);
  if (const auto own = managed.find(self); own != managed.end()) {
    own->second.fields = without_unowned(own->second.fields);
    if (own->second.fields.empty()) managed.erase(own);
  }
  Json merged = drop_nulls(remove_fields(laid_over, doomed, &shape), &shape);
  if (manager.name == kKubectl) refresh_last_applied(merged, config);
  set_managed_fields(merged, managed);
  return Applied{std::move(merged), {}};
}

}  // namespace windlass::server::patch

// Ownership by creates, updates and patches: whoever changes a field owns it.
#include <nlohmann/json.hpp>

#include "server/patch/managed_fields.h"
#include "server/patch/patch.h"
#include "server/patch/typed_fields.h"

namespace windlass::server::patch {
namespace {

// [] and [{}] are how a client asks to have all entries forgotten; not to send any changes nothing.
bool asks_for_reset(const Json& entries) {
  return entries.is_array() &&
         (entries.empty() || (entries.size() == 1 && entries[0].is_object() && entries[0].empty()));
}

ManagedFields entries_of(const Json& object) {
  Result<ManagedFields> managed = read_managed_fields(managed_fields_of(object));
  return managed ? *std::move(managed) : ManagedFields();
}

// The entries that the update starts from: the request's if it brings good ones, else the object's.
// A subresource can't change them.
ManagedFields entries_before(const Json& before, const Json& after, const Manager& manager) {
  if (manager.subresource.empty()) {
    if (asks_for_reset(managed_fields_of(after))) return {};
    ManagedFields asked = entries_of(after);
    if (!asked.empty()) return asked;
  }
  return entries_of(before);
}

Json bare(Json object) {
  if (object.is_object() && object.contains("metadata") && object["metadata"].is_object()) {
    object["metadata"].erase("managedFields");
  }
  return object;
}

}  // namespace

void track_update(const Json& before, Json& after, const schema::Shape& shape,
                  const Manager& manager) {
  ManagedFields managed = entries_before(before, after, manager);
  // Whose object has no entries doesn't want any; a create or the first apply begins them.
  if (managed.empty() && !before.is_null()) {
    set_managed_fields(after, {});
    return;
  }
  const Json old = before.is_object() ? bare(before) : Json::object();
  const Json now = bare(after);
  const Changes changes = compare(&old, &now, &shape);
  const FieldSet taken = unite(changes.added, changes.modified);
  disown(managed, unite(taken, changes.removed), nullptr);

  FieldSet own = without_unowned(taken);
  if (!own.empty()) {
    Owned& entry = managed[owner_of(manager, false)];
    entry.api_version = manager.api_version;
    entry.time = time_of(manager.now);
    entry.fields = unite(std::move(entry.fields), own);
  }
  cap_updaters(managed);
  set_managed_fields(after, managed);
}

}  // namespace windlass::server::patch

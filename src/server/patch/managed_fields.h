// metadata.managedFields: who owns which fields of an object. Read into values, changed, and
// written back in Kubernetes' order.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "server/patch/field_set.h"

namespace windlass::server::patch {

struct Manager;  // server/patch/patch.h

// What makes an entry one's own. An applier has one entry whatever version it applies with; an
// updater one for each version.
struct Owner {
  bool apply = false;
  std::string manager;
  std::string api_version;  // Update only
  std::string subresource;
  auto key() const { return std::tie(apply, manager, api_version, subresource); }
  bool operator<(const Owner& other) const { return key() < other.key(); }
  bool operator==(const Owner& other) const { return key() == other.key(); }
};
Owner owner_of(const Manager& manager, bool apply);

struct Owned {
  std::string api_version;
  std::string time;  // RFC 3339; empty: none
  FieldSet fields;
};
using ManagedFields = std::map<Owner, Owned>;

// null and [] are no entries. The error names the entry.
Result<ManagedFields> read_managed_fields(const Json& entries);
// Applied before updated, older before newer, then by name, version and subresource.
Json write_managed_fields(const ManagedFields& managed);

// metadata.managedFields of an object, or null.
Json managed_fields_of(const Json& object);
// Puts the entries into the object, or takes the member away if there are none.
void set_managed_fields(Json& object, const ManagedFields& managed);

// What no manager ever owns: apiVersion, kind, metadata.name and the like.
FieldSet without_unowned(const FieldSet& fields);
// Takes the fields from everyone (but `except`, if it isn't null); entries that own nothing go.
void disown(ManagedFields& managed, const FieldSet& fields, const Owner* except);
// At most ten updaters are kept; the fields of the oldest go to "ancient-changes".
void cap_updaters(ManagedFields& managed);

std::string time_of(Instant now);  // whole seconds, as entries have them

}  // namespace windlass::server::patch

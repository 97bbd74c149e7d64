// An object seen through its shape, as server-side apply sees it: which values are owned as a
// whole, which by member, which lists by item. From that: the paths an object has, and those by
// which two objects differ.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "server/patch/field_set.h"
#include "server/schema/shape.h"

namespace windlass::server::patch {

// How a value is owned. A null shape stands for "not declared": then objects are owned by member,
// lists as a whole.
enum class Form { kLeaf, kMembers, kItems };
Form form_of(const schema::Shape* shape, const Json& value);

// The shape of a member, and whether the shape declares it by name (a map's keys aren't declared).
struct MemberShape {
  const schema::Shape* shape = nullptr;
  bool named = false;
};
MemberShape member_of(const schema::Shape* shape, const std::string& key);

// What tells an item of a list of type set or map apart. Error: it has none of the list's keys, or
// is of the wrong type. A key that is absent has its default, if there is one.
Result<std::string> item_step(const schema::Shape& list, const Json& item);

// Every path the object has.
FieldSet fields_of(const Json& object, const schema::Shape* shape);

// The set with all declared members on the way to its paths in it too.
FieldSet with_named(FieldSet set, const schema::Shape* shape);

struct Changes {
  FieldSet added, modified, removed;
  [[nodiscard]] bool empty() const { return added.empty() && modified.empty() && removed.empty(); }
};
// nullptr: there is no such value.
Changes compare(const Json* before, const Json* after, const schema::Shape* shape);

}  // namespace windlass::server::patch

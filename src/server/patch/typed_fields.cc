#include "server/patch/typed_fields.h"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace windlass::server::patch {
namespace {

using schema::Kind;
using schema::ListType;
using schema::Shape;

const Json& nothing() {
  static const Json empty = Json::object();
  return empty;
}

// The value an absent list key stands for. The one that built-in lists have is the protocol of
// ports; those of CRDs are in their schemas.
Json key_default(const Shape& list, const std::string& key) {
  if (list.element == nullptr) return nullptr;
  const schema::Field* const field = list.element->field(key);
  if (field == nullptr || field->shape == nullptr) return nullptr;
  if (const auto& written = field->shape->written) return written->value("default", Json());
  return key == "protocol" && !list.element->written ? Json("TCP") : Json();
}

void adopt(Changes& changes, const std::string& step, Changes below) {
  changes.added.adopt(step, std::move(below.added));
  changes.modified.adopt(step, std::move(below.modified));
  changes.removed.adopt(step, std::move(below.removed));
}

// The difference of values owned as a whole.
Changes compare_leaf(const Json* before, const Json* after) {
  Changes changes;
  if (before == nullptr) {
    changes.added.member = true;
  } else if (after == nullptr) {
    changes.removed.member = true;
  } else {
    changes.modified.member = *before != *after;
  }
  return changes;
}

const Json* member(const Json& object, const std::string& key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

Changes compare_members(const Json* before, const Json* after, const Shape* shape) {
  const Json& old = before != nullptr && before->is_object() ? *before : nothing();
  const Json& now = after != nullptr && after->is_object() ? *after : nothing();
  if (old.empty() && now.empty()) return compare_leaf(before, after);
  Changes changes;
  const auto visit = [&](const std::string& key) {
    const Shape* const below = member_of(shape, key).shape;
    adopt(changes, field_step(key), compare(member(old, key), member(now, key), below));
  };
  for (const auto& [key, value] : old.items()) visit(key);
  for (const auto& [key, value] : now.items()) {
    if (!old.contains(key)) visit(key);
  }
  return changes;
}

// The items of each identity, in the order of identities. Items without one don't count.
using Items = std::map<std::string, std::vector<const Json*>>;
Items items_by_step(const Json* list, const Shape& shape) {
  Items items;
  if (list == nullptr || !list->is_array()) return items;
  for (const Json& item : *list) {
    if (const Result<std::string> step = item_step(shape, item)) items[*step].push_back(&item);
  }
  return items;
}

bool same_values(const std::vector<const Json*>& a, const std::vector<const Json*>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Json* x, const Json* y) { return *x == *y; });
}

// Two items of one identity (a live list may hold such) are owned together, as one value.
Changes compare_items_of_step(const std::vector<const Json*>& old,
                              const std::vector<const Json*>& now, const Shape* shape) {
  const Json* const old_item = old.empty() ? nullptr : old.front();
  const Json* const new_item = now.empty() ? nullptr : now.front();
  if (old.size() <= 1 && now.size() <= 1) return compare(old_item, new_item, shape);
  Changes changes;
  if (old.size() >= 2 && now.size() >= 2) {
    changes.modified.member = !same_values(old, now);
  } else if (old.size() >= 2) {
    if (new_item != nullptr) changes = compare(nullptr, new_item, shape);
    changes.removed.member = true;
  } else {
    if (old_item != nullptr) changes = compare(old_item, nullptr, shape);
    changes.added.member = true;
  }
  return changes;
}

Changes compare_items(const Json* before, const Json* after, const Shape& shape) {
  const auto nothing_in = [](const Json* list) {
    return list == nullptr || !list->is_array() || list->empty();
  };
  if (nothing_in(before) && nothing_in(after)) return compare_leaf(before, after);
  Items old = items_by_step(before, shape);
  Items now = items_by_step(after, shape);
  Changes changes;
  for (const auto& [step, items] : old) {
    adopt(changes, step, compare_items_of_step(items, now[step], shape.element));
  }
  for (const auto& [step, items] : now) {
    if (!old.contains(step)) adopt(changes, step, compare_items_of_step({}, items, shape.element));
  }
  return changes;
}

Changes compare_as(Form form, const Json* before, const Json* after, const Shape* shape) {
  if (form == Form::kLeaf) return compare_leaf(before, after);
  Changes changes = form == Form::kMembers ? compare_members(before, after, shape)
                                           : compare_items(before, after, *shape);
  if (before == nullptr) changes.added.member = true;
  if (after == nullptr) changes.removed.member = true;
  return changes;
}

}  // namespace

Form form_of(const Shape* shape, const Json& value) {
  const bool members = value.is_object() || value.is_null();
  if (shape == nullptr) return members ? Form::kMembers : Form::kLeaf;
  switch (shape->kind) {
    case Kind::kAny:
    case Kind::kObject:
    case Kind::kMap:
      return members && !shape->atomic ? Form::kMembers : Form::kLeaf;
    case Kind::kList: {
      const bool items = value.is_array() || value.is_null();
      return items && shape->list_type != ListType::kAtomic ? Form::kItems : Form::kLeaf;
    }
    default:
      return Form::kLeaf;
  }
}

MemberShape member_of(const Shape* shape, const std::string& key) {
  if (shape == nullptr) return {};
  if (shape->kind == Kind::kMap) return {shape->element, false};
  if (shape->kind != Kind::kObject) return {};
  const schema::Field* const field = shape->field(key);
  return field == nullptr ? MemberShape{} : MemberShape{field->shape, true};
}

Result<std::string> item_step(const Shape& list, const Json& item) {
  if (list.list_type == ListType::kSet || list.list_map_keys.empty()) {
    if (item.is_structured() || item.is_null()) {
      return Error(fmt::format("an item of a set is a {}", item.type_name()));
    }
    return value_step(item);
  }
  if (!item.is_object()) {
    return Error(fmt::format("an item of a list with keys is a {}", item.type_name()));
  }
  Json keys = Json::object();
  for (const std::string& key : list.list_map_keys) {
    const Json* const written = member(item, key);
    Json value = written != nullptr ? *written : key_default(list, key);
    if (written != nullptr || !value.is_null()) keys[key] = std::move(value);
  }
  if (keys.empty()) {
    return Error(fmt::format("an item of the list omits all of its keys ({})",
                             join(list.list_map_keys, ", ")));
  }
  return key_step(keys);
}

FieldSet fields_of(const Json& object, const Shape* shape) {
  FieldSet set;
  const Form form = form_of(shape, object);
  set.member = form == Form::kLeaf;
  if (form == Form::kMembers && object.is_object()) {
    for (const auto& [key, value] : object.items()) {
      const MemberShape below = member_of(shape, key);
      FieldSet child = fields_of(value, below.shape);
      // A declared object is owned by what stands in it; one that is empty, by its name.
      const bool empty = value.is_null() || (value.is_object() && value.empty());
      child.member = child.member || empty || !below.named;
      set.adopt(field_step(key), std::move(child));
    }
  } else if (form == Form::kItems && object.is_array()) {
    for (const auto& [step, items] : items_by_step(&object, *shape)) {
      FieldSet child;
      if (items.size() == 1) child = fields_of(*items.front(), shape->element);
      child.member = true;
      set.adopt(step, std::move(child));
    }
  }
  return set;
}

FieldSet with_named(FieldSet set, const Shape* shape) {
  for (auto& [step, child] : set.children) {
    if (!step.starts_with("f:")) {
      const bool is_list = shape != nullptr && shape->kind == Kind::kList;
      child = with_named(std::move(child), is_list ? shape->element : nullptr);
      continue;
    }
    const MemberShape below = member_of(shape, step.substr(2));
    child = with_named(std::move(child), below.shape);
    child.member = child.member || below.named;
  }
  return set;
}

Changes compare(const Json* before, const Json* after, const Shape* shape) {
  if (before == nullptr && after == nullptr) return {};
  const Form old = form_of(shape, before == nullptr ? *after : *before);
  const Form now = form_of(shape, after == nullptr ? *before : *after);
  if (old == now || before == nullptr || before->is_null()) {
    return compare_as(now, before, after, shape);
  }
  if (after->is_null()) return compare_as(old, before, after, shape);
  // A scalar became an object or the other way round: both of them changed.
  Changes changes = compare_as(old, before, after, shape);
  Changes others = compare_as(now, before, after, shape);
  changes.added = unite(std::move(changes.added), others.added);
  changes.modified = unite(std::move(changes.modified), others.modified);
  changes.removed = unite(std::move(changes.removed), others.removed);
  return changes;
}

}  // namespace windlass::server::patch
